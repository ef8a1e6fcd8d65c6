import { describe, expect, test } from 'vitest';
import { difference, type ErrorModel, type HostTensor, ulp } from '../src/index.ts';

const f32 = (...values: number[]): HostTensor => ({
  dtype: 'float32',
  shape: [values.length],
  values: Float32Array.from(values),
});
const i32 = (...values: number[]): HostTensor => ({
  dtype: 'int32',
  shape: [values.length],
  values: Int32Array.from(values),
});
const close = (x: HostTensor, y: HostTensor, model: ErrorModel): boolean =>
  difference([x], [y], model) === undefined;

describe('difference', () => {
  test('exact tells -0 from 0, and takes NaN for NaN', () => {
    expect(close(f32(0, Number.NaN), f32(0, Number.NaN), 'exact')).toBe(true);
    expect(close(f32(-0), f32(0), 'exact')).toBe(false);
    expect(difference([f32(1, 2)], [f32(1, 3)], 'exact')).toBe(
      'result 0, element 1: 2 instead of 3\n  got  f32[2] [1, 2]\n  want f32[2] [1, 3]',
    );
  });

  test('ulps count places of the number itself, and keep the sign of zero', () => {
    const next = 1 + 2 ** -23;
    expect(close(f32(next), f32(1), { ulps: 1 })).toBe(true);
    expect(close(f32(next), f32(1), { ulps: 0.5 })).toBe(false);
    expect(close(f32(2 ** -149), f32(0), { ulps: 1 })).toBe(true);
    expect(close(f32(-0), f32(0), { ulps: 4 })).toBe(false);
    expect(close(f32(Infinity), f32(3.4028234663852886e38), { ulps: 1 })).toBe(true);
    expect(close(f32(Infinity), f32(1e38), { ulps: 1 })).toBe(false);
    expect(close(f32(Number.NaN), f32(1), { ulps: 1e9 })).toBe(false);
  });

  test('integers are exact under every model', () => {
    expect(close(i32(1), i32(2), { ulps: 100 })).toBe(false);
    expect(close(i32(1), i32(2), { units: 1e9 })).toBe(false);
  });

  test('shapes, dtypes and the number of results count', () => {
    expect(difference([], [f32(1)], 'exact')).toBe('0 results instead of 1');
    expect(difference([i32(1)], [f32(1)], 'exact')).toBe('result 0 is i32[1] instead of f32[1]');
  });

  test('a sum may be off by its absolute terms', () => {
    const scale = { of: [f32(1e8)], terms: 3 };
    expect(difference([f32(0)], [f32(8)], 'sum', scale)).toBeUndefined();
    expect(difference([f32(0)], [f32(100)], 'sum', scale)).toContain('0 instead of 100');
  });
});

test('ulp is the distance to the next number', () => {
  expect(ulp(1, 'float32')).toBe(2 ** -23);
  expect(ulp(-3, 'float64')).toBe(2 ** -51);
  expect(ulp(0, 'float32')).toBe(2 ** -149);
});
