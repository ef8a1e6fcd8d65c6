import { type Aval, Tensor } from '@neumann/core';
import type { AvalsOf, Layer } from './layer.ts';

/**
 * A layer that is chosen by the shape of its input: `make` is asked by `init` and by every `apply`.
 *
 * @example
 * const half = shaped((x) => dense({ features: (x.shape.at(-1) ?? 0) / 2 }));
 * const { params } = half.init(random.key(0), new ShapeDtype([1, 6]));
 * half.apply(params, null, ones([4, 6]))[0]   // f32[4,3]
 */
export function shaped<P, S, X = Tensor, Y = Tensor>(
  make: (x: AvalsOf<X>) => Layer<P, S, X, Y>,
): Layer<P, S, X, Y> {
  return {
    init: (key, x) => make(x).init(key, x),
    apply: (params, state, x, context) => make(avalsOf(x)).apply(params, state, x, context),
  };
}

/** The aval of a tensor, or those of a tree of tensors. */
function avalsOf<X>(x: X): AvalsOf<X> {
  const avals: Aval | Record<string, unknown> =
    x instanceof Tensor
      ? x.aval
      : Object.fromEntries(
          Object.entries(x as object).map(([name, value]) => [name, avalsOf(value as unknown)]),
        );
  return avals as AvalsOf<X>;
}
