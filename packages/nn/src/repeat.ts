import { arange, random, scan, stack, type Tensor, treeMap } from '@neumann/core';
import type { Layer } from './layer.ts';
import { positiveInteger } from './options.ts';

/**
 * The same layer several times, each time with parameters of its own, as one loop: the program is as short for 100
 * layers as for one. Trees are those of the layer, with a first axis for the repetitions.
 *
 * @param layer Its output has the shape of its input.
 * @throws {OptionError} unless `times` is an integer of at least 1. {ShapeError} if the layer changes the shape.
 * @example
 * const deep = repeat(serial({ linear: dense({ features: 8 }), tanh }), 12);
 * const { params } = deep.init(random.key(0), new ShapeDtype([1, 8]));
 * params.linear.w   // f32[12,8,8]
 */
export function repeat<P, S>(layer: Layer<P, S>, times: number): Layer<P, S> {
  positiveInteger('repeat', 'times', times);
  const together = <T>(trees: readonly T[]): T => {
    const [first, ...rest] = trees as readonly object[];
    return treeMap((...leaves: Tensor[]) => stack(leaves), first as object, ...rest) as T;
  };
  return {
    init(key, x) {
      const made = Array.from({ length: times }, (_, i) => layer.init(random.foldIn(key, i), x));
      return { params: together(made.map((m) => m.params)), state: together(made.map((m) => m.state)) };
    },
    apply(params, state, x, context) {
      const { observe: _, ...rest } = context ?? { training: false };
      const inner = (i: Tensor) => (rest.key ? { ...rest, key: random.foldIn(rest.key, i) } : rest);
      const [y, next] = scan(
        (h: Tensor, row: { readonly params: unknown; readonly state: unknown; readonly i: Tensor }) =>
          layer.apply(row.params as P, row.state as S, h, inner(row.i)) as [Tensor, unknown],
        x,
        { params, state, i: arange(times) } as never,
      );
      return [y, next as S];
    },
  };
}
