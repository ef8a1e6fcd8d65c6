import type { ConvGeometry, Kernel, Routine } from '@neumann/core/backend';
import type { Callable, Code, Local } from '../asm/code.ts';
import { eachGroup, elementAt, type Part, type StepCode } from '../emit/part.ts';
import type { EmitContext } from '../emit/plan.ts';
import { weightGradient } from './conv-weights.ts';
import { dimensionsOf } from './correlation.ts';
import { type Correlated, correlationProduct, isLarge, zeroPart } from './correlation-product.ts';
import { depthwise } from './depthwise.ts';
import { type Element, elementOf } from './element.ts';
import { type ImageShape, layoutOf, padImage } from './image.ts';
import { type Matmul, matmulOf } from './matmul.ts';
import { packColumns, packRows } from './pack.ts';
import {
  type Bands,
  bandsOf,
  finishBands,
  isEmptyPhase,
  type PhaseOf3,
  product3,
  strides3,
  sum3,
  tapCount,
  walkTiles,
} from './phases.ts';
import { isPlanar, planarPart } from './planes.ts';
import { type Panel, panelsOf } from './products.ts';
import { Tile, tileRows } from './tile.ts';
import { squareOf, winograd } from './winograd.ts';
import { winogradWeights } from './winograd-weights.ts';

export type Conv = Extract<Routine, { name: 'conv' }>;

/** More phases than this make more code than they are worth. */
const MOST_PHASES = 16;
/** Fewer points do not pay for the transformation of large weights by Winograd's algorithm. */
const POINTS_OF_LARGE = 256;
/** Sums of at most this many terms are written out. */
const STRAIGHT = 32;

/** Convolution and its two gradients, where a tuned way exists. */
export function conv(
  context: EmitContext,
  kernel: Kernel,
  { target, conv: geometry }: Conv,
): StepCode | undefined {
  const element = elementOf(kernel.inputs[0]?.dtype);
  const { n, c, f, groups, kernel: window, x, y } = geometry;
  const isEmpty = [n, c, f, ...window, ...x, ...y].includes(0);
  if (!element || isEmpty || x.length > 3) return undefined;
  if (target !== 'w' && groups > 1 && c === groups && f === groups) {
    const found = depthwise(context, element, target, geometry);
    if (found) return found;
  }
  const product = asMatmul(target, geometry);
  if (product && Math.min(product.m, product.n, product.k) >= 4) {
    const { parts, ...rest } = matmulOf(context, element, product);
    if (target !== 'x') return { parts, ...rest };
    const swapped = parts.map(
      (part): Part => ({
        ...part,
        emit: (code, [w = 0, y = 0, out = 0], share) => part.emit(code, [y, w, out], share),
      }),
    );
    return { parts: swapped, ...rest };
  }
  if (target === 'w')
    return (
      (context.winograd ? winogradWeights(context, element, geometry) : undefined) ??
      weightGradient(context, element, geometry)
    );
  const points = n * (target === 'y' ? y : x).reduce((product, extent) => product * extent, 1);
  const mayTransform = context.winograd && (points >= POINTS_OF_LARGE || !isLarge(element, target, geometry));
  const square = mayTransform ? squareOf(element, target, geometry) : undefined;
  if (square) return winograd(context, element, target, square);
  return correlation(context, element, target, geometry);
}

/** A convolution by one point is a matrix product. */
function asMatmul(target: 'x' | 'w' | 'y', conv: ConvGeometry): Matmul | undefined {
  const isOne = (values: readonly number[]) => values.every((v) => v === 1);
  const plain =
    isOne(conv.kernel) && isOne(conv.stride) && isOne(conv.dilateX) && conv.padLow.every((p) => p === 0);
  if (!plain || conv.groups !== 1 || !conv.x.every((extent, d) => extent === conv.y[d])) return undefined;
  const points = conv.x.reduce((product, extent) => product * extent, conv.n);
  const { c, f } = conv;
  const base = { name: 'matmul', batch: 1 } as const;
  if (target === 'y') return { ...base, m: points, n: f, k: c, transposeX: false, transposeY: false };
  if (target === 'w') return { ...base, m: c, n: f, k: points, transposeX: true, transposeY: false };
  return { ...base, m: points, n: c, k: f, transposeX: false, transposeY: true }; // y times w
}

/** What both directions have in common: channels `from` are summed over, channels `to` are computed. */
interface Correlation extends Omit<Correlated, 'operands'> {
  readonly tiles: Map<string, Callable>;
}

/**
 * Convolution (or its input gradient) of NHWC images by register tiles: some neighbouring outputs along the last
 * dimension × some output channels. The input channels of neighbouring taps follow each other in memory, so that a sum
 * walks straight through the input and through weights packed in that order. Images with a border are copied first.
 */
function correlation(
  context: EmitContext,
  element: Element,
  target: 'x' | 'y',
  geometry: ConvGeometry,
): StepCode | undefined {
  const dimensions = dimensionsOf(target, geometry);
  const phases = product3(dimensions.map((d) => d.phases));
  if (phases.length > MOST_PHASES) return undefined;
  const [from, to] = target === 'y' ? [geometry.c, geometry.f] : [geometry.f, geometry.c];
  const image: ImageShape = {
    extents: dimensions.map((d) => d.input),
    low: dimensions.map((d) => d.low),
    high: dimensions.map((d) => d.high),
    dilation: [1, 1, 1],
    pixel: from * element.bytes,
  };
  const layout = layoutOf(image);
  const whole: Correlation = {
    context,
    element,
    target,
    geometry,
    dimensions,
    from,
    to,
    image,
    layout,
    tiles: new Map(),
  };
  const imageBytes = layout.padded ? Math.ceil(layout.bytes / 64) * 64 + 64 : 0;
  const operands = (params: readonly Local[]) => {
    const [first = 0, second = 0, out = 0] = params;
    return target === 'y' ? { input: first, weights: second, out } : { input: second, weights: first, out };
  };
  const outBytes = dimensions.reduce((size, d) => size * d.output, whole.to * element.bytes);
  const inBytes = dimensions.reduce((size, d) => size * d.input, from * element.bytes);
  const pack: Part = {
    tasks: 1,
    emit: (code, params, { scratch }) => {
      const { weights } = operands(params);
      const packTo = code.local('i32');
      code.get(scratch).set(packTo);
      for (const phase of phases) packPhase(code, whole, phase, weights, packTo);
    },
  };
  const first = phases.some(isEmptyPhase) ? [pack, zeroPart({ geometry, outBytes, operands })] : [pack];
  let weightsAt = 0;
  const placed = phases.map((phase) => {
    const at = weightsAt;
    weightsAt += packedBytes(whole, phase);
    return { phase, weightsAt: at };
  });
  const bands = bandsOf(geometry.n, phases);
  if (isLarge(element, target, geometry)) return correlationProduct({ ...whole, operands }, phases);
  if (isPlanar(whole)) {
    const { part, finishes } = planarPart({ ...whole, phases: placed, operands });
    return { scratch: weightsAt, parts: [...first, part], finishes };
  }
  const finish = finishBands(context, geometry.n, dimensions, phases, bands);
  const compute: Part = {
    tasks: geometry.n * bands,
    together: bands,
    own: imageBytes,
    emit: (code, params, { scratch, own, ...share }) => {
      const { input, out } = operands(params);
      if (layout.padded) code.get(own).i32(0).i32(imageBytes).fill();
      eachGroup(code, share, bands, (n, first, end) => {
        const [from, to] = [elementAt(code, input, n, inBytes), elementAt(code, out, n, outBytes)];
        if (layout.padded) padImage(code, image, layout, from, own);
        const pointers = { input: layout.padded ? own : from, weights: scratch, out: to };
        for (const { phase, weightsAt } of placed)
          emitPhase(code, whole, phase, pointers, weightsAt, { first, end, bands });
        finish?.(code, n, first, end);
      });
    },
  };
  return { scratch: weightsAt, parts: [...first, compute], finishes: finish !== undefined };
}

/** Panels of output channels in each group. */
function panelsOfGroup({ context, element, to, geometry }: Correlation): Panel[] {
  return panelsOf(element, context.features, to / geometry.groups);
}

/** Bytes of the packed weights of one panel. */
function panelBytes({ from, geometry }: Correlation, phase: PhaseOf3, vectors: number): number {
  return tapCount(phase) * (from / geometry.groups) * vectors * 16;
}

function packedBytes(whole: Correlation, phase: PhaseOf3): number {
  const bytes = panelsOfGroup(whole).reduce(
    (sum, { vectors, count }) => sum + count * panelBytes(whole, phase, vectors),
    0,
  );
  return whole.geometry.groups * bytes;
}

/** Weights of a phase as [group, panel, tap, input channel, output channels of the panel]. */
function packPhase(code: Code, whole: Correlation, phase: PhaseOf3, weights: Local, to: Local): void {
  const { element, target, geometry, from: inputs, dimensions } = whole;
  const { groups, f, c } = geometry;
  const [inGroup, rowBytes] = [inputs / groups, f * element.bytes];
  const tapBytes = (c / groups) * rowBytes;
  const [, kernelY = 1, kernelX = 1] = dimensions.map((d) => d.kernel);
  const offsets = product3(phase.map(({ taps }) => taps)).map(
    ([z, y, x]) => ((z * kernelY + y) * kernelX + x) * tapBytes,
  );
  const [from, panel] = [code.local('i32'), code.local('i32')];
  const group = code.local('i32');
  code.get(weights).set(group);
  code.repeat(groups, () => {
    code.get(group).set(panel);
    for (const { width, vectors, count } of panelsOfGroup(whole))
      code.repeat(count, () => {
        for (const offset of offsets) {
          code.get(panel).i32(offset).op('i32.add').set(from);
          if (target === 'y') packRows(code, from, to, inGroup, rowBytes, vectors);
          else packColumns(code, element, from, to, { count: inGroup, stride: rowBytes, width, vectors });
        }
        code.advance(panel, width * (target === 'y' ? element.bytes : rowBytes));
      });
    code.advance(group, (f / groups) * element.bytes);
  });
}

interface ImagePointers {
  readonly input: Local;
  readonly weights: Local;
  readonly out: Local;
}

/** The outputs of some bands of an image in one phase; its weights stand `weightsAt` bytes from the start. */
function emitPhase(
  code: Code,
  whole: Correlation,
  phase: PhaseOf3,
  pointers: ImagePointers,
  weightsAt: number,
  bands: Bands,
): void {
  if (isEmptyPhase(phase)) return;
  const { element, geometry, from, to, layout, dimensions, image } = whole;
  const { groups } = geometry;
  const [w, x, o, inputGroup, outPanel] = code.locals('i32', 5) as [Local, Local, Local, Local, Local];
  const inputStart = sum3((d) => ((phase[d]?.start ?? 0) + (image.low[d] ?? 0)) * (layout.strides[d] ?? 0));
  const outStrides = strides3(
    dimensions.map((d) => d.output),
    to * element.bytes,
  );
  const outStart = sum3((d) => (phase[d]?.first ?? 0) * (outStrides[d] ?? 0));
  const inSteps = phase.map(({ stride }, d) => stride * (layout.strides[d] ?? 0));
  const outSteps = phase.map(({ step }, d) => step * (outStrides[d] ?? 0));
  code.get(pointers.weights).i32(weightsAt).op('i32.add').set(w);
  code.get(pointers.input).i32(inputStart).op('i32.add').set(inputGroup);
  code.get(pointers.out).i32(outStart).op('i32.add').set(outPanel);
  code.repeat(groups, () => {
    for (const { width, vectors, count } of panelsOfGroup(whole))
      code.repeat(count, () => {
        code.get(inputGroup).set(x).get(outPanel).set(o);
        const walking = [
          { pointer: x, steps: inSteps },
          { pointer: o, steps: outSteps },
        ];
        walkTiles(code, phase, tileRows(whole.context.features, vectors), bands, walking, (rows) => {
          code
            .get(x)
            .get(w)
            .get(o)
            .call(tileFunction(whole, phase, rows, width, vectors));
        });
        code.advance(w, panelBytes(whole, phase, vectors)).advance(outPanel, width * element.bytes);
      });
    code.advance(inputGroup, (from / groups) * element.bytes);
  });
}

/** `(x, w, out)`: the sums of `rows` neighbouring outputs and `width` channels. */
function tileFunction(
  whole: Correlation,
  phase: PhaseOf3,
  rows: number,
  width: number,
  vectors: number,
): Callable {
  const { context, element, geometry, from, to, layout, tiles } = whole;
  const key = `${phase.map(({ first }) => first)} ${rows} ${width}`;
  const known = tiles.get(key);
  if (known) return known;
  const channels = from / geometry.groups;
  const [tapsZ, tapsY, tapsX] = phase.map(({ taps }) => taps.length) as [number, number, number];
  const [stepZ, stepY, stepX] = phase.map(({ dilation }, d) => dilation * (layout.strides[d] ?? 0)) as [
    number,
    number,
    number,
  ];
  const [, , phaseX] = phase;
  const isRun = geometry.groups === 1 && (phaseX.dilation === 1 || tapsX === 1);
  const [runs, run] = isRun ? [1, tapsX * channels] : [tapsX, channels];
  const rowOffset = (r: number) => r * phaseX.stride * layout.strides[2];
  const outOffset = (r: number) => r * phaseX.step * to * element.bytes;
  const made = context.builder.define(
    { params: ['i32', 'i32', 'i32'], results: [] },
    (code, [x = 0, w = 0, out = 0]) => {
      const tile = new Tile(code, element, context.features, { rows, vectors });
      if (tapsZ * tapsY * runs * run <= STRAIGHT) {
        let [at, reached] = [0, 0];
        for (let z = 0; z < tapsZ; z++)
          for (let y = 0; y < tapsY; y++)
            for (let t = 0; t < runs; t++)
              for (let i = 0; i < run; i++) {
                // Engines that see a row's input again at the next tap would keep it in a register that is not there.
                const offset = z * stepZ + y * stepY + t * stepX + i * element.bytes;
                code.advance(x, offset - reached);
                reached = offset;
                tile.step(x, rowOffset, w, 16 * vectors * at++);
              }
      } else {
        code.repeat(tapsZ, () => {
          code.repeat(tapsY, () => {
            code.repeat(runs, () => {
              tile.repeat(run, x, rowOffset, w, { a: element.bytes, b: 16 * vectors });
              code.advance(x, stepX - run * element.bytes);
            });
            code.advance(x, stepY - runs * stepX);
          });
          code.advance(x, stepZ - tapsY * stepY);
        });
      }
      tile.store(out, outOffset, width);
    },
  );
  tiles.set(key, made);
  return made;
}
