import type { Aval } from '@neumann/core';
import type { Layer, LayerLike } from './layer.ts';
import {
  applyPlace,
  initPlace,
  isLayer,
  type ListedParams,
  type ListedState,
  type Named,
  type NamedParams,
  type NamedState,
  placesOf,
} from './places.ts';

/**
 * Layers one after the other; plain functions of tensors are layers too.
 *
 * Names given to the layers are the paths of their parameters (`conv1.w`), in error messages and in files. Without
 * names parameters are an array, with `null` where a layer has none, and the paths are `[0].w`. Where no layer has
 * state, that of the whole is `null`.
 *
 * @throws {OptionError} if there is no layer, or something is neither a layer nor a function.
 * @example
 * const model = serial({
 *   conv1: conv2d({ features: 16, kernel: 5 }),
 *   relu,                                        // a function: no parameters
 *   pool: maxPool({ window: 2 }),
 *   flatten,
 *   logits: dense({ features: 10 }),
 * });
 * const { params } = model.init(random.key(0), new ShapeDtype([1, 28, 28, 1]));
 * params.conv1.w                                 // f32[5,5,1,16]
 * const [y] = model.apply(params, null, images);
 *
 * const same = serial(dense({ features: 32 }), relu, dense({ features: 10 }));
 */
export function serial<const L extends Named>(layers: L): Layer<NamedParams<L>, NamedState<L>>;
export function serial<const L extends readonly LayerLike[]>(
  ...layers: L
): Layer<ListedParams<L>, ListedState<L>>;
export function serial(...args: readonly (Named | LayerLike)[]): Layer {
  const [first] = args;
  const areNamed = args.length === 1 && typeof first === 'object' && !isLayer(first);
  const places = placesOf('serial', areNamed ? first : args);
  return {
    init(key, x) {
      let aval: Aval = x;
      const made = places.list.map((_, i) => {
        const { params, state, y } = initPlace(places, i, key, aval);
        aval = y;
        return { params, state };
      });
      return { params: places.join(made.map((m) => m.params)), state: places.join(made.map((m) => m.state)) };
    },
    apply(params, state, x, context) {
      const after: unknown[] = [];
      const y = places.list.reduce((input, _, i) => {
        const [output, next] = applyPlace(places, i, { params, state }, input, context);
        after.push(next);
        return output;
      }, x);
      return [y, places.join(after)];
    },
  };
}
