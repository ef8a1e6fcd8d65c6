/** Values so large that devices hold and compute four elements at once, of sizes that are multiples of 4 and that are not. */
import { gpu } from '@neumann/backend-gpu';
import {
  abs,
  add,
  arange,
  argmax,
  concatenate,
  exp,
  flip,
  floorDivide,
  greater,
  jit,
  maximum,
  minimum,
  multiply,
  pad,
  random,
  remainder,
  reshape,
  setBackend,
  slice,
  sum,
  type Tensor,
  tanh,
  tensor,
  transpose,
  where,
} from '@neumann/core';
import { type Backend, reference } from '@neumann/core/backend';
import { describe, expect, test } from 'vitest';
import { mode } from './mode.ts';

const backend = await gpu({ mode });

/** Of two matrices of one shape, a row and a column. */
type Example = (x: Tensor, y: Tensor, row: Tensor, column: Tensor) => Tensor;

const examples: Readonly<Record<string, Example>> = {
  'what is read at the point itself': (x, y) => maximum(add(multiply(x, y), x), 0),
  'the greater': (x, y) => maximum(x, y),
  'the smaller': (x, y) => minimum(minimum(x, y), 0),
  'infinities and NaN': (x, y) => where(greater(x, y), Infinity, where(greater(x, 0), NaN, -0)),
  'a row and a column': (x, _, row, column) => add(multiply(x, row), column),
  'another order': (x) => transpose(x),
  'the same order, backwards': (x) => flip(x),
  'one array at two places': (x) => add(x, flip(x)),
  parts: (x) =>
    slice(x, [
      [1, null],
      [2, null],
    ]),
  'more than there is': (x) =>
    pad(x, [
      [1, 2],
      [3, 0],
    ]),
  'one after the other': (x, y) => concatenate([x, y], { axis: 1 }),
  functions: (x) => add(exp(x), tanh(x)),
  'short folds': (x) => abs(sum(pairs(x), { axis: 1 })), // compilers may start a sum of -0 at -0
  positions: (x) => argmax(pairs(x), { axis: 1 }),
  'quotients and rests': (x) => {
    const n = add(arange(x.size), -Math.floor(x.size / 2));
    return add(multiply(floorDivide(n, 7), 100), remainder(n, 12));
  },
  'random bits': (x) => random.uniform(random.key(3), [x.size]),
};

const pairs = (x: Tensor): Tensor => reshape(slice(reshape(x, [x.size]), [[0, 8192]]), [4096, 2]);

describe.each([
  [64, 128],
  [67, 129],
  [33, 1030],
])('of %i × %i', (m, n) => {
  test.each(Object.entries(examples))('%s', async (_, f) => {
    const run = async (on: Backend): Promise<ArrayLike<number>> => {
      setBackend(on);
      return await jit(f)(noise([m, n], 1), noise([m, n], 2), noise([n], 3), noise([m, 1], 4)).data();
    };
    const [want, got] = [await run(reference()), await run(backend)];
    expect(got).toHaveLength(want.length);
    for (let i = 0; i < want.length; i++) {
      const [a, b] = [got[i] as number, want[i] as number];
      if (!Object.is(a, b) && !(Math.abs(a - b) <= 1e-6 * Math.max(1, Math.abs(b))))
        expect.fail(`element ${i} is ${a}, not ${b}`);
      if (a === 0 && !Object.is(a, b)) expect.fail(`element ${i} is ${a}, not ${b}: the sign`);
    }
  });
});

/** Pseudorandom numbers in [-1, 1), among them some that are none. */
function noise(shape: readonly number[], seed: number): Tensor {
  let state = seed;
  const special = [NaN, -0, 0, Infinity, -Infinity];
  const size = shape.reduce((product, extent) => product * extent, 1);
  const values = Float32Array.from({ length: size }, (_, i) => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return i % 61 < 5 && seed < 3 ? (special[((state >>> 8) + i) % 5] as number) : state / 2 ** 31;
  });
  return reshape(tensor(values), [...shape]);
}
