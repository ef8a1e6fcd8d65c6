/**
 * A layer is a pair of pure functions: one makes parameters, the other uses them.
 *
 * Nothing is stored in a layer: parameters and state are trees of tensors that the caller holds, so a model can be
 * jitted, differentiated, batched with `vmap`, averaged and saved like any other data.
 */
import type { Aval, Tensor } from '@neumann/core';

/** What a layer is told besides its operands. */
export interface Context {
  /** Whether this call is part of training: dropout drops only then. */
  readonly training: boolean;
  /** Randomness for this call; layers that draw need it in training. */
  readonly key?: Tensor;
  /** Hears of every named layer within, when it is done: for summaries, and to look at what is inside. */
  readonly observe?: (layer: Observed) => void;
  /** Names of the layers around this one. */
  readonly path?: readonly string[];
}

/** A layer that was applied. */
export interface Observed {
  /** `['block1', 'conv']` */
  readonly path: readonly string[];
  readonly layer: Layer;
  readonly params: unknown;
  readonly state: unknown;
  readonly x: Tensor;
  readonly y: Tensor;
}

/** What `init` is told of an input: the aval of a tensor, or a tree of them. */
export type AvalsOf<X> = X extends Tensor ? Aval : { readonly [K in keyof X]: AvalsOf<X[K]> };

/**
 * Parameters are learned; state (running statistics) is carried from call to call. `null` is none. Input and output are
 * tensors, unless a layer takes or gives a tree of them.
 */
export interface Layer<P = unknown, S = unknown, X = Tensor, Y = Tensor> {
  /** New parameters and state for inputs of the shape and dtype of `x`. */
  init(key: Tensor, x: AvalsOf<X>): { readonly params: P; readonly state: S };
  /** The output, and the state for the next call. Without a context it is inference. */
  apply(params: P, state: S, x: X, context?: Context): [Y, S];
}

/** What models are made of: a layer, or a plain function of tensors, which has neither parameters nor state. */
export type LayerLike = Layer | ((x: Tensor) => Tensor);

/** The parameters of a layer; `null` for a function. */
export type ParamsOf<L> = L extends Layer<infer P, unknown> ? P : null;

/** The state of a layer; `null` for a function. */
export type StateOf<L> = L extends Layer<unknown, infer S> ? S : null;

/** A function of tensors as a layer; a layer as it is. */
export function toLayer(layer: LayerLike): Layer {
  if (typeof layer !== 'function') return layer;
  return {
    init: () => ({ params: null, state: null }),
    apply: (_, state, x) => [layer(x), state],
  };
}
