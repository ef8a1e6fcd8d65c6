/** Windows sliding over the spatial axes of x[N, ...spatial, C]. */
import type { Aval } from '../aval.ts';
import { type DType, isFloat } from '../dtype.ts';
import {
  acc,
  addExpr,
  addIndex,
  allOf,
  compare,
  constant,
  coord,
  floorDiv,
  inBounds,
  load,
  mod,
  mulIndex,
  select,
} from '../ir/expr.ts';
import type { Expr, Kernel, Routine, WindowGeometry } from '../ir/kernel.ts';
import { Linear, noTangent, type Primitive } from '../primitive.ts';
import { rowMajorStrides } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { bind, bind1 } from '../trace.ts';
import { broadcastTo, moveAxis, reshape } from './movement.ts';

type WindowParams = { window: WindowGeometry };
type TargetParams = WindowParams & { target: 'x' | 'y' };

const xShape = ({ n, c, x }: WindowGeometry): number[] => [n, ...x, c];
const yShape = ({ n, c, y }: WindowGeometry): number[] => [n, ...y, c];

/** A batch goes into the examples. */
function batchWindows<P extends WindowParams>(primitive: () => Primitive<P>): Primitive<P>['batch'] {
  return (inputs, axes, size, params) => {
    const { window } = params;
    const grown = { ...params, window: { ...window, n: window.n * size } };
    const folded = inputs.map((t, i) => {
      const front = moveAxis(
        (axes[i] ?? null) === null ? broadcastTo(t, [size, ...t.shape]) : t,
        axes[i] ?? 0,
        0,
      );
      return reshape(front, [size * window.n, ...front.shape.slice(2)]);
    });
    const results = bind(primitive(), folded, grown);
    return [results.map((t) => reshape(t, [size, window.n, ...t.shape.slice(1)])), results.map(() => 0)];
  };
}

/* ---- sum: linear, and its adjoint is the same relation read the other way ---- */

const sumPrimitive: Primitive<TargetParams> = {
  name: 'windowSum',
  kind: 'kernel',
  shape: ([t], { target, window }) => [
    { shape: target === 'y' ? yShape(window) : xShape(window), dtype: (t as Aval).dtype },
  ],
  jvp: (primals, tangents, params) => [
    bind(sumPrimitive, primals, params),
    bind(sumPrimitive, tangents as Tensor[], params),
  ],
  transpose: ([ct], _, { target, window }) => [windowSum(target === 'y' ? 'x' : 'y', window, ct as Tensor)],
  batch: batchWindows(() => sumPrimitive),
  lower: ([t], { target, window }) => {
    const { at, guard } = position(target, window);
    return foldKernel([t as Aval], window, target, 'add', load(0, t as Aval, at, guard), {
      name: 'windowSum',
      target,
      window,
    });
  },
};

/** Sums of the windows of x (target y), or, for each x, the sum of the y whose windows hold it (target x). */
export const windowSum = (target: 'x' | 'y', window: WindowGeometry, t: Tensor): Tensor =>
  bind1(sumPrimitive, [t], { target, window });

/* ---- max: its tangent is gathered from where the maximum was found ---- */

const maxPrimitive: Primitive<WindowParams> = {
  name: 'windowMax',
  kind: 'kernel',
  shape: ([x], { window }) => [{ shape: yShape(window), dtype: (x as Aval).dtype }],
  jvp: ([x], [dx], { window }) => {
    const found = windowArgmax(window, x as Tensor);
    return [[windowMax(window, x as Tensor)], [windowGather('y', window, dx as Tensor, found)]];
  },
  batch: batchWindows(() => maxPrimitive),
  lower: ([x], { window }) =>
    foldKernel([x as Aval], window, 'y', 'max', paddedLowest(x as Aval, window), {
      name: 'windowMax',
      window,
    }),
};

/** Greatest element of each window; padding never wins. */
export const windowMax = (window: WindowGeometry, x: Tensor): Tensor => bind1(maxPrimitive, [x], { window });

const argmaxPrimitive: Primitive<WindowParams> = {
  name: 'windowArgmax',
  kind: 'kernel',
  shape: (_, { window }) => [{ shape: yShape(window), dtype: 'int32' }],
  jvp: noTangent(([x], params: WindowParams) => bind(argmaxPrimitive, [x as Tensor], params)),
  batch: batchWindows(() => argmaxPrimitive),
  lower: ([x], { window }) => ({
    ...foldKernel([x as Aval], window, 'y', 'argmax', paddedLowest(x as Aval, window), {
      name: 'windowMax',
      window,
    }),
    name: 'windowArgmax',
  }),
};

/** int32 row-major position in each window of its first greatest element; padding never wins. */
export const windowArgmax = (window: WindowGeometry, x: Tensor): Tensor =>
  bind1(argmaxPrimitive, [x], { window });

/* ---- gather at a position of each window, and its adjoint ---- */

const gatherPrimitive: Primitive<TargetParams> = {
  name: 'windowGather',
  kind: 'kernel',
  shape: ([t], { target, window }) => [
    { shape: target === 'y' ? yShape(window) : xShape(window), dtype: (t as Aval).dtype },
  ],
  jvp: ([t, found], [dt], params) => [
    bind(gatherPrimitive, [t as Tensor, found as Tensor], params),
    [dt ? bind1(gatherPrimitive, [dt, found as Tensor], params) : null],
  ],
  transpose: ([ct], [t, found], { target, window }) => [
    t instanceof Linear
      ? windowGather(target === 'y' ? 'x' : 'y', window, ct as Tensor, found as Tensor)
      : null,
    null,
  ],
  batch: batchWindows(() => gatherPrimitive),
  lower: ([t, found], { target, window }) => {
    const { at, guard } = position(target, window);
    const outAt = Array.from({ length: at.length }, (_, i) => coord(i));
    const rank = at.length;
    const strides = rowMajorStrides(window.window);
    const place = window.window.reduce<Expr>(
      (sum, _, d) => addExpr(sum, mulIndex(coord(rank + d), strides[d] as number)),
      constant('int32', 0),
    );
    const foundAt = load(1, found as Aval, target === 'y' ? outAt : at, target === 'y' ? undefined : guard);
    const here = compare('eq', foundAt, place);
    const value = select(here, load(0, t as Aval, at, guard), constant((t as Aval).dtype, 0));
    return foldKernel([t as Aval, found as Aval], window, target, 'add', value, {
      name: 'windowGather',
      target,
      window,
    });
  },
};

/** y = x at position `found` of each window (target y), or the adjoint: y added to that place of x (target x). */
export const windowGather = (target: 'x' | 'y', window: WindowGeometry, t: Tensor, found: Tensor): Tensor =>
  bind1(gatherPrimitive, [t, found], { target, window });

/* ---- kernels ---- */

/** Where the other operand is, at a point of the target (parallel axes) and of the window (reduce axes). */
function position(target: 'x' | 'y', window: WindowGeometry): { at: Expr[]; guard: Expr | undefined } {
  const spatial = window.x.length;
  const rank = spatial + 2;
  const guards: (Expr | undefined)[] = [];
  const at = window.x.map((_, d) => {
    const here = coord(1 + d);
    const k = mulIndex(coord(rank + d), window.dilation[d] as number);
    const [stride, low] = [window.stride[d] as number, window.padLow[d] as number];
    if (target === 'y') {
      const i = addIndex(addExpr(mulIndex(here, stride), k), -low);
      guards.push(inBounds(i, window.x[d] as number));
      return i;
    }
    const o = addIndex(addExpr(here, mulIndex(k, -1)), low);
    guards.push(inBounds(o, ((window.y[d] as number) - 1) * stride + 1));
    if (stride !== 1) guards.push(compare('eq', mod(o, stride), constant('int32', 0)));
    return floorDiv(o, stride);
  });
  return { at: [coord(0), ...at, coord(spatial + 1)], guard: allOf(guards) };
}

/** An element of x, or the lowest number where the window reaches over the edge. */
function paddedLowest(x: Aval, window: WindowGeometry): Expr {
  const { at, guard } = position('y', window);
  const value = load(0, x, at, guard);
  return guard ? select(guard, value, constant(x.dtype, lowest(x.dtype))) : value;
}

const lowest = (dtype: DType): number =>
  isFloat(dtype) ? Number.NEGATIVE_INFINITY : dtype === 'int32' ? -(2 ** 31) : 0;

function foldKernel(
  inputs: readonly Aval[],
  window: WindowGeometry,
  target: 'x' | 'y',
  op: 'add' | 'max' | 'argmax',
  value: Expr,
  routine: Routine,
): Kernel {
  return {
    name: routine.name,
    inputs,
    axes: target === 'y' ? yShape(window) : xShape(window),
    reduceAxes: window.window,
    reductions: [{ op, value }],
    outputs: [acc(op === 'argmax' ? 'int32' : value.dtype, 0)],
    routine,
  };
}
