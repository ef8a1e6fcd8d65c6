import type { ConvGeometry } from '@neumann/core/backend';
import type { Callable, Code, Local } from '../asm/code.ts';
import { eachGroup, elementAt, type StepCode } from '../emit/part.ts';
import type { EmitContext } from '../emit/plan.ts';
import { dimensionsOf } from './correlation.ts';
import type { Element } from './element.ts';
import { type ImageLayout, type ImageShape, layoutOf, padImage } from './image.ts';
import {
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
import { loadColumns, storeColumns } from './tile.ts';

/** Every tap is written out. */
const MOST_TAPS = 64;
const MOST_PHASES = 16;
/** Neighbouring outputs that share the loads of weights. */
const MOST_POINTS = 4;
/** Vectors of channels that are computed together. */
const MOST_VECTORS = 2;

interface Depthwise {
  readonly context: EmitContext;
  readonly element: Element;
  readonly channels: number;
  readonly layout: ImageLayout;
  /** Extents of the kernel and strides of the result, three of each. */
  readonly kernel: readonly number[];
  readonly outStrides: readonly [number, number, number];
}

/** Depthwise convolution, or its input gradient, by vectors of channels: each is a convolution of its own. */
export function depthwise(
  context: EmitContext,
  element: Element,
  target: 'x' | 'y',
  geometry: ConvGeometry,
): StepCode | undefined {
  const dimensions = dimensionsOf(target, geometry);
  const phases = product3(dimensions.map((d) => d.phases));
  if (phases.length > MOST_PHASES || phases.some((phase) => tapCount(phase) > MOST_TAPS)) return undefined;
  const channels = geometry.c;
  const image: ImageShape = {
    extents: dimensions.map((d) => d.input),
    low: dimensions.map((d) => d.low),
    high: dimensions.map((d) => d.high),
    dilation: [1, 1, 1],
    pixel: channels * element.bytes,
  };
  const layout = layoutOf(image);
  const imageBytes = layout.padded ? Math.ceil(layout.bytes / 64) * 64 + 64 : 0;
  const pixels = (of: 'input' | 'output') =>
    dimensions.reduce((size, d) => size * d[of], channels * element.bytes);
  const outStrides = strides3(
    dimensions.map((d) => d.output),
    channels * element.bytes,
  );
  const whole = { context, element, channels, layout, kernel: dimensions.map((d) => d.kernel), outStrides };
  const functions = new Map<string, Callable>();
  const bands = bandsOf(geometry.n, phases);
  const isSparse = phases.some(isEmptyPhase);
  const finish = finishBands(context, geometry.n, dimensions, phases, bands);
  return {
    scratch: 0,
    finishes: finish !== undefined,
    parts: [
      ...(isSparse ? [clearing(geometry.n, pixels('output'))] : []),
      {
        tasks: geometry.n * bands,
        own: imageBytes,
        emit: (code, [a = 0, b = 0, out = 0], { own, ...share }) => {
          const [input, weights] = target === 'y' ? [a, b] : [b, a];
          if (layout.padded) code.get(own).i32(0).i32(imageBytes).fill();
          eachGroup(code, share, bands, (n, first, end) => {
            const [from, to] = [
              elementAt(code, input, n, pixels('input')),
              elementAt(code, out, n, pixels('output')),
            ];
            if (layout.padded) padImage(code, image, layout, from, own);
            for (const phase of phases) {
              if (isEmptyPhase(phase)) continue;
              const start = sum3(
                (d) => ((phase[d]?.start ?? 0) + (image.low[d] ?? 0)) * (layout.strides[d] ?? 0),
              );
              const [x, o] = [code.local('i32'), code.local('i32')];
              code
                .get(layout.padded ? own : from)
                .i32(start)
                .op('i32.add')
                .set(x);
              code
                .get(to)
                .i32(sum3((d) => (phase[d]?.first ?? 0) * (outStrides[d] ?? 0)))
                .op('i32.add')
                .set(o);
              const walking = [
                { pointer: x, steps: phase.map(({ stride }, d) => stride * (layout.strides[d] ?? 0)) },
                { pointer: o, steps: phase.map(({ step }, d) => step * (outStrides[d] ?? 0)) },
              ];
              walkTiles(code, phase, MOST_POINTS, { first, end, bands }, walking, (points) => {
                code
                  .get(x)
                  .get(weights)
                  .get(o)
                  .call(pointsFunction(whole, functions, phase, points));
              });
            }
            finish?.(code, n, first, end);
          });
        },
      },
    ],
  };
}

/** Zeros for the results that no tap reaches. */
function clearing(images: number, bytes: number): StepCode['parts'][number] {
  return {
    tasks: 1,
    emit: (code, [, , out = 0]) =>
      code
        .get(out)
        .i32(0)
        .i32(images * bytes)
        .fill(),
  };
}

/** `(x, w, out)`: some neighbouring outputs, all channels. */
function pointsFunction(
  { context, element, channels, layout, kernel, outStrides }: Depthwise,
  functions: Map<string, Callable>,
  phase: PhaseOf3,
  points: number,
): Callable {
  const key = `${phase.map(({ first }) => first)} ${points}`;
  const known = functions.get(key);
  if (known) return known;
  const [, kernelY = 1, kernelX = 1] = kernel;
  const pixel = channels * element.bytes;
  const indices = product3(phase.map(({ taps }) => taps.map((_, t) => t)));
  const taps = indices.map((t) => {
    const [z, y, x] = phase.map(({ taps }, d) => taps[t[d] ?? 0] ?? 0);
    return {
      weight: (((z ?? 0) * kernelY + (y ?? 0)) * kernelX + (x ?? 0)) * pixel,
      input: sum3((d) => (t[d] ?? 0) * (phase[d]?.dilation ?? 1) * (layout.strides[d] ?? 0)),
    };
  });
  const stepX = phase[2].stride * layout.strides[2];
  const stepOut = phase[2].step * outStrides[2];
  const made = context.builder.define(
    { params: ['i32', 'i32', 'i32'], results: [] },
    (code, [x = 0, w = 0, out = 0]) => {
      eachBlock(code, element, channels, [x, w, out], (width) => {
        const vectors = Math.ceil(width / element.lanes);
        const zero = code.constant(new Uint8Array(16)); // adding to it, products of -0 become 0 as in a sum
        const weight = code.locals('v128', vectors);
        const sums = Array.from({ length: points }, () => code.locals('v128', vectors));
        for (const [t, tap] of taps.entries()) {
          for (const [v, local] of weight.entries())
            code
              .get(w)
              .memory('v128.load', tap.weight + 16 * v)
              .set(local);
          for (const [p, sum] of sums.entries())
            for (const [v, acc] of sum.entries()) {
              const load = () => code.get(x).memory('v128.load', tap.input + p * stepX + 16 * v);
              multiplyAdd(code, context, element, load, weight[v] ?? 0, t > 0 ? acc : zero, acc);
            }
        }
        for (const [p, sum] of sums.entries()) storeColumns(code, element, sum, out, p * stepOut, width);
      });
    },
  );
  functions.set(key, made);
  return made;
}

/** Visits all channels in blocks; the pointers move along. */
function eachBlock(
  code: Code,
  { lanes, bytes }: Element,
  channels: number,
  pointers: readonly Local[],
  body: (width: number) => void,
  vectors = MOST_VECTORS,
): void {
  const width = vectors * lanes;
  code.repeat(Math.floor(channels / width), () => {
    body(width);
    for (const pointer of pointers) code.advance(pointer, width * bytes);
  });
  if (channels % width > 0) body(channels % width);
}

/** acc = x * y + sum */
function multiplyAdd(
  code: Code,
  { features }: EmitContext,
  { madd, mul, add }: Element,
  x: () => void,
  y: Local,
  sum: Local,
  acc: Local,
): void {
  if (features.relaxedSimd) {
    x();
    code.get(y).get(sum).op(madd).set(acc);
  } else {
    code.get(sum);
    x();
    code.get(y).op(mul).op(add).set(acc);
  }
}

/** Weights whose gradients are added up in registers at the same time. */
const MOST_SUMS = 10;

/** `(x, dy, out)`: adds the gradient of one image to the weights; `taps` are the bytes from its start to each tap's first input. */
export function depthwiseWeights(
  context: EmitContext,
  element: Element,
  taps: readonly number[],
  geometry: { y: readonly number[]; channels: number; steps: readonly number[] },
): Callable {
  const { y, channels, steps } = geometry;
  const [depth = 1, height = 1, width = 1] = y;
  const [stepZ = 0, stepY = 0, stepX = 0] = steps;
  const pixel = channels * element.bytes;
  return context.builder.define(
    { params: ['i32', 'i32', 'i32'], results: [] },
    (code, [x = 0, dy = 0, out = 0]) => {
      const [from, ofY] = [code.local('i32'), code.local('i32')];
      eachBlock(
        code,
        element,
        channels,
        [x, dy, out],
        (columns) => {
          for (let first = 0; first < taps.length; first += MOST_SUMS) {
            const some = taps.slice(first, first + MOST_SUMS);
            const sums = code.locals('v128', some.length);
            const gradient = code.local('v128');
            for (const [t, sum] of sums.entries())
              loadColumns(code, element, [sum], out, (first + t) * pixel, columns);
            code.get(x).set(from).get(dy).set(ofY);
            code.repeat(depth, () => {
              code.repeat(height, () => {
                code.repeat(width, () => {
                  code.get(ofY).memory('v128.load').set(gradient);
                  for (const [t, sum] of sums.entries()) {
                    const load = () => code.get(from).memory('v128.load', some[t] ?? 0);
                    multiplyAdd(code, context, element, load, gradient, sum, sum);
                  }
                  code.advance(from, stepX).advance(ofY, pixel);
                });
                code.advance(from, stepY - width * stepX);
              });
              code.advance(from, stepZ - height * stepY);
            });
            for (const [t, sum] of sums.entries())
              storeColumns(code, element, [sum], out, (first + t) * pixel, columns);
          }
        },
        1,
      );
    },
  );
}
