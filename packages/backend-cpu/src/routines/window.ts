import {
  type DType,
  dtypeInfo,
  type Kernel,
  type Routine,
  rangeOf,
  rowMajorStrides,
  sizeOf,
  type WindowGeometry,
} from '@neumann/core/backend';
import type { Code, Local } from '../asm/code.ts';
import { type Accumulator, accumulate, newAccumulator, resetAccumulator, resultOf } from '../emit/fold.ts';
import { countTo, type Part, type Share, type StepCode } from '../emit/part.ts';
import type { EmitContext } from '../emit/plan.ts';
import { scalarBinary, scalarCompare, scalarConst, scalarType } from '../emit/scalar.ts';
import { vectorBinary, vectorCompare, vectorConst, vectorSelect } from '../emit/vector.ts';
import { copyImageBack, fillImage, type ImageLayout, type ImageShape, layoutOf, padImage } from './image.ts';
import { loadSpan, type Span, storeSpan, visitRun, type Walker } from './run.ts';

type Window = Extract<Routine, { window: WindowGeometry }>;

/** Windows of more points than this are left to the loop nest: every point is written out. */
const MOST_TAPS = 64;
/** Vectors of channels that are handled together. */
const MOST_VECTORS = 4;

/** Reductions of windows, and their adjoints, on images with a border of zeros (or of the lowest number for maxima). */
export function windowRoutine(context: EmitContext, kernel: Kernel, routine: Window): StepCode | undefined {
  const { window } = routine;
  const dtype = kernel.inputs[0]?.dtype;
  const isEmpty = [window.n, window.c, ...window.x, ...window.y, ...window.window].includes(0);
  const isPlain = kernel.outputs.every(({ kind }) => kind === 'acc');
  if (!dtype || !isPlain || isEmpty || window.x.length > 3 || sizeOf(window.window) > MOST_TAPS)
    return undefined;
  const whole = prepareWindows(context, routine, dtype);
  return 'target' in routine && routine.target === 'x' ? scatterWindows(whole) : foldWindows(whole, kernel);
}

interface Windows {
  readonly context: EmitContext;
  readonly routine: Window;
  readonly dtype: DType;
  /** Spatial extents, always three. */
  readonly y: readonly number[];
  readonly stride: readonly number[];
  readonly image: ImageShape;
  readonly layout: ImageLayout;
  /** For each point of a window in row-major order: the bytes from the window's first point. */
  readonly taps: readonly number[];
  /** Bytes from the image's start to the first window. */
  readonly start: number;
  readonly imageBytes: number;
  /** Bytes of the padded image. */
  readonly own: number;
}

function prepareWindows(context: EmitContext, routine: Window, dtype: DType): Windows {
  const { window } = routine;
  const three = (values: readonly number[], missing: number) => [
    ...new Array<number>(3 - values.length).fill(missing),
    ...values,
  ];
  const [x, y, extents] = [three(window.x, 1), three(window.y, 1), three(window.window, 1)];
  const [stride, dilation, low] = [
    three(window.stride, 1),
    three(window.dilation, 1),
    three(window.padLow, 0),
  ];
  const at = (values: readonly number[], d: number) => values[d] ?? 1;
  const last = (d: number) =>
    (at(y, d) - 1) * at(stride, d) + (at(extents, d) - 1) * at(dilation, d) - (low[d] ?? 0);
  const image: ImageShape = {
    extents: x,
    low: low.map((p) => Math.max(0, p)),
    high: x.map((extent, d) => Math.max(0, last(d) - (extent - 1))),
    dilation: [1, 1, 1],
    pixel: window.c * dtypeInfo(dtype).bytes,
  };
  const layout = layoutOf(image);
  const strides = rowMajorStrides(extents);
  const taps = Array.from({ length: sizeOf(extents) }, (_, k) =>
    layout.strides.reduce(
      (sum, bytes, d) => sum + (Math.floor(k / at(strides, d)) % at(extents, d)) * at(dilation, d) * bytes,
      0,
    ),
  );
  const start = layout.strides.reduce((sum, bytes, d) => sum + Math.max(0, -(low[d] ?? 0)) * bytes, 0);
  const imageBytes = sizeOf(x) * image.pixel;
  const own = layout.padded ? layout.bytes + 64 : 0;
  return { context, routine, dtype, y, stride, image, layout, taps, start, imageBytes, own };
}

/** A result, and the reduction that it is. */
interface Out extends Walker {
  readonly op: Accumulator['op'];
}

/** y from x: each output folds the points of its window. */
function foldWindows(windows: Windows, kernel: Kernel): StepCode {
  const { routine, dtype, image, layout, imageBytes } = windows;
  const isMax = routine.name === 'windowMax';
  return byImages(windows, (code, params, share) => {
    const found = routine.name === 'windowGather' ? params[1] : undefined;
    const [x = 0] = params;
    const padded = share.own;
    const outs = kernel.outputs.map(
      (output, i): Out => ({
        pointer: params[kernel.inputs.length + i] ?? 0,
        dtype: output.dtype,
        op: (output.kind === 'acc' ? kernel.reductions[output.index]?.op : undefined) ?? 'add',
      }),
    );
    if (layout.padded) fillImage(code, dtype, isMax ? rangeOf[dtype][0] : 0, padded, layout.bytes);
    const first = code.local('i32');
    const positions = found === undefined ? undefined : ({ pointer: found, dtype: 'int32' } as const);
    const others = [...outs, ...(positions ? [positions] : [])];
    eachImage(code, windows, share, x, others, () => {
      if (layout.padded) padImage(code, image, layout, x, padded);
      code
        .get(layout.padded ? padded : x)
        .i32(windows.start)
        .op('i32.add')
        .set(first);
      walkWindows(code, windows, first, others, (spans, source) => {
        for (const span of spans)
          if (isMax) maxOfSpan(code, windows, span, source, outs);
          else sumOfSpan(code, windows, span, source, outs[0] ?? source, positions);
      });
      if (!layout.padded) code.advance(x, imageBytes);
    });
  });
}

/** The greatest elements of windows, or where they are, or both. */
function maxOfSpan(
  code: Code,
  { dtype, taps }: Windows,
  span: Span,
  source: Walker,
  outs: readonly Out[],
): void {
  const { words } = span;
  const all = outs.map(({ op, ...out }) => ({ out, acc: newAccumulator(words, op, dtype) }));
  for (const { acc } of all) resetAccumulator(words, acc);
  const x = code.local(words.lanes === 1 ? scalarType(dtype) : 'v128');
  taps.forEach((tap, k) => {
    loadSpan(span, source, tap);
    code.set(x);
    for (const { acc } of all)
      accumulate(
        words,
        acc,
        () => code.get(x),
        () => number(code, span, 'int32', k),
      );
  });
  for (const { out, acc } of all) {
    const result = resultOf(words, acc);
    storeSpan(span, out, () => code.get(result));
  }
}

/** Sums of windows, or of one point of each. */
function sumOfSpan(
  code: Code,
  { dtype, taps }: Windows,
  span: Span,
  source: Walker,
  out: Walker,
  found: Walker | undefined,
): void {
  const { words } = span;
  const acc: Accumulator = newAccumulator(words, 'add', dtype);
  resetAccumulator(words, acc);
  const position = found && code.local(words.lanes === 1 ? 'i32' : 'v128');
  if (found && position !== undefined) {
    loadSpan(span, found);
    code.set(position);
  }
  taps.forEach((tap, k) => {
    const value = () => {
      loadSpan(span, source, tap);
      if (position !== undefined) keepWhere(code, span, dtype, position, k);
    };
    accumulate(words, acc, value, () => number(code, span, 'int32', k));
  });
  storeSpan(span, out, () => code.get(acc.best));
}

/** x from y: each y is added to the points of its window, or to one of them. */
function scatterWindows(windows: Windows): StepCode {
  const { routine, dtype, image, layout, imageBytes } = windows;
  return byImages(windows, (code, params, share) => {
    const found = routine.name === 'windowGather' ? params[1] : undefined;
    const [y = 0] = params;
    const out = params[found === undefined ? 1 : 2] ?? 0;
    const padded = share.own;
    const walkers = [
      { pointer: y, dtype },
      ...(found === undefined ? [] : [{ pointer: found, dtype: 'int32' as const }]),
    ];
    const first = code.local('i32');
    eachImage(code, windows, share, out, walkers, () => {
      if (!layout.padded) code.get(out).i32(0).i32(imageBytes).fill();
      if (layout.padded) code.get(padded).i32(0).i32(layout.bytes).fill();
      code
        .get(layout.padded ? padded : out)
        .i32(windows.start)
        .op('i32.add')
        .set(first);
      walkWindows(code, windows, first, walkers, (spans, target) => {
        for (const span of spans) scatterSpan(code, windows, span, target, walkers);
      });
      if (layout.padded) copyImageBack(code, image, layout, padded, out);
      else code.advance(out, imageBytes);
    });
  });
}

/** Every image is a task. */
function byImages({ routine, own }: Windows, emit: Part['emit']): StepCode {
  return { scratch: 0, parts: [{ tasks: routine.window.n, together: 1, own, emit }] };
}

/** Runs `body` for each image of a share; pointers start at the first: `image` into x, the others into y. */
function eachImage(
  code: Code,
  { routine, y, imageBytes }: Windows,
  share: Share,
  image: Local,
  others: readonly Walker[],
  body: () => void,
): void {
  const at = code.local('i32');
  const skip = (pointer: Local, bytes: number) =>
    code.get(pointer).get(at).i32(bytes).op('i32.mul').op('i32.add').set(pointer);
  code.get(share.first).set(at);
  skip(image, imageBytes);
  for (const { pointer, dtype } of others)
    skip(pointer, sizeOf(y) * routine.window.c * dtypeInfo(dtype).bytes);
  countTo(code, at, share.end, 1, body);
}

function scatterSpan(
  code: Code,
  { dtype, taps }: Windows,
  span: Span,
  target: Walker,
  walkers: readonly Walker[],
): void {
  const { words } = span;
  const [source, found] = walkers;
  if (!source) return;
  const value = code.local(words.lanes === 1 ? scalarType(dtype) : 'v128');
  loadSpan(span, source);
  code.set(value);
  const position = found && code.local(words.lanes === 1 ? 'i32' : 'v128');
  if (found && position !== undefined) {
    loadSpan(span, found);
    code.set(position);
  }
  for (const [k, tap] of taps.entries()) {
    const sum = () => {
      loadSpan(span, target, tap);
      code.get(value);
      if (position !== undefined) keepWhere(code, span, dtype, position, k);
      (words.lanes === 1 ? scalarBinary : vectorBinary)(words, dtype, 'add');
    };
    storeSpan(span, target, sum, tap);
  }
}

/** x -> x where `position` is `k`, 0 elsewhere */
function keepWhere(code: Code, span: Span, dtype: DType, position: Local, k: number): void {
  number(code, span, dtype, 0);
  code.get(position);
  number(code, span, 'int32', k);
  if (span.words.lanes === 1) {
    scalarCompare(code, 'int32', 'eq');
    code.op('select');
  } else {
    vectorCompare(span.words, 'int32', 'eq');
    vectorSelect(span.words, dtype);
  }
}

function number(code: Code, { words }: Span, dtype: DType, value: number): void {
  (words.lanes === 1 ? scalarConst : vectorConst)(code, dtype, value);
}

/**
 * Visits all windows of one image, run of channels by run of channels: `inImage` walks over their first points, the
 * `others`, which are dense in y, over y.
 */
function walkWindows(
  code: Code,
  { context, dtype, routine, y, stride, layout }: Windows,
  inImage: Local,
  others: readonly Walker[],
  visit: (spans: readonly Span[], inImage: Walker) => void,
): void {
  const walker = { pointer: inImage, dtype };
  const { c } = routine.window;
  const [depth = 1, height = 1, width = 1] = y;
  const step = (d: number) => (stride[d] ?? 1) * (layout.strides[d] ?? 0);
  code.repeat(depth, () => {
    code.repeat(height, () => {
      code.repeat(width, () => {
        visitRun(code, context.functions, c, [walker, ...others], MOST_VECTORS, (spans) =>
          visit(spans, walker),
        );
        code.advance(inImage, step(2));
        for (const other of others) code.advance(other.pointer, c * dtypeInfo(other.dtype).bytes);
      });
      code.advance(inImage, step(1) - width * step(2));
    });
    code.advance(inImage, step(0) - height * step(1));
  });
}
