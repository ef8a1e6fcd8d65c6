import { add, astype, equal, type Tensors, where, zeros } from '@neumann/core';
import { checkOptions } from '../options.ts';
import type { GradientTransformation } from '../protocol.ts';
import { countFor, zerosOf, zipTrees } from '../trees.ts';
import { type EmaOptions, type EmaState, emaRules } from './ema.ts';
import { movingAverage } from './movingAverage.ts';
import { debiased, weightSum } from './weightSum.ts';

/** {@link paramsEma}: a transformation that gives averaged parameters. */
export interface ParamsEmaTransformation extends GradientTransformation<EmaState> {
  /** The averaged parameters, in the form of `params`, which are those themselves before the first update. */
  evalParams<P>(this: void, state: EmaState, params: P): Tensors<P>;
}

/**
 * Remembers the exponential moving average of the parameters, for evaluation (Polyak and Juditsky 1992): the last part of
 * a chain, since it takes `params + updates`. Updates stay as they are.
 *
 * @example
 * const average = paramsEma({ decay: 0.999 });
 * const tx = chain(adam({ learningRate: 1e-3 }), average);
 * const w = tensor([1, 2]);
 * const state = tx.init(w);
 * average.evalParams(state[1], w)   // [1, 2]
 */
export function paramsEma(options: EmaOptions): ParamsEmaTransformation {
  const op = 'paramsEma';
  checkOptions(op, options, emaRules);
  const { decay, debias = true } = options;
  return {
    init: (params) => ({ count: zeros([], 'int32'), ema: zerosOf(op, params) }),
    update: (updates, state, params) => {
      const next = zipTrees(op, { params }, { updates }, (p, u) => add(p, astype(u, p.dtype)));
      const average = movingAverage(op, state.ema, next, decay);
      const same = zipTrees(op, { updates }, {}, (u) => u);
      return [same, { count: add(state.count, 1), ema: average }];
    },
    evalParams: (state, params) => {
      const isFirst = equal(state.count, 0);
      const weight = where(isFirst, 1, weightSum(decay, countFor(params, state.count)));
      return zipTrees(op, { params }, { 'the state': state.ema }, (p, m) =>
        where(isFirst, p, astype(debias ? debiased(m, weight) : m, p.dtype)),
      );
    },
  };
}
