/** Convolutions too large for the reference backend, by their definition. */
import { type Backend, type ConvGeometry, type Kernel, sizeOf, type TypedArray } from '@neumann/core/backend';
import { expect } from 'vitest';
import { runKernel } from './kernels.ts';
import { convKernel } from './routine-kernels.ts';

/** Small whole numbers, of which sums of products are exact. */
export function inputsOf({ inputs }: Kernel): Float32Array[] {
  return inputs.map(({ shape }, operand) => {
    const values = new Float32Array(sizeOf(shape));
    for (let i = 0, state = operand + 1; i < values.length; i++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
      values[i] = ((state >>> 24) % 5) - 2;
    }
    return values;
  });
}

/** The convolution of two-dimensional images by its definition, in as many loops as it has indices. */
function byDefinition(
  target: 'x' | 'w' | 'y',
  conv: ConvGeometry,
  given: readonly Float32Array[],
): Float32Array {
  const { n, c, f, groups } = conv;
  const [[h = 1, w = 1], [oh = 1, ow = 1], [kh = 1, kw = 1]] = [conv.x, conv.y, conv.kernel];
  const sizes = { x: n * h * w * c, w: (kh * kw * c * f) / groups, y: n * oh * ow * f };
  const operands = (['x', 'w', 'y'] as const).filter((name) => name !== target);
  const arrays = { [target]: new Float32Array(sizes[target]) } as Record<'x' | 'w' | 'y', Float32Array>;
  for (const [i, name] of operands.entries()) arrays[name] = given[i] ?? new Float32Array();
  const { x, w: weights, y } = arrays;
  const at = (d: number, out: number, tap: number) => {
    const position = out * (conv.stride[d] ?? 1) + tap * (conv.dilateW[d] ?? 1) - (conv.padLow[d] ?? 0);
    const place = position / (conv.dilateX[d] ?? 1);
    return Number.isInteger(place) && place >= 0 && place < (conv.x[d] ?? 1) ? place : -1;
  };
  const perGroup = c / groups;
  for (let tap = 0; tap < kh * kw; tap++)
    for (let out = 0; out < oh * ow; out++) {
      const row = at(0, Math.floor(out / ow), Math.floor(tap / kw));
      const column = at(1, out % ow, tap % kw);
      if (row < 0 || column < 0) continue;
      for (let image = 0; image < n; image++)
        for (let i = 0; i < c; i++) {
          const xAt = ((image * h + row) * w + column) * c + i;
          const first = Math.floor(i / perGroup) * (f / groups);
          for (let o = first; o < first + f / groups; o++) {
            const wAt = (tap * perGroup + (i % perGroup)) * f + o;
            const yAt = (image * oh * ow + out) * f + o;
            if (target === 'y') y[yAt] = (y[yAt] ?? 0) + (x[xAt] ?? 0) * (weights[wAt] ?? 0);
            else if (target === 'x') x[xAt] = (x[xAt] ?? 0) + (y[yAt] ?? 0) * (weights[wAt] ?? 0);
            else weights[wAt] = (weights[wAt] ?? 0) + (x[xAt] ?? 0) * (y[yAt] ?? 0);
          }
        }
    }
  return arrays[target];
}

export type Sizes = Pick<ConvGeometry, 'n' | 'c' | 'f' | 'x' | 'y' | 'kernel'> & Partial<ConvGeometry>;

export function geometryOf(sizes: Sizes): ConvGeometry {
  const ones = [1, 1];
  return { groups: 1, stride: ones, dilateX: ones, dilateW: ones, padLow: [0, 0], ...sizes };
}

/** Backends give the very numbers of the definition. */
export function expectByDefinition(
  backends: readonly Backend[],
  target: 'x' | 'w' | 'y',
  sizes: Sizes,
): void {
  const geometry = geometryOf(sizes);
  const kernel = convKernel(target, geometry);
  const inputs = inputsOf(kernel);
  const expected = byDefinition(target, geometry, inputs);
  for (const backend of backends) {
    const [result] = runKernel(backend, kernel, inputs);
    expect(result).toHaveLength(expected.length);
    expect(expected.findIndex((value, i) => !Object.is(value, result?.[i]))).toBe(-1);
  }
}

/** The greatest difference, relative to the greatest magnitude. */
export function relativeError(actual: TypedArray, expected: TypedArray): number {
  let [error, most] = [0, 0];
  for (const [i, want] of expected.entries()) {
    error = Math.max(error, Number.isNaN(actual[i]) ? Infinity : Math.abs((actual[i] ?? 0) - want));
    most = Math.max(most, Math.abs(want));
  }
  return error / most;
}
