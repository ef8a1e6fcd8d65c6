import { type Aval, evalShape, OptionError, random, ShapeDtype, type Tensor } from '@neumann/core';
import { atLayer } from './at-layer.ts';
import { type Context, type Layer, type LayerLike, type ParamsOf, type StateOf, toLayer } from './layer.ts';

type Named = Readonly<Record<string, LayerLike>>;

/** The parameters of layers by name; layers without any are left out, and `null` is none at all. */
export type NamedParams<L extends Named> = [ParamsOf<L[keyof L]>] extends [null]
  ? null
  : { readonly [K in keyof L as ParamsOf<L[K]> extends null ? never : K]: ParamsOf<L[K]> };

/** The state of layers by name; layers without any are left out, and `null` is none at all. */
export type NamedState<L extends Named> = [StateOf<L[keyof L]>] extends [null]
  ? null
  : { readonly [K in keyof L as StateOf<L[K]> extends null ? never : K]: StateOf<L[K]> };

/** The parameters of layers by position, `null` for a layer without any; `null` is none at all. */
export type ListedParams<L extends readonly LayerLike[]> = [ParamsOf<L[number]>] extends [null]
  ? null
  : { readonly [I in keyof L]: ParamsOf<L[I]> };

/** The state of layers by position, `null` for a layer without any; `null` is none at all. */
export type ListedState<L extends readonly LayerLike[]> = [StateOf<L[number]>] extends [null]
  ? null
  : { readonly [I in keyof L]: StateOf<L[I]> };

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
  return args.length === 1 && typeof first === 'object' && !isLayer(first) ? named(first) : listed(args);
}

interface Place {
  /** In messages: `conv1`, `[0]`. */
  readonly name: string;
  readonly layer: Layer;
}

function named(layers: Named): Layer {
  const places = Object.entries(layers).map(([name, layer]) => ({ name, layer: checked(name, layer) }));
  const number = places.find(({ name }) => /^\d+$/.test(name));
  if (number)
    throw new OptionError(
      `serial: ${JSON.stringify(number.name)} cannot name a layer, because JavaScript would move it to the front; ` +
        `use a name that is no number, or list the layers without names.`,
    );
  const collect = (values: readonly unknown[]) =>
    Object.fromEntries(places.flatMap(({ name }, i) => (values[i] === null ? [] : [[name, values[i]]])));
  const pick = (tree: Readonly<Record<string, unknown>>, place: Place) => tree[place.name];
  return chain(places, collect, pick);
}

function listed(layers: readonly unknown[]): Layer {
  const places = layers.map((layer, i) => ({ name: `[${i}]`, layer: checked(`[${i}]`, layer) }));
  return chain(
    places,
    (values) => values,
    (tree: readonly unknown[], place) => tree[places.indexOf(place)],
  );
}

/** `collect` makes a tree of one value for each layer, and `pick` takes one out; a tree of nothing is `null`. */
function chain<T>(
  places: readonly Place[],
  collect: (values: readonly unknown[]) => T,
  pick: (tree: T, place: Place) => unknown,
): Layer<T | null, T | null> {
  if (places.length === 0) throw new OptionError('serial: needs at least one layer.');
  const join = (values: readonly unknown[]) => (values.every((v) => v === null) ? null : collect(values));
  const part = (tree: T | null, place: Place) => (tree === null ? null : (pick(tree, place) ?? null));
  return {
    init(key, x) {
      let aval: Aval = x;
      const made = places.map(({ name, layer }, i) =>
        atLayer(name, () => {
          const { params, state } = layer.init(random.foldIn(key, i), aval);
          const output = (input: Tensor): Tensor => layer.apply(params, state, input)[0];
          aval = evalShape(output, new ShapeDtype(aval.shape, aval.dtype));
          return { params, state };
        }),
      );
      return { params: join(made.map((m) => m.params)), state: join(made.map((m) => m.state)) };
    },
    apply(params, state, x, context) {
      const after: unknown[] = [];
      const y = places.reduce((input, place, i) => {
        const { name, layer } = place;
        const [output, next] = atLayer(name, () =>
          layer.apply(part(params, place), part(state, place), input, contextOf(context, i)),
        );
        after.push(next);
        return output;
      }, x);
      return [y, join(after)];
    },
  };
}

/** The context of layer `i`: randomness of its own. */
function contextOf(context: Context | undefined, i: number): Context | undefined {
  return context?.key ? { ...context, key: random.foldIn(context.key, i) } : context;
}

function isLayer(x: object): x is Layer {
  return 'init' in x && 'apply' in x && typeof x.init === 'function' && typeof x.apply === 'function';
}

function checked(name: string, x: unknown): Layer {
  if (typeof x === 'function') return toLayer(x as (x: Tensor) => Tensor);
  if (typeof x === 'object' && x !== null && isLayer(x)) return x;
  throw new OptionError(
    `serial: ${name} is ${x === null ? 'null' : typeof x === 'object' ? 'an object without init and apply' : `a ${typeof x}`}, ` +
      `but must be a layer, such as dense({ features: 10 }), or a function of a tensor, such as relu.`,
  );
}
