/** optax's protocol: an optimizer is a pair of pure functions over trees of tensors. */
import {
  add,
  astype,
  equal,
  OptionError,
  remainder,
  type Tensor,
  type Tensors,
  where,
  zerosLike,
} from '@neumann/core';
import { checkValue, knownInteger, record, transformation } from './options.ts';
import { mixed, restOf } from './transforms/mixed.ts';
import { scalarOf, zipTrees } from './trees.ts';

/** A number, or a scalar tensor: one that is traced can be batched over and differentiated. */
export type Scalar = number | Tensor;

/**
 * A value that changes with time: a traced function of the number of steps taken before this one (0, 1, 2, …).
 *
 * `count` is a float scalar in the widest float dtype of the parameters (float32 holds counts below 2^24 exactly), and
 * the result has its dtype. So a schedule is computed with the parameters' precision, and step two does not recompile.
 *
 * @example
 * const inverse: Schedule = (count) => divide(0.1, add(count, 1));
 */
export type Schedule = (count: Tensor) => Tensor;

/** Whether something happens in a step: a traced function of the number of steps before it, an `i32[]`, to `bool[]`. */
export type Predicate = (count: Tensor) => Tensor;

/**
 * A tree of tensors in the form of the parameters. Its type does not say which form that is; to look inside, assert it:
 * `(state.mu as Params).w`.
 */
export type TensorTree = object;

/** Named values that some transformations want beside the updates: `value`, `grad`, `valueFn`, `key`, … */
export type ExtraArgs = Readonly<Record<string, unknown>>;

/**
 * A pair of pure functions that turn gradients into updates, with state `S`: a plain tree of tensors, which can be
 * saved, jitted, batched and differentiated, and has the same structure, shapes and dtypes after each update.
 *
 * @example
 * const loss = (w: Tensor) => sum(square(subtract(w, 3)));
 * const tx = adam({ learningRate: 0.1 });
 * let w: Tensor = zeros([2]);
 * let state = tx.init(w);
 * const step = jit((p: Tensor, s: typeof state) => {
 *   const [updates, next] = tx.update(grad(loss)(p), s, p);
 *   return [applyUpdates(p, updates), next] as const;
 * });
 * for (let i = 0; i < 100; i++) [w, state] = step(w, state);   // w is nearly [3, 3]
 */
export interface GradientTransformation<S> {
  /** The state before the first update. */
  init(this: void, params: unknown): S;
  /**
   * Updates (gradients at first) and state to new updates and state. `params` are those the gradient was taken at;
   * updates come back in the structure, shapes and dtypes they arrive in.
   */
  update<U>(this: void, updates: U, state: S, params: unknown, extra?: ExtraArgs): [Tensors<U>, S];
}

/**
 * Applies transformations one after the other: the updates of each are the input of the next. Its state is the tuple
 * of their states.
 *
 * @example
 * const tx = chain(clipByGlobalNorm(1), scaleByAdam(), scaleByLearningRate(1e-3));
 */
export function chain<S extends readonly unknown[]>(
  ...transformations: { readonly [I in keyof S]: GradientTransformation<S[I]> }
): GradientTransformation<S> {
  const parts: readonly GradientTransformation<unknown>[] = transformations;
  for (const [i, part] of parts.entries()) checkValue('chain', `part ${i}`, part, transformation);
  return {
    // Mapping forgets that a tuple stays a tuple.
    init: (params) => parts.map((part) => part.init(params)) as unknown as S,
    update: (updates, state, params, extra) => {
      if (!Array.isArray(state) || state.length !== parts.length)
        throw new OptionError(
          `chain: has ${parts.length} transformations, but the state is of ${Array.isArray(state) ? state.length : typeof state}; use the state that init() made.`,
        );
      let current: unknown = updates;
      const next = parts.map((part, i) => {
        const [u, s] = part.update(current, state[i], params, extra);
        current = u;
        return s;
      });
      return [current as Tensors<typeof updates>, next as unknown as S];
    },
  };
}

/**
 * {@link chain} of named transformations, in the order they are written; the state has those names.
 *
 * @throws {OptionError} for names that are numbers, which JavaScript would put first.
 * @example
 * const tx = namedChain({ clip: clipByGlobalNorm(1), adam: scaleByAdam(), rate: scaleByLearningRate(1e-3) });
 * tx.init(zeros([2])).adam.count.item()   // 0
 */
export function namedChain<S extends object>(
  transformations: {
    readonly [K in keyof S]: GradientTransformation<S[K]>;
  },
): GradientTransformation<S> {
  checkValue('namedChain', 'transformations', transformations, record);
  const parts = Object.entries<GradientTransformation<unknown>>(transformations);
  for (const [name, part] of parts) checkValue('namedChain', name, part, transformation);
  const number = parts.find(([name]) => /^\d+$/.test(name));
  if (number)
    throw new OptionError(
      `namedChain: the name "${number[0]}" is a number, whose place in an object is not that of the text; use chain().`,
    );
  return {
    init: (params) => Object.fromEntries(parts.map(([name, part]) => [name, part.init(params)])) as S,
    update: (updates, state, params, extra) => {
      let current: unknown = updates;
      const next = parts.map(([name, part]) => {
        if (!Object.hasOwn(state, name))
          throw new OptionError(`namedChain: the state has no "${name}"; use the state that init() made.`);
        const [u, s] = part.update(
          current,
          (state as Readonly<Record<string, unknown>>)[name],
          params,
          extra,
        );
        current = u;
        return [name, s];
      });
      return [current as Tensors<typeof updates>, Object.fromEntries(next) as S];
    },
  };
}

/** Leaves updates as they are. */
export function identity(): GradientTransformation<null> {
  return statelessWithTreeMap('identity', (u) => u);
}

/**
 * Replaces updates by zeros: the parameters it is given stay as they are.
 *
 * @example
 * const tx = partition({ trained: adam({ learningRate: 1e-3 }), frozen: setToZero() }, { w: 'trained', b: 'frozen' });
 */
export function setToZero(): GradientTransformation<null> {
  return statelessWithTreeMap('setToZero', (u) => zerosLike(u));
}

/**
 * A transformation without state, from a function of the whole tree.
 *
 * @example
 * const halved = stateless((updates) => treeMap((u) => multiply(0.5, u), updates));
 */
export function stateless(f: <U>(updates: U, params: unknown) => Tensors<U>): GradientTransformation<null> {
  return { init: () => null, update: (updates, _, params) => [f(updates, params), null] };
}

/**
 * A transformation without state, from a function of one leaf of the updates.
 *
 * @param name For messages.
 * @example
 * const halved = statelessWithTreeMap('halved', (u) => multiply(0.5, u));
 */
export function statelessWithTreeMap(name: string, f: (u: Tensor) => Tensor): GradientTransformation<null> {
  return stateless((updates) => zipTrees(name, { updates }, {}, f));
}

/**
 * `params + updates`, leaf by leaf, in the dtypes of `params`.
 *
 * @throws {TreeError} {ShapeError} naming the leaf where `updates` is of another form.
 * @example
 * applyUpdates({ w: tensor([1, 2]) }, { w: tensor([-1, 1]) })   // { w: [0, 3] }
 */
export function applyUpdates<P>(params: P, updates: unknown): Tensors<P> {
  return zipTrees('applyUpdates', { params }, { updates }, (p, u) => astype(add(p, u), p.dtype));
}

/**
 * `stepSize * newParams + (1 - stepSize) * oldParams`: a moving average of parameters, where this is called in each step
 * (Polyak and Juditsky 1992).
 *
 * @throws {TreeError} {ShapeError} naming the leaf where the trees differ.
 * @example
 * incrementalUpdate(tensor([1]), tensor([0]), 0.1)   // [0.1]
 */
export function incrementalUpdate<P>(newParams: P, oldParams: unknown, stepSize: Scalar): Tensors<P> {
  return zipTrees('incrementalUpdate', { newParams }, { oldParams }, (x, old) =>
    astype(mixed(restOf(stepSize), old, astype(x, old.dtype)), old.dtype),
  );
}

/**
 * `newParams` in every `updatePeriod`th step, otherwise `oldParams`: a target network (Mnih et al. 2015).
 *
 * @param steps The number of steps taken: an integer, or a scalar tensor of one.
 * @throws {TreeError} {ShapeError} naming the leaf where the trees differ.
 * @example
 * periodicUpdate(tensor([1]), tensor([0]), 10, 5)   // [1]
 */
export function periodicUpdate<P>(
  newParams: P,
  oldParams: unknown,
  steps: Scalar,
  updatePeriod: number,
): Tensors<P> {
  checkValue('periodicUpdate', 'updatePeriod', updatePeriod, knownInteger(1));
  const isDue = equal(remainder(scalarOf(steps, 'int32'), updatePeriod), 0);
  return zipTrees('periodicUpdate', { newParams }, { oldParams }, (x, old) => where(isDue, x, old));
}
