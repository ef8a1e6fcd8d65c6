import { checkKernel, showKernel, type TypedArray } from '@neumann/core/backend';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cpu } from '../src/index.ts';
import { runKernel, runReference } from './kernels.ts';
import { randomSample } from './random-kernel.ts';

const backend = await cpu();

/** The largest error in units of what rounding may do to a sum of some hundred numbers of the result's size. */
function worstError(actual: TypedArray, expected: TypedArray): number {
  const epsilon = actual instanceof Float32Array ? 2 ** -23 : actual instanceof Float64Array ? 2 ** -52 : 0;
  const scale = Math.max(1, ...Array.from(expected, (x) => (Number.isFinite(x) ? Math.abs(x) : 0)));
  let worst = actual.length === expected.length ? 0 : Infinity;
  for (const [i, want] of expected.entries()) {
    const got = actual[i] ?? NaN;
    if (Object.is(got, want) || got === want) continue;
    worst = Math.max(worst, epsilon === 0 ? Infinity : Math.abs(got - want) / (scale * epsilon) || Infinity);
  }
  return worst;
}

test('any kernel computes what the reference does', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 31 - 1 }), (seed) => {
      const { kernel, inputs } = randomSample(seed);
      checkKernel(kernel);
      const expected = runReference(kernel, inputs);
      const actual = runKernel(backend, kernel, inputs);
      for (const [i, want] of expected.entries())
        expect(worstError(actual[i] as TypedArray, want), `output ${i} of ${showKernel(kernel)}`).toBeLessThan(200);
    }),
    { numRuns: Number(process.env['CPU_FUZZ'] ?? 400) },
  );
});
