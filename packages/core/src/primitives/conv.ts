/**
 * Convolution as a trilinear form.
 *
 *     T(x, w, y) = sum x[n, i, g c] w[k, c, g f] y[n, o, g f]   over all (i, o, k) with
 *     i * dilateX = o * stride + k * dilateW - padLow            in every spatial dimension.
 *
 * The convolution, its input gradient and its weight gradient are the partial derivatives of T with respect to y, x
 * and w: one primitive with a `target`, closed under transposition to any order.
 */
import type { Aval } from '../aval.ts';
import {
  acc,
  addExpr,
  addIndex,
  allOf,
  binary,
  compare,
  constant,
  coord,
  floorDiv,
  inBounds,
  load,
  mod,
  mulIndex,
} from '../ir/expr.ts';
import type { ConvGeometry, Expr, Kernel } from '../ir/kernel.ts';
import { Linear, type Primitive } from '../primitive.ts';
import type { Tensor } from '../tensor.ts';
import { bind1 } from '../trace.ts';
import { add } from './arithmetic.ts';
import { moveAxis, reshape } from './movement.ts';

/** The three operands of the form. */
export type Operand = 'x' | 'w' | 'y';
type ConvParams = { target: Operand; conv: ConvGeometry };

const operands: readonly Operand[] = ['x', 'w', 'y'];

/** The two operands that `target` is computed from, in the order x, w, y. */
export const sourcesOf = (target: Operand): [Operand, Operand] =>
  operands.filter((o) => o !== target) as [Operand, Operand];

/** Shape of an operand of a convolution. */
export function convShape(operand: Operand, conv: ConvGeometry): number[] {
  const { n, c, f, groups, x, kernel, y } = conv;
  return { x: [n, ...x, c], w: [...kernel, c / groups, f], y: [n, ...y, f] }[operand];
}

const convPrimitive: Primitive<ConvParams> = {
  name: 'conv',
  kind: 'kernel',
  shape: ([a], { target, conv }) => [{ shape: convShape(target, conv), dtype: (a as Aval).dtype }],
  jvp: ([a, b], [da, db], params) => {
    const [p, q] = [a as Tensor, b as Tensor];
    const terms = [
      ...(da ? [bind1(convPrimitive, [da, q], params)] : []),
      ...(db ? [bind1(convPrimitive, [p, db], params)] : []),
    ];
    return [[bind1(convPrimitive, [p, q], params)], [terms.reduce(add)]];
  },
  transpose: ([ct], inputs, { target, conv }) => {
    const sources = sourcesOf(target);
    const at = inputs[0] instanceof Linear ? 0 : 1;
    const values = { [target]: ct, [sources[1 - at] as Operand]: inputs[1 - at] } as Record<Operand, Tensor>;
    const wanted = sources[at];
    const [p, q] = sourcesOf(wanted);
    const result = convolve(wanted, conv, values[p], values[q]);
    return at === 0 ? [result, null] : [null, result];
  },
  batch: (inputs, axes, size, { target, conv }) => {
    const sources = sourcesOf(target);
    const batched = sources.filter((_, i) => axes[i] !== null);
    const grown = grow(batched, target, conv, size);
    const folded = inputs.map((t, i) => {
      const axis = axes[i] ?? null;
      const operand = sources[i] as Operand;
      return axis === null
        ? t
        : fold(t, axis, grown.places[operand] as Place, convShape(operand, grown.conv));
    });
    const result = convolve(target, grown.conv, folded[0] as Tensor, folded[1] as Tensor);
    const { axis, before } = grown.places[target] as Place;
    const shape = convShape(target, conv);
    const split = [
      ...shape.slice(0, axis),
      before,
      size,
      (shape[axis] as number) / before,
      ...shape.slice(axis + 1),
    ];
    const apart = moveAxis(reshape(result, split), axis + 1, 0);
    return [[reshape(apart, [size, ...shape])], [0]];
  },
  lower: (inputs, { target, conv }) => convKernel(inputs, target, conv),
};

/** Where a batch goes: into `axis`, between its outer `before` blocks and the rest. */
interface Place {
  readonly axis: number;
  readonly before: number;
}

/**
 * The larger convolution that computes a batch of them: the batch goes into the examples if only x and y have it,
 * into the output channels if only w and y have it, into the input channels if only x and w have it, and into the
 * groups if all three have it.
 */
function grow(
  batched: readonly Operand[],
  target: Operand,
  conv: ConvGeometry,
  size: number,
): { conv: ConvGeometry; places: Partial<Record<Operand, Place>> } {
  const has = new Set<Operand>([...batched, target]);
  const spatial = conv.x.length;
  const { groups } = conv;
  if (has.size === 3)
    return {
      conv: { ...conv, c: conv.c * size, f: conv.f * size, groups: groups * size },
      places: {
        x: { axis: spatial + 1, before: 1 },
        w: { axis: spatial + 1, before: 1 },
        y: { axis: spatial + 1, before: 1 },
      },
    };
  if (!has.has('w'))
    return {
      conv: { ...conv, n: conv.n * size },
      places: { x: { axis: 0, before: 1 }, y: { axis: 0, before: 1 } },
    };
  if (!has.has('x'))
    return {
      conv: { ...conv, f: conv.f * size },
      places: { w: { axis: spatial + 1, before: groups }, y: { axis: spatial + 1, before: groups } },
    };
  return {
    conv: { ...conv, c: conv.c * size },
    places: { x: { axis: spatial + 1, before: groups }, w: { axis: spatial, before: 1 } },
  };
}

/** Merges batch axis `from` of `t` into its place. */
function fold(t: Tensor, from: number, { axis, before }: Place, shape: readonly number[]): Tensor {
  const front = moveAxis(t, from, 0);
  const [size = 1, ...rest] = front.shape;
  const split = [
    size,
    ...rest.slice(0, axis),
    before,
    (rest[axis] as number) / before,
    ...rest.slice(axis + 1),
  ];
  return reshape(moveAxis(reshape(front, split), 0, axis + 1), shape);
}

/** The loop nest that defines each target. */
function convKernel(inputs: readonly Aval[], target: Operand, conv: ConvGeometry): Kernel {
  const spatial = conv.x.length;
  const cg = conv.c / conv.groups;
  const fg = conv.f / conv.groups;
  const shape = convShape(target, conv);
  const axis = (i: number): Expr => coord(i);
  const range = (from: number): Expr[] => Array.from({ length: spatial }, (_, d) => axis(from + d));
  const rank = shape.length;
  const int = (v: number): Expr => constant('int32', v);

  /** o * stride + k * dilateW - padLow, or the like: a position and the guard that it exists. */
  const solve = (
    position: Expr[],
    step: readonly number[],
    extent: readonly number[],
  ): { index: Expr[]; guard: Expr | undefined } => {
    const guards = position.flatMap((p, d) => {
      const s = step[d] as number;
      const inside = inBounds(p, ((extent[d] as number) - 1) * s + 1);
      return s === 1 ? [inside] : [inside, compare('eq', mod(p, s), int(0))];
    });
    return { index: position.map((p, d) => floorDiv(p, step[d] as number)), guard: allOf(guards) };
  };
  const xPosition = (o: Expr[], k: Expr[]): { index: Expr[]; guard: Expr | undefined } =>
    solve(
      o.map((e, d) =>
        addIndex(
          addExpr(mulIndex(e, conv.stride[d] as number), mulIndex(k[d] as Expr, conv.dilateW[d] as number)),
          -(conv.padLow[d] as number),
        ),
      ),
      conv.dilateX,
      conv.x,
    );
  const yPosition = (i: Expr[], k: Expr[]): { index: Expr[]; guard: Expr | undefined } =>
    solve(
      i.map((e, d) =>
        addIndex(
          addExpr(
            mulIndex(e, conv.dilateX[d] as number),
            mulIndex(k[d] as Expr, -(conv.dilateW[d] as number)),
          ),
          conv.padLow[d] as number,
        ),
      ),
      conv.stride,
      conv.y,
    );

  /** Channel `within` of the group that `of` belongs to, where groups are `size` wide on its side and `width` on the other. */
  const groupChannel = (of: Expr, size: number, within: Expr, width: number): Expr =>
    conv.groups === 1 ? within : addExpr(mulIndex(floorDiv(of, size), width), within);
  const inGroup = (channel: Expr, size: number): Expr => (conv.groups === 1 ? channel : mod(channel, size));

  const [p, q] = inputs as [Aval, Aval];
  const finish = (reduceAxes: number[], left: Expr, right: Expr): Kernel => ({
    name: { y: 'conv', x: 'convInputGradient', w: 'convWeightGradient' }[target],
    inputs,
    axes: shape,
    reduceAxes,
    reductions: [{ op: 'add', value: binary('mul', left, right) }],
    outputs: [acc(p.dtype, 0)],
    routine: { name: 'conv', target, conv },
  });
  switch (target) {
    case 'y': {
      const [n, o, f] = [axis(0), range(1), axis(spatial + 1)];
      const [k, c] = [range(rank), axis(rank + spatial)];
      const { index, guard } = xPosition(o, k);
      const channel = groupChannel(f, fg, c, cg);
      return finish(
        [...conv.kernel, cg],
        load(0, p, [n, ...index, channel], guard),
        load(1, q, [...k, c, f]),
      );
    }
    case 'x': {
      const [n, i, gc] = [axis(0), range(1), axis(spatial + 1)];
      const [k, f] = [range(rank), axis(rank + spatial)];
      const { index, guard } = yPosition(i, k);
      const channel = groupChannel(gc, cg, f, fg);
      return finish(
        [...conv.kernel, fg],
        load(0, p, [...k, inGroup(gc, cg), channel]),
        load(1, q, [n, ...index, channel], guard),
      );
    }
    case 'w': {
      const [k, c, f] = [range(0), axis(spatial), axis(spatial + 1)];
      const [n, o] = [axis(rank), range(rank + 1)];
      const { index, guard } = xPosition(o, k);
      const channel = groupChannel(f, fg, c, cg);
      return finish([conv.n, ...conv.y], load(0, p, [n, ...index, channel], guard), load(1, q, [n, ...o, f]));
    }
    default:
      return target satisfies never;
  }
}

/** The operand `target` of the trilinear form from the other two, in the order x, w, y. */
export const convolve = (target: Operand, conv: ConvGeometry, a: Tensor, b: Tensor): Tensor =>
  bind1(convPrimitive, [a, b], { target, conv });
