/** What every optimizer of the table promises. */
import {
  add,
  astype,
  grad,
  jit,
  multiply,
  stack,
  sum,
  type Tensor,
  tensor,
  treeLeaves,
  treeMap,
  treeStructure,
  valueAndGrad,
  vmap,
} from '@neumann/core';
import { describe, expect, test } from 'vitest';
import {
  applyUpdates,
  constantSchedule,
  type GradientTransformation,
  injectHyperparams,
  multiSteps,
} from '../src/index.ts';
import { type OptimizerRow, optimizers, type Rate } from './optimizers.ts';
import { problems } from './problems.ts';
import { expectClose } from './support.ts';

type Tree = object;
type Loss = (params: Tree) => Tensor;
type Tx = GradientTransformation<Tree> & { readonly evalParams?: (state: Tree, params: Tree) => Tree };

/** A training step, with all that an optimizer may ask for. */
const stepOf = (tx: Tx, loss: Loss) => (params: Tree, state: Tree) => {
  const [value, gradient] = valueAndGrad(loss)(params);
  const extra = { value, grad: gradient, valueFn: loss, gradFn: grad(loss) };
  const [updates, next] = tx.update(gradient, state, params, extra);
  return [applyUpdates(params, updates), next] as const;
};

function train(tx: Tx, loss: Loss, init: Tree, steps: number, compiled = false) {
  const eager = stepOf(tx, loss);
  const jitted = jit(eager, { donate: [0, 1] });
  const step = compiled ? (jitted as unknown as typeof eager) : eager;
  let params: Tree = treeMap((x) => add(x, 0), init); // a copy, to be given away
  let state = tx.init(params);
  for (let i = 0; i < steps; i++) [params, state] = step(params, state);
  return { params, state, compilations: jitted.stats.compilations };
}

const txOf = (row: OptimizerRow, rate: Rate = row.rate ?? 1): Tx => row.make(rate);
const avals = (tree: Tree): string[] =>
  treeLeaves(tree).map((x) => String((x as Tensor).aval.shape) + (x as Tensor).dtype);
const mixedDTypes = {
  a: tensor(
    [
      [0.5, -1],
      [2, 0.3],
    ],
    'float32',
  ),
  b: [tensor(0.7, 'float64'), tensor([1, 2])],
};
const smooth: Loss = (p) =>
  treeLeaves(treeMap((x) => astype(multiply(0.5, multiply(x, x)), 'float64'), p)).reduce<Tensor>(
    (total, x) => add(total, sum(x as Tensor)),
    tensor(0, 'float64'),
  );
const problem = problems[2] as unknown as { init: Tree; loss: Loss };

describe.each(optimizers)('$name', (row) => {
  test.each(problems)(
    'finds the minimum of $name, compiled once, with all it is given donated',
    ({ init, loss }) => {
      const tx = txOf(row);
      const { params, state, compilations } = train(tx, loss as Loss, init, row.steps ?? 300, true);
      const result = tx.evalParams ? tx.evalParams(state, params) : params;
      expect((loss as Loss)(result).item()).toBeLessThan(0.05 * (loss as Loss)(init).item());
      expect(compilations).toBe(1); // so the state keeps its structure, shapes and dtypes
      expect(avals(params)).toEqual(avals(init));
    },
  );

  test('gives the same jitted and not, in mixed dtypes, which it keeps', () => {
    const tx = txOf(row);
    const [slow, fast] = [train(tx, smooth, mixedDTypes, 4), train(tx, smooth, mixedDTypes, 4, true)];
    expect(avals(slow.params)).toEqual(avals(mixedDTypes));
    expect(avals(slow.state)).toEqual(avals(tx.init(mixedDTypes)));
    expectClose(fast.params, slow.params, 1e-5); // float32 leaves
    const gradient = grad(smooth)(mixedDTypes);
    const extra = { value: smooth(mixedDTypes), grad: gradient, valueFn: smooth, gradFn: grad(smooth) };
    expect(avals(tx.update(gradient, tx.init(mixedDTypes), mixedDTypes, extra)[0])).toEqual(
      avals(mixedDTypes),
    );
  });

  test('two equal gradients are one step under multiSteps', () => {
    const once = train(txOf(row), problem.loss, problem.init, 1);
    const twice = train(multiSteps(txOf(row), { every: 2 }) as Tx, problem.loss, problem.init, 2, true);
    expectClose(twice.params, once.params, 1e-12);
  });

  test('takes the empty tree', () => {
    const tx = txOf(row);
    const extra = { value: tensor(0), grad: {}, valueFn: () => tensor(0), gradFn: () => ({}) };
    const [updates, next] = tx.update({}, tx.init({}), {}, extra);
    expect(updates).toEqual({});
    expect(treeStructure(next)).toEqual(treeStructure(tx.init({})));
  });

  test('is batched over what starts it', () => {
    const one = (init: Tensor): Tree => train(txOf(row), problem.loss, { w: init }, 3).params;
    const start = (problem.init as { w: Tensor }).w;
    const starts = [start, multiply(0.5, start)];
    expectClose(vmap(one)(stack(starts)), starts.map(one), 1e-10);
  });

  if (row.rate === null) return;
  const rate = row.rate;

  test('takes its rate from the state under injectHyperparams, and is batched over rates', () => {
    const injected = injectHyperparams(({ learningRate }: { learningRate: Rate }) => txOf(row, learningRate));
    const plain = train(txOf(row), problem.loss, problem.init, 3).params;
    for (const learningRate of [rate, constantSchedule(rate)])
      expectClose(train(injected({ learningRate }), problem.loss, problem.init, 3).params, plain, 1e-12);
    const trained = (learningRate: Tensor): Tree =>
      train(txOf(row, learningRate), problem.loss, problem.init, 3).params;
    const rates = [rate, rate / 2];
    expectClose(
      vmap(trained)(tensor(rates, 'float64')),
      rates.map((r) => trained(tensor(r, 'float64'))),
      1e-10,
    );
  });

  test('refuses negative rates and NaN', () => {
    expect(() => row.make(-0.1)).toThrow(/learningRate must be .* but is -0\.1\./);
    expect(() => row.make(Number.NaN)).toThrow(/learningRate must be .* but is NaN\./);
  });

  test('refuses integer parameters, and gradients of another form, by their path', () => {
    const tx = txOf(row);
    const state = tx.init(mixedDTypes);
    const extra = { value: tensor(0), grad: {}, valueFn: smooth, gradFn: grad(smooth) };
    const apply = (gradient: Tree) =>
      applyUpdates(mixedDTypes, tx.update(gradient, state, mixedDTypes, extra)[0]);
    expect(() => apply({ ...mixedDTypes, a: tensor([1, 2]) })).toThrow(/ at a /);
    expect(() => apply({ a: mixedDTypes.a })).toThrow(/keys \{a\}/);
    if (treeLeaves(state).length > 0)
      expect(() => tx.init({ layer: { n: tensor([1], 'int32') } })).toThrow(
        /parameters are floats, but layer\.n is int32/,
      );
  });
});
