/** Small tools for tests that hand kernels to a backend. */
import {
  type Backend,
  coord,
  type DType,
  dtypeInfo,
  type Expr,
  interpret,
  type Kernel,
  load,
  type Plan,
  rangeOf,
  type Shape,
  sizeOf,
  type TypedArray,
} from '@neumann/core/backend';

/** A plan of one step. */
export function planOf(kernel: Kernel): Plan {
  const inputs = kernel.inputs.map((_, i) => i);
  const outputs = kernel.outputs.map((_, i) => inputs.length + i);
  const size = sizeOf(kernel.axes);
  return {
    slots: [
      ...kernel.inputs.map(({ dtype, shape }, index) => ({
        dtype,
        size: sizeOf(shape),
        place: { kind: 'input', index } as const,
      })),
      ...kernel.outputs.map(({ dtype }) => ({ dtype, size, place: { kind: 'output' } as const })),
    ],
    steps: [{ kind: 'kernel', kernel, inputs, outputs }],
    inputs,
    outputs,
    arenaBytes: 0,
  };
}

/** Runs one kernel on host arrays. */
export function runKernel(backend: Backend, kernel: Kernel, inputs: readonly TypedArray[]): TypedArray[] {
  const buffers = inputs.map((values, i) => backend.upload(kernel.inputs[i]?.dtype ?? 'float32', values));
  return backend
    .compile(planOf(kernel))
    .run(buffers)
    .map((buffer) => backend.downloadSync(buffer));
}

export const runReference = (kernel: Kernel, inputs: readonly TypedArray[]): TypedArray[] =>
  interpret(kernel, inputs);

/** An elementwise kernel of inputs of the shape of its outputs. */
export function elementwise(
  shape: Shape,
  dtypes: readonly DType[],
  outputs: (...x: Expr[]) => readonly Expr[],
): Kernel {
  const index = shape.map((_, axis) => coord(axis));
  return {
    name: 'elementwise',
    inputs: dtypes.map((dtype) => ({ shape, dtype })),
    axes: shape,
    reduceAxes: [],
    reductions: [],
    outputs: outputs(...dtypes.map((dtype, i) => load(i, dtype, index))),
  };
}

/** A small deterministic source of numbers. */
export function randomSource(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

const edges = [
  0,
  -0,
  1,
  -1,
  0.5,
  -2.5,
  1.5,
  NaN,
  Infinity,
  -Infinity,
  1e-40,
  -1e-45,
  3e38,
  1e9,
  -3e9,
  255,
  256,
  2 ** 31,
  -(2 ** 31),
  31,
  32,
  33,
];

/** Ordinary numbers of a dtype, mixed with edge values. */
export function valuesOf(dtype: DType, size: number, random: () => number, edgeShare = 0.3): TypedArray {
  const [low, high] = rangeOf[dtype];
  return new (dtypeInfo(dtype).array)(
    Array.from({ length: size }, () => {
      if (dtype === 'bool') return random() < 0.5 ? 0 : 1;
      if (random() >= edgeShare)
        return dtype.startsWith('float')
          ? (random() - 0.5) * 8
          : Math.floor((random() - (low < 0 ? 0.5 : 0)) * 20);
      const edge = edges[Math.floor(random() * edges.length)] ?? 0;
      return dtype.startsWith('float')
        ? edge
        : Math.trunc(Math.min(high, Math.max(low, Number.isNaN(edge) ? 7 : edge)));
    }),
  );
}

/** The largest distance between two arrays, in units in the last place of the expected value; NaN matches NaN only. */
export function worstUlps(actual: TypedArray, expected: TypedArray): number {
  const epsilon = actual instanceof Float32Array ? 2 ** -23 : actual instanceof Float64Array ? 2 ** -52 : 0;
  const tiny = actual instanceof Float32Array ? 2 ** -149 : 2 ** -1074;
  let worst = actual.length === expected.length ? 0 : Infinity;
  for (const [i, want] of expected.entries()) {
    const got = actual[i] ?? NaN;
    if (Object.is(got, want) || (got === want && want !== 0)) continue;
    if (Number.isNaN(got) || Number.isNaN(want) || epsilon === 0 || got === want) return Infinity; // -0 is not 0
    worst = Math.max(worst, Math.abs(got - want) / Math.max(Math.abs(want) * epsilon, tiny));
  }
  return worst;
}
