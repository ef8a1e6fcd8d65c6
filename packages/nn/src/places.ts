/** Layers by name or by position: their trees of parameters and state, and their part of a context. */
import { type Aval, evalShape, OptionError, random, ShapeDtype, type Tensor } from '@neumann/core';
import { atLayer } from './at-layer.ts';
import { type Context, type Layer, type LayerLike, type ParamsOf, type StateOf, toLayer } from './layer.ts';

/** Layers by name. */
export type Named = Readonly<Record<string, LayerLike>>;

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

/** One of several layers. */
export interface Place {
  /** In messages: `conv1`, `[0]`. */
  readonly name: string;
  readonly layer: Layer;
}

/** Several layers, and the trees of what each has; a tree of nothing is `null`. */
export interface Places {
  readonly list: readonly Place[];
  /** A tree of one value for each layer. */
  readonly join: (values: readonly unknown[]) => unknown;
  /** The value of a layer in such a tree. */
  readonly part: (tree: unknown, index: number) => unknown;
}

/** @throws {OptionError} if there is no layer, something is no layer, or a name is a number. */
export function placesOf(owner: string, layers: Named | readonly unknown[]): Places {
  if (typeof layers !== 'object' || layers === null)
    throw new OptionError(`${owner}: takes layers by name, but got ${typeof layers}.`);
  const isList = Array.isArray(layers);
  const list = Object.entries(layers).map(([key, layer]) => {
    const name = isList ? `[${key}]` : key;
    return { name, layer: checked(owner, name, layer) };
  });
  if (list.length === 0) throw new OptionError(`${owner}: needs at least one layer.`);
  const number = list.find(({ name }) => /^\d+$/.test(name));
  if (number)
    throw new OptionError(
      `${owner}: ${JSON.stringify(number.name)} cannot name a layer, because JavaScript would move it to the front; ` +
        `use a name that is no number, or list the layers without names.`,
    );
  const collect = (values: readonly unknown[]): unknown =>
    isList
      ? values
      : Object.fromEntries(list.flatMap(({ name }, i) => (values[i] === null ? [] : [[name, values[i]]])));
  return {
    list,
    join: (values) => (values.every((v) => v === null) ? null : collect(values)),
    part: (tree, i) => {
      const key = isList ? i : (list[i] as Place).name;
      return (tree as Readonly<Record<string, unknown>> | null)?.[key] ?? null;
    },
  };
}

/** Parameters and state of layer `i`, and the aval of its output for an input of the aval `x`. */
export function initPlace({ list }: Places, i: number, key: Tensor, x: Aval) {
  const { name, layer } = list[i] as Place;
  return atLayer(name, () => {
    const { params, state } = layer.init(random.foldIn(key, i), x);
    const output = (input: Tensor): Tensor => layer.apply(params, state, input)[0];
    return { params, state, y: evalShape(output, new ShapeDtype(x.shape, x.dtype)) };
  });
}

/** Applies layer `i`, with randomness of its own. */
export function applyPlace(
  { list, part }: Places,
  i: number,
  trees: { readonly params: unknown; readonly state: unknown },
  x: Tensor,
  context: Context | undefined,
): [Tensor, unknown] {
  const { name, layer } = list[i] as Place;
  const [params, state] = [part(trees.params, i), part(trees.state, i)];
  const path = [...(context?.path ?? []), name];
  const [y, next] = atLayer(name, () => layer.apply(params, state, x, contextOf(context, i, path)));
  context?.observe?.({ path, layer, params, state, x, y });
  return [y, next];
}

function contextOf(context: Context | undefined, i: number, path: readonly string[]): Context | undefined {
  if (!context?.key && !context?.observe) return context;
  return { ...context, path, ...(context.key ? { key: random.foldIn(context.key, i) } : {}) };
}

/** Whether something has what a layer has. */
export function isLayer(x: unknown): x is Layer {
  return (
    typeof x === 'object' &&
    x !== null &&
    'init' in x &&
    'apply' in x &&
    typeof x.init === 'function' &&
    typeof x.apply === 'function'
  );
}

function checked(owner: string, name: string, x: unknown): Layer {
  if (typeof x === 'function') return toLayer(x as (x: Tensor) => Tensor);
  if (isLayer(x)) return x;
  throw new OptionError(
    `${owner}: ${name} is ${x === null ? 'null' : typeof x === 'object' ? 'an object without init and apply' : `a ${typeof x}`}, ` +
      `but must be a layer, such as dense({ features: 10 }), or a function of a tensor, such as relu.`,
  );
}
