import { random, type Tensor } from '@neumann/core';
import { type Initializer, initializers } from '@neumann/nn';
import { expect, test } from 'vitest';

const shape = [3, 3, 40, 60]; // 21,600 numbers; fanIn 360, fanOut 540
const draw = (f: Initializer): Float32Array => f(random.key(7), shape, 'float32').dataSync() as Float32Array;

/** Mean and variance. */
function moments(x: Float32Array): [number, number] {
  const mean = x.reduce((total, v) => total + v, 0) / x.length;
  return [mean, x.reduce((total, v) => total + (v - mean) ** 2, 0) / x.length];
}

test.each([
  ['heNormal', 2 / 360],
  ['heUniform', 2 / 360],
  ['glorotNormal', 2 / 900],
  ['glorotUniform', 2 / 900],
  ['lecunNormal', 1 / 360],
  ['lecunUniform', 1 / 360],
] as const)('%s has mean 0 and variance %d', (name, variance) => {
  const [mean, v] = moments(draw(initializers[name]));
  // Standard errors: of the mean sqrt(variance / n), of the variance below variance * sqrt(2 / n); 5 of each.
  expect(Math.abs(mean)).toBeLessThan(5 * Math.sqrt(variance / 21_600));
  expect(Math.abs(v / variance - 1)).toBeLessThan(5 * Math.sqrt(2 / 21_600));
});

test('truncated normals end at two standard deviations of the normal that was cut', () => {
  const most = Math.max(...draw(initializers.lecunNormal).map(Math.abs));
  const cut = 2 * (Math.sqrt(1 / 360) / 0.8796256610342398);
  expect(most).toBeLessThanOrEqual(Math.fround(cut * (1 + 2 ** -22)));
  expect(most).toBeGreaterThan(0.98 * cut);
});

test('uniform numbers end at sqrt(3 variance), on both sides', () => {
  const x = draw(initializers.glorotUniform);
  const bound = Math.sqrt((3 * 2) / 900);
  expect(Math.max(...x)).toBeGreaterThan(0.999 * bound);
  expect(Math.min(...x)).toBeLessThan(-0.999 * bound);
  expect(Math.max(...x.map(Math.abs))).toBeLessThanOrEqual(Math.fround(bound * (1 + 2 ** -22)));
});

test('normal, constant and zeros are what they say', () => {
  const [mean, variance] = moments(draw(initializers.normal({ stddev: 0.5 })));
  expect(Math.abs(mean)).toBeLessThan(5 * Math.sqrt(0.25 / 21_600));
  expect(Math.abs(variance / 0.25 - 1)).toBeLessThan(5 * Math.sqrt(2 / 21_600));
  expect(new Set(draw(initializers.constant(0.25)))).toEqual(new Set([0.25]));
  expect(new Set(draw(initializers.zeros))).toEqual(new Set([0]));
});

test('initializers draw float64 where it is asked for', () => {
  const x: Tensor = initializers.heNormal(random.key(0), [4, 4], 'float64');
  expect(x.dtype).toBe('float64');
  expect(x.dataSync().some((v) => v !== Math.fround(v))).toBe(true);
});

test('shapes without fans and bad scales are refused', () => {
  expect(() => initializers.heNormal(random.key(0), [4], 'float32')).toThrow(
    'initializers: [4] has no fans, which need the axes [..., inputs, outputs]; use zeros or normal.',
  );
  expect(() => initializers.varianceScaling({ scale: 0, mode: 'fanIn', distribution: 'normal' })).toThrow(
    'varianceScaling: scale must be positive, but is 0.',
  );
});
