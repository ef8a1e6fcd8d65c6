/** optax's protocol: an optimizer is a pair of pure functions over trees of tensors. */
import { add, astype, OptionError, type Tensor, type Tensors } from '@neumann/core';
import { zipTrees } from './trees.ts';

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

/** Named values that some transformations want beside the updates: `value`, `key`, … */
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
  return {
    // Mapping forgets that a tuple stays a tuple.
    init: (params) => parts.map((part) => part.init(params)) as unknown as S,
    update: (updates, state, params, extra) => {
      if (state.length !== parts.length)
        throw new OptionError(
          `chain: has ${parts.length} transformations, but the state is of ${state.length}; use the state that init() made.`,
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

/** Leaves updates as they are. */
export function identity(): GradientTransformation<null> {
  return stateless((updates) => zipTrees('identity', { updates }, {}, (u) => u));
}

/** A transformation without state. */
export function stateless(f: <U>(updates: U, params: unknown) => Tensors<U>): GradientTransformation<null> {
  return { init: () => null, update: (updates, _, params) => [f(updates, params), null] };
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
