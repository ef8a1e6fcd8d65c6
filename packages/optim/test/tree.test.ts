import { random, tensor, zeros } from '@neumann/core';
import { expect, test } from 'vitest';
import { adam, chain, ema, sgd, tree } from '../src/index.ts';
import { elements } from './support.ts';

const a = { x: tensor([1, -2], 'float64'), y: [tensor(3, 'float64')] };
const b = { x: tensor([4, 5], 'float64'), y: [tensor(6, 'float64')] };
const number = (x: { item(): number }) => x.item();

test('arithmetic is leaf by leaf', () => {
  expect(elements(tree.add(a, b))).toEqual([5, 3, 9]);
  expect(elements(tree.sub(a, b))).toEqual([-3, -7, -3]);
  expect(elements(tree.mul(a, b))).toEqual([4, -10, 18]);
  expect(elements(tree.div(b, a))).toEqual([4, -2.5, 2]);
  expect(elements(tree.scale(2, a))).toEqual([2, -4, 6]);
  expect(elements(tree.addScale(a, 10, b))).toEqual([41, 48, 63]);
  expect(elements(tree.clip(a, { min: 0, max: 2 }))).toEqual([1, 0, 2]);
  expect(elements(tree.where(tensor(false), a, b))).toEqual([4, 5, 6]);
  expect(elements([tree.zerosLike(a), tree.onesLike(a), tree.fullLike(a, 7)])).toEqual([
    0, 0, 0, 1, 1, 1, 7, 7, 7,
  ]);
});

test('reductions are over all leaves', () => {
  expect([tree.vdot(a, b), tree.sum(a), tree.max(a), tree.min(a)].map(number)).toEqual([12, 2, 3, -2]);
  expect(tree.size(a)).toBe(3);
  expect(number(tree.norm(a))).toBeCloseTo(Math.sqrt(14), 12);
  expect(number(tree.norm(a, { squared: true }))).toBeCloseTo(14, 12);
  expect([tree.norm(a, { ord: 1 }), tree.norm(a, { ord: Infinity })].map(number)).toEqual([6, 3]);
  expect([tree.sum({}), tree.max({}), tree.norm({}, { ord: Infinity })].map(number)).toEqual([
    0,
    -Infinity,
    0,
  ]);
  expect([tree.allclose(a, a), tree.allclose(a, b)].map(number)).toEqual([1, 0]);
  expect([tree.dtype(a), tree.dtype(tree.cast(a, 'float32'))]).toEqual(['float64', 'float32']);
});

test('random trees have a key for each leaf', () => {
  const drawn = tree.randomLike(random.key(1), { p: zeros([2]), q: zeros([2]) });
  expect(elements(drawn.p)).not.toEqual(elements(drawn.q));
  expect(elements(tree.splitKeyLike(random.key(1), {}))).toEqual([]);
});

test('values are found and set by name in nested states', () => {
  const params = { w: tensor([1, 2]) };
  const tx = chain(adam({ learningRate: 0.1 }), ema({ decay: 0.5 }));
  const state = tx.init(params);
  expect(tree.getAllWithPath(state, 'count').map(([path]) => path)).toEqual([
    '[0][0].count',
    '[0][1].count',
    '[1].count',
  ]);
  expect(tree.get(state, 'nu')).toBe(state[0][0].nu);
  const changed = tree.set(state, { nu: { w: tensor([5, 5]) } });
  expect([elements(changed[0][0].nu), elements(state[0][0].nu)]).toEqual([
    [5, 5],
    [0, 0],
  ]);
  const moved = tree.mapParams((x, p) => tree.add(x, p), params, state);
  expect(elements([moved[0][0].mu, moved[1].ema, moved[0][0].count])).toEqual([1, 2, 1, 2, 0]);
});

test('messages', () => {
  const state = adam({ learningRate: 0.1 }).init(zeros([2]));
  expect(() => tree.get(state, 'velocity')).toThrow('tree.get: nothing in the state is called "velocity".');
  expect(() => tree.get(state, 'count')).toThrow(
    'tree.get: "count" is at [0].count, [1].count; use getAllWithPath()',
  );
  expect(() => tree.set(state, { nu: zeros([3]) })).toThrow(
    'tree.set: the state at [0].nu and the new value must have the same shapes, but at (root) the state at [0].nu has [2] and the new value has [3].',
  );
  expect(() => tree.set(sgd({ learningRate: 1 }).init(zeros([])), { nu: zeros([]) })).toThrow(
    'tree.set: nothing in the state is called "nu".',
  );
  expect(() => tree.add(a, { x: b.x })).toThrow('tree.add: a and b must have the same structure');
  expect(() => tree.dtype({ p: a, q: zeros([]) })).toThrow(
    'tree.dtype: leaves must have one dtype, but have float64, float32.',
  );
  expect(() => tree.norm(a, { ord: 3 })).toThrow('tree.norm: ord must be 1, 2 or Infinity, but is 3.');
});
