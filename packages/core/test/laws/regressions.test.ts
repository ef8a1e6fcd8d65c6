/** What random programs and laws have found, each as its smallest example. */
import { describe, expect, test } from 'vitest';
import { add, concatenate, grad, jit, multiply, ones, reference, setBackend, slice, sum, type Tensor, tensor } from '../../src/index.ts';

setBackend(reference());

describe('regressions', () => {
  test('a guarded read of a value keeps its guard when the kernel joins the one that makes the value', () => {
    const weights = ones([2, 3, 1]);
    const f = (x: Tensor): Tensor => sum(multiply(weights, add(x, slice(concatenate([x, x, x]), [[0, 1]]))));
    const x = tensor([0.5]);
    expect(grad(f)(x).toArray()).toEqual([12]);
    expect(jit(grad(f))(x).toArray()).toEqual([12]);
  });
});
