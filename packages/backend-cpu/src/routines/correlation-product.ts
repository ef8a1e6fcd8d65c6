import type { ConvGeometry } from '@neumann/core/backend';
import type { Callable, Code, Local } from '../asm/code.ts';
import type { Finish } from '../emit/epilogue.ts';
import { countTo, eachTask, elementAt, type Part, type StepCode, unitsOf } from '../emit/part.ts';
import type { EmitContext } from '../emit/plan.ts';
import type { Dimension } from './correlation.ts';
import type { Element } from './element.ts';
import type { ImageLayout, ImageShape } from './image.ts';
import { copyBytes, packColumns, packRows } from './pack.ts';
import {
  aligned,
  type Block,
  blocksOf,
  eachRun,
  type Level,
  PLACE,
  packPlaces,
  padPart,
  type Run,
  wholeAndRest,
  writePlaces,
} from './patches.ts';
import { isEmptyPhase, type PhaseOf3, strides3, sum3 } from './phases.ts';
import { columnGroups, type Panel, panelsOf, productTiles } from './products.ts';
import { coverTiles, TILE_VECTORS, tileRows, tileVectors } from './tile.ts';

/** Channels of one tap that are added up before a tile goes back to memory. */
const BLOCK_CHANNELS = 256;
/** Outputs that are computed together: what they read stays in the second-level cache. */
const BLOCK_ROWS = 120;
/** Smaller weights stay in the second-level cache by themselves. */
const LEAST_WEIGHTS = 2 ** 20;
/** Fewer channels do not pay for packing. */
const LEAST_CHANNELS = 128;

/** A convolution or its input gradient: channels `from` are summed over, channels `to` are computed. */
export interface Correlated {
  readonly context: EmitContext;
  readonly element: Element;
  readonly target: 'x' | 'y';
  readonly geometry: ConvGeometry;
  readonly dimensions: readonly Dimension[];
  readonly from: number;
  readonly to: number;
  readonly image: ImageShape;
  readonly layout: ImageLayout;
  readonly operands: (params: readonly Local[]) => { input: Local; weights: Local; out: Local };
}

interface Product extends Correlated {
  readonly phases: readonly PhaseOf3[];
  /** Of the columns of one task, and how many such groups of columns there are. */
  readonly panels: readonly Panel[];
  readonly groups: number;
  /** Bytes of an image as it is given, as it is read, and of an output image. */
  readonly xBytes: number;
  readonly imageBytes: number;
  readonly outBytes: number;
  /** Whether the outputs of the only phase follow each other. */
  readonly isDense: boolean;
  readonly tileOf: (rows: number, width: number) => Callable;
  readonly finish: Finish | undefined;
}

/** Whether {@link correlationProduct} is quicker than tiles that walk over images. */
export function isLarge({ bytes, lanes }: Element, target: 'x' | 'y', geometry: ConvGeometry): boolean {
  const { groups, c, f, kernel } = geometry;
  const from = target === 'y' ? c : f;
  const weights = kernel.reduce((product, k) => product * k, c * f * bytes);
  const fits = groups === 1 && Math.min(c, f) >= LEAST_CHANNELS && from % lanes === 0;
  return fits && weights >= LEAST_WEIGHTS;
}

/**
 * A correlation with large weights as one matrix product for each phase, [outputs of all images, taps × channels] with
 * [taps × channels, channels of the result]: the weights are read once for many outputs, whatever image these belong to.
 */
export function correlationProduct(whole: Correlated, phases: readonly PhaseOf3[]): StepCode {
  const { context, element, geometry, dimensions, from, to, image, layout, operands } = whole;
  const bytes = (extents: readonly number[], pixel: number) =>
    extents.reduce((product, extent) => product * extent, pixel * element.bytes);
  const inputs = dimensions.map((d) => d.input);
  const outputs = dimensions.map((d) => d.output);
  const xBytes = bytes(inputs, from);
  const imageBytes = layout.padded ? aligned(layout.bytes) : xBytes;
  const blocks = layout.padded ? blocksOf(geometry.n, imageBytes) : [{ first: 0, images: geometry.n }];
  const isDense = phases.length === 1 && phases[0]?.every(({ step }) => step === 1) === true;
  const most = blocks[0]?.images ?? 0;
  const groups = columnGroups(context.features, element, to, rowTasks(whole, phases, most));
  const rows = geometry.n * outputs.reduce((product, extent) => product * extent, 1);
  const finish = isDense && groups === 1 ? context.finishRows?.(rows) : undefined;
  const product: Product = {
    ...whole,
    phases,
    panels: panelsOf(element, context.features, to / groups),
    groups,
    xBytes,
    imageBytes,
    outBytes: bytes(outputs, to),
    isDense,
    tileOf: productTiles(context, element, { out: to * element.bytes }),
    finish,
  };
  const padding = { shape: image, layout, xBytes, imageBytes };
  const parts = blocks.flatMap((block) => [
    ...(layout.padded ? [padPart(padding, block, 0, (params) => operands(params).input)] : []),
    multiplyPart(product, block),
  ]);
  return {
    scratch: layout.padded ? most * imageBytes : 0,
    parts: phases.some(isEmptyPhase) ? [zeroPart(product), ...parts] : parts,
    finishes: finish !== undefined,
  };
}

/** Outputs of a phase of so many images, in blocks: an even number of them, unless there is one. */
function rowRuns({ context }: Correlated, phase: PhaseOf3, images: number): Run[] {
  if (isEmptyPhase(phase)) return [];
  const points = images * phase.reduce((product, { count }) => product * count, 1);
  const wanted = points <= BLOCK_ROWS ? 1 : Math.ceil(points / BLOCK_ROWS / 2) * 2;
  const tile = tileRows(context.features, TILE_VECTORS);
  return wholeAndRest(points, Math.ceil(points / wanted / tile) * tile);
}

function rowTasks(whole: Correlated, phases: readonly PhaseOf3[], images: number): number {
  const runs = phases.flatMap((phase) => rowRuns(whole, phase, images));
  return runs.reduce((sum, { count }) => sum + count, 0);
}

/** Outputs that no tap reaches are zero. */
export function zeroPart({
  geometry,
  outBytes,
  operands,
}: Pick<Product, 'geometry' | 'outBytes' | 'operands'>): Part {
  return {
    tasks: geometry.n,
    together: 1,
    emit: (code, params, share) =>
      eachTask(code, share, (task) =>
        code
          .get(elementAt(code, operands(params).out, task, outBytes))
          .i32(0)
          .i32(outBytes)
          .fill(),
      ),
  };
}

/** Computes groups of columns of some outputs of one phase each. */
function multiplyPart(product: Product, block: Block): Part {
  const { context, element, target, geometry, from, to, layout, xBytes, outBytes, isDense } = product;
  const { operands, phases, groups, finish } = product;
  const all = phases.map((phase) => ({ phase, runs: rowRuns(product, phase, block.images) }));
  const most = Math.max(0, ...all.flatMap(({ runs }) => runs.map(({ size }) => size)));
  const packedAt = aligned(2 * PLACE * most);
  const panelAt = packedAt + aligned(rowBytes(element, most) * Math.min(from, BLOCK_CHANNELS));
  const sumsAt = panelAt + aligned(tileVectors(context.features) * 16 * Math.min(from, BLOCK_CHANNELS));
  const ownMemory = { packedAt, panelAt, sumsAt };
  const points = outBytes / (to * element.bytes);
  const columns = (to / groups) * element.bytes;
  const columnsOfW = columns * (target === 'y' ? 1 : geometry.f);
  const tasks = groups * rowTasks(product, phases, block.images);
  return {
    tasks,
    together: 1,
    own: sumsAt + (isDense ? 0 : aligned(most * to * element.bytes)),
    emit: (code, params, { scratch, own, ...share }) => {
      const { input, weights, out } = operands(params);
      const x = code.local('i32');
      if (layout.padded) code.get(scratch).set(x);
      else
        code
          .get(input)
          .i32(block.first * xBytes)
          .op('i32.add')
          .set(x);
      for (const { phase, runs } of all) {
        const [at, group, row, last] = code.locals('i32', 4) as [Local, Local, Local, Local];
        const count = runs.reduce((sum, run) => sum + run.count, 0) * groups;
        // A share has its part of every phase: they differ in taps.
        const { first: task, end } = unitsOf(code, share, tasks, count);
        const size = runs[0]?.size ?? 0;
        countTo(code, task, end, 1, () => {
          code.get(task).i32(groups).op('i32.div_u').set(at);
          code.get(task).i32(groups).op('i32.rem_u').set(group);
          eachRun(code, at, runs, (run) => {
            code.get(x).get(elementAt(code, weights, group, columnsOfW));
            code
              .get(elementAt(code, out, group, columns))
              .i32(block.first * outBytes)
              .op('i32.add');
            code.get(own).get(at).i32(size).op('i32.mul').tee(row);
            code.call(rowsFunction(product, phase, block.images, run.size, ownMemory));
            if (!finish) return;
            code.advance(row, block.first * points);
            code.get(row).i32(run.size).op('i32.add').set(last);
            finish(code, row, last);
          });
        });
      }
    },
  };
}

type Six = [Local, Local, Local, Local, Local, Local];

/** Bytes of one term of so many packed rows, the last of whose tiles may be padded. */
function rowBytes({ lanes }: Element, rows: number): number {
  return 2 * Math.ceil(rows / lanes) * 16;
}

/** Bytes from the start of a thread's own memory to what was packed of the input and of the weights, and to sums. */
interface Own {
  readonly packedAt: number;
  readonly panelAt: number;
  readonly sumsAt: number;
}

/**
 * `(x, weights, out, own, first)`: outputs of one phase from number `first` on. The thread's own memory begins with the
 * addresses that they read and write; their sums stand there where the outputs do not follow each other.
 */
function rowsFunction(
  product: Product,
  phase: PhaseOf3,
  images: number,
  rows: number,
  { packedAt, panelAt, sumsAt }: Own,
): Callable {
  const { context, element, target, geometry, dimensions, from, to, image, layout, panels } = product;
  const { imageBytes, outBytes, isDense, tileOf, groups } = product;
  const [outRow, rowOfW] = [to * element.bytes, geometry.f * element.bytes];
  const outStrides = strides3(
    dimensions.map((d) => d.output),
    outRow,
  );
  const tapStrides = strides3(
    dimensions.map((d) => d.kernel),
    geometry.c * rowOfW,
  );
  const inputs: Level[] = [
    { extent: images, step: imageBytes },
    ...phase.map(({ count, stride }, d) => ({ extent: count, step: stride * (layout.strides[d] ?? 0) })),
  ];
  const outputs: Level[] = [
    { extent: images, step: outBytes },
    ...phase.map(({ count, step }, d) => ({ extent: count, step: step * (outStrides[d] ?? 0) })),
  ];
  const inputStart = sum3((d) => ((phase[d]?.start ?? 0) + (image.low[d] ?? 0)) * (layout.strides[d] ?? 0));
  const outStart = sum3((d) => (phase[d]?.first ?? 0) * (outStrides[d] ?? 0));
  const tapStart = sum3((d) => (phase[d]?.taps[0] ?? 0) * (tapStrides[d] ?? 0));
  const tiles = coverTiles(rows, tileRows(context.features, TILE_VECTORS)).map(({ size, count }) => {
    return { size, count, vectors: Math.ceil(size / element.lanes) };
  });
  const channels = Math.ceil(from / Math.ceil(from / BLOCK_CHANNELS) / element.lanes) * element.lanes;
  const bytesOfW = (channels: number) => channels * (target === 'y' ? rowOfW : element.bytes);
  return context.builder.define(
    { params: ['i32', 'i32', 'i32', 'i32', 'i32'], results: [] },
    (code, [x = 0, weights = 0, out = 0, own = 0, first = 0]) => {
      const [outPlaces, packed, packedPanel, sums, adds, offset] = code.locals('i32', 6) as Six;
      const [place, to, panel, a, c, column] = code.locals('i32', 6) as Six;
      const toOwn = (at: number, local: Local) => code.get(own).i32(at).op('i32.add').set(local);
      toOwn(PLACE * rows, outPlaces);
      toOwn(packedAt, packed);
      toOwn(panelAt, packedPanel);
      writePlaces(code, { first, to: own, base: x, levels: inputs, start: inputStart }, rows);
      writePlaces(code, { first, to: outPlaces, base: out, levels: outputs, start: outStart }, rows);
      if (isDense) code.get(outPlaces).memory('i32.load').set(sums);
      else toOwn(sumsAt, sums);
      /** Adds the products of some channels of one tap. */
      const multiply = (count: number) => {
        code.get(packed).set(to).get(own).set(place);
        for (const { size, count: repeats } of tiles)
          code.repeat(repeats, () => {
            packPlaces(code, element, { place, offset, to, count }, size);
            code.advance(place, PLACE * size);
          });
        code.get(sums).set(column).get(weights).set(panel);
        for (const { width, vectors: wide, count: repeats } of panels)
          code.repeat(repeats, () => {
            const [from, to] = [code.local('i32'), code.local('i32')];
            code.get(panel).set(from).get(packedPanel).set(to);
            if (target === 'y') packRows(code, from, to, count, rowOfW, wide);
            else packColumns(code, element, from, to, { count, stride: rowOfW, width, vectors: wide });
            code.get(packed).set(a).get(column).set(c);
            for (const { size, count: repeated, vectors } of tiles)
              code.repeat(repeated, () => {
                code.get(a).get(packedPanel).get(c).i32(count).get(adds);
                code.call(tileOf(size, width));
                code.advance(a, count * vectors * 16).advance(c, size * outRow);
              });
            code.advance(panel, width * (target === 'y' ? element.bytes : rowOfW));
            code.advance(column, width * element.bytes);
          });
        code.i32(1).set(adds);
        code.advance(offset, count * element.bytes).advance(weights, bytesOfW(count));
      };
      code.i32(0).set(adds).i32(0).set(offset);
      code.advance(weights, tapStart);
      walkTaps(
        code,
        phase.map(({ taps, dilation }, d) => {
          const [one = 0, two = one] = taps;
          const steps = [dilation * (layout.strides[d] ?? 0), (two - one) * (tapStrides[d] ?? 0)];
          return { count: taps.length, steps };
        }),
        [offset, weights],
        () => {
          for (const run of wholeAndRest(from, channels)) code.repeat(run.count, () => multiply(run.size));
          code.advance(offset, -from * element.bytes).advance(weights, -bytesOfW(from));
        },
      );
      if (isDense) return;
      code.repeat(rows, () => {
        code.get(outPlaces).memory('i32.load').set(to);
        copyBytes(code, sums, to, outRow / groups);
        code.advance(outPlaces, PLACE).advance(sums, outRow);
      });
    },
  );
}

/** Visits taps in three dimensions; the offsets walk along by their steps, and return. */
function walkTaps(
  code: Code,
  [level, ...inner]: readonly { readonly count: number; readonly steps: readonly number[] }[],
  offsets: readonly Local[],
  visit: () => void,
): void {
  if (!level) {
    visit();
    return;
  }
  const advance = (taps: number) => {
    for (const [i, offset] of offsets.entries()) code.advance(offset, taps * (level.steps[i] ?? 0));
  };
  code.repeat(level.count, () => {
    walkTaps(code, inner, offsets, visit);
    advance(1);
  });
  advance(-level.count);
}
