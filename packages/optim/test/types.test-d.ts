import { grad, jit, type Tensor, type Tensors } from '@neumann/core';
import { expectTypeOf, test } from 'vitest';
import {
  adam,
  applyUpdates,
  chain,
  clipByGlobalNorm,
  type EmaState,
  ema,
  type GradientTransformation,
  type InjectHyperparamsState,
  injectHyperparams,
  type MultiStepsState,
  masked,
  multiSteps,
  type NeumannState,
  namedChain,
  neumann,
  neumannEvalParams,
  neumannInit,
  neumannStep,
  type PartitionState,
  partition,
  type ScaleByAdamState,
  type ScaleByScheduleState,
  scaleByAdam,
  scaleByLearningRate,
} from '../src/index.ts';

interface Params {
  readonly w: Tensor;
  readonly layers: readonly { readonly b: Tensor }[];
}

declare const params: Params;
declare const loss: (p: Params, x: Tensor) => Tensor;
declare const x: Tensor;

test('chain infers the tuple of states', () => {
  const tx = chain(clipByGlobalNorm(1), scaleByAdam(), scaleByLearningRate(0.1));
  expectTypeOf(tx).toEqualTypeOf<GradientTransformation<[null, ScaleByAdamState, ScaleByScheduleState]>>();
});

test('updates and parameters keep the type of their tree', () => {
  const tx = adam({ learningRate: 0.1 });
  const state = tx.init(params);
  const [updates, next] = tx.update(grad(loss)(params, x), state, params);
  expectTypeOf(next).toEqualTypeOf(state);
  expectTypeOf(applyUpdates(params, updates)).toExtend<Params>();
});

test('a jitted training step takes what it gives', () => {
  const tx = neumann({ learningRate: 0.1, burnInSteps: 1, resetSteps: 1 });
  const step = jit((p: Params, s: ReturnType<typeof tx.init>, batch: Tensor) => {
    const [updates, next] = tx.update(grad(loss)(p, batch), s, p);
    return [applyUpdates(p, updates), next] as const;
  });
  let [p, s] = step(params, tx.init(params), x);
  [p, s] = step(p, s, x);
  expectTypeOf(tx.evalParams(s, p)).toExtend<Params>();
});

test('the optimizer with state keeps the type of the parameters', () => {
  let state: NeumannState<Params> = neumannInit(params, { learningRate: 0.1, burnInSteps: 1, resetSteps: 1 });
  state = neumannStep(state, grad(loss)(state.params, x));
  const step = jit((s: NeumannState<Params>) => neumannStep(s, grad(loss)(s.params, x)), { donate: [0] });
  state = step(state);
  expectTypeOf(neumannEvalParams(state)).toEqualTypeOf<Params>();
  expectTypeOf(state.params).toExtend<Tensors<Params>>();
});

test('options that need each other', () => {
  neumannInit(params, { learningRate: 0.1, burnInSteps: 1, resetInterval: 'never' });
  // @ts-expect-error resetSteps is missing
  neumannInit(params, { learningRate: 0.1, burnInSteps: 1 });
  // @ts-expect-error there is no such option
  neumannInit(params, { learningRate: 0.1, burnInSteps: 1, resetSteps: 1, momentum: 0.9 });
});

test('wrappers keep the types of the states within', () => {
  const inner = scaleByAdam();
  expectTypeOf(masked(inner, true)).toEqualTypeOf<GradientTransformation<ScaleByAdamState>>();
  expectTypeOf(multiSteps(inner, { every: 2 })).toEqualTypeOf<
    GradientTransformation<MultiStepsState<ScaleByAdamState>>
  >();
  expectTypeOf(namedChain({ adam: inner, average: ema({ decay: 0.9 }) })).toEqualTypeOf<
    GradientTransformation<{ adam: ScaleByAdamState; average: EmaState }>
  >();
  expectTypeOf(partition({ a: inner, b: ema({ decay: 0.9 }) }, { w: 'a', layers: 'b' })).toEqualTypeOf<
    GradientTransformation<PartitionState<{ a: ScaleByAdamState; b: EmaState }>>
  >();
  // @ts-expect-error there is no such group
  partition({ a: inner }, { w: 'c' });
});

test('injectHyperparams takes the options of the optimizer, and schedules for its numbers', () => {
  const tx = injectHyperparams(adam)({ learningRate: 0.1, b1: (count) => count });
  expectTypeOf(tx.init(params)).toExtend<
    InjectHyperparamsState<readonly [ScaleByAdamState, ScaleByScheduleState]>
  >();
  // @ts-expect-error there is no such option
  injectHyperparams(adam)({ learningRate: 0.1, beta: 0.9 });
});
