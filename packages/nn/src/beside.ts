/** Layers beside one another. What is one after the other is `serial`. */
import { type Aval, add, concatenate, OptionError, ShapeError, showAval, type Tensor } from '@neumann/core';
import { checkOptions } from '@neumann/core/extend';
import type { AvalsOf, Layer, LayerLike } from './layer.ts';
import {
  applyPlace,
  initPlace,
  type Named,
  type NamedParams,
  type NamedState,
  type Place,
  placesOf,
} from './places.ts';

/** What {@link residual} is made of. */
export interface ResidualParts<B extends LayerLike, S extends LayerLike> {
  readonly body: B;
  /** The input itself by default. */
  readonly shortcut?: S;
}

/**
 * `shortcut(x) + body(x)`, where the shortcut is x itself unless the body changes the shape. He et al. 2016.
 *
 * @throws {OptionError} if a part is neither a layer nor a function. {ShapeError} if the two have different shapes.
 * @example
 * const block = residual({ body: serial(dense({ features: 8 }), relu), shortcut: dense({ features: 8 }) });
 * const { params } = block.init(random.key(0), new ShapeDtype([1, 4]));
 * block.apply(params, null, ones([2, 4]))[0]   // f32[2,8]
 */
export function residual<const B extends LayerLike, const S extends LayerLike = (x: Tensor) => Tensor>(
  parts: ResidualParts<B, S>,
): Layer<NamedParams<{ body: B; shortcut: S }>, NamedState<{ body: B; shortcut: S }>> {
  checkOptions('residual', parts, ['body', 'shortcut']);
  const { body, shortcut = (x: Tensor) => x } = parts;
  return fanOut('residual', { body, shortcut }, (results) => {
    const [y, x] = results as [Tensor, Tensor];
    if (y.shape.join() !== x.shape.join())
      throw new ShapeError(
        `residual: the body gives ${showAval(y.aval)} and the shortcut ${showAval(x.aval)}, which must have one shape; ` +
          'give a shortcut layer, such as a convolution with a 1 × 1 kernel.',
      );
    return add(x, y);
  }) as Layer<NamedParams<{ body: B; shortcut: S }>, NamedState<{ body: B; shortcut: S }>>;
}

/**
 * Several layers of the same input, with their results joined along the last axis, or as `combine` says.
 *
 * @throws {OptionError} if there is no layer. {ShapeError} if results differ in more than the last axis.
 * @example
 * const mixed = branch({ a: conv2d({ features: 4, kernel: 1 }), b: conv2d({ features: 8, kernel: 3 }) });
 * const { params } = mixed.init(random.key(0), new ShapeDtype([1, 8, 8, 3]));
 * mixed.apply(params, null, ones([1, 8, 8, 3]))[0]   // f32[1,8,8,12]
 */
export function branch<const L extends Named>(
  layers: L,
  combine: (results: readonly Tensor[]) => Tensor = (results) => concatenate(results, { axis: -1 }),
): Layer<NamedParams<L>, NamedState<L>> {
  return fanOut('branch', layers, combine) as Layer<NamedParams<L>, NamedState<L>>;
}

/** Every layer is applied to the same input. */
function fanOut(name: string, layers: Named, combine: (results: readonly Tensor[]) => Tensor): Layer {
  const places = placesOf(name, layers);
  return {
    init(key, x) {
      const made = places.list.map((_, i) => initPlace(places, i, key, x));
      return { params: places.join(made.map((m) => m.params)), state: places.join(made.map((m) => m.state)) };
    },
    apply(params, state, x, context) {
      const made = places.list.map((_, i) => applyPlace(places, i, { params, state }, x, context));
      return [combine(made.map(([y]) => y)), places.join(made.map(([, next]) => next))];
    },
  };
}

/** A tensor for each of several layers. */
export type Each<L extends Named> = { readonly [K in keyof L]: Tensor };

/**
 * Several layers, each with an input and an output of its own name.
 *
 * @throws {OptionError} if there is no layer, or an input has not the names of the layers.
 * @example
 * const both = parallel({ text: dense({ features: 3 }), image: flatten });
 * const { params } = both.init(random.key(0), { text: ones([1, 2]), image: ones([1, 4, 4]) });
 * const [{ text, image }] = both.apply(params, null, { text: ones([5, 2]), image: ones([5, 4, 4]) });
 * image   // f32[5,16]
 */
export function parallel<const L extends Named>(
  layers: L,
): Layer<NamedParams<L>, NamedState<L>, Each<L>, Each<L>> {
  const places = placesOf('parallel', layers);
  const names = places.list.map((place) => place.name);
  const input = <T>(x: Readonly<Record<string, T>>, { name }: Place): T => {
    const value = x[name];
    if (value === undefined)
      throw new OptionError(
        `parallel: the input needs ${names.join(', ')}, but has ${Object.keys(x).join(', ')}.`,
      );
    return value;
  };
  const layer: Layer<unknown, unknown, Each<L>, Each<L>> = {
    init(key, x: AvalsOf<Each<L>>) {
      const made = places.list.map((place, i) =>
        initPlace(places, i, key, input(x as Readonly<Record<string, Aval>>, place)),
      );
      return { params: places.join(made.map((m) => m.params)), state: places.join(made.map((m) => m.state)) };
    },
    apply(params, state, x, context) {
      const made = places.list.map((place, i) =>
        applyPlace(places, i, { params, state }, input<Tensor>(x, place), context),
      );
      const results = Object.fromEntries(made.map(([y], i) => [names[i], y])) as Each<L>;
      return [results, places.join(made.map(([, next]) => next))];
    },
  };
  return layer as Layer<NamedParams<L>, NamedState<L>, Each<L>, Each<L>>;
}
