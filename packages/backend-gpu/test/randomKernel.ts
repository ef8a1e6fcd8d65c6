/** Random kernels with exact results. */
import {
  type Aval,
  acc,
  addIndex,
  allOf,
  binary,
  cast,
  compare,
  constant,
  coord,
  type Expr,
  floorDiv,
  inBounds,
  type Kernel,
  load,
  mod,
  mulIndex,
  type Reduction,
  type Shape,
  select,
  sizeOf,
  unary,
} from '@neumann/core/backend';
import fc from 'fast-check';
import { kernel } from './run.ts';

const f32 = (...shape: number[]): Aval => ({ dtype: 'float32', shape });

export type Draw = fc.GeneratorValue;
const int = (g: Draw, min: number, max: number): number => g(fc.integer, { min, max });
const oneOf = <T>(g: Draw, ...choices: T[]): T => choices[int(g, 0, choices.length - 1)] as T;

/** An index in range for every point of `extents`, or any index and its guard. */
function drawIndex(g: Draw, extent: number, extents: Shape): { x: Expr; guard?: Expr } {
  const fitting = extents.flatMap((n, axis) => (n <= extent ? [axis] : []));
  if (fitting.length > 0 && int(g, 0, 2) > 0) return { x: coord(oneOf(g, ...fitting)) };
  if (extents.length === 0 || int(g, 0, 4) === 0) return { x: constant('int32', int(g, 0, extent - 1)) };
  const axis = coord(int(g, 0, extents.length - 1));
  if (int(g, 0, 1) === 0) return { x: mod(floorDiv(axis, int(g, 1, 3)), extent) };
  const x = addIndex(mulIndex(axis, oneOf(g, -2, -1, 1, 2)), int(g, -3, 3));
  return { x, guard: inBounds(x, extent) };
}

/** A float32 expression of the loads whose value is a small whole number, so that every order of a sum is exact. */
function drawExpr(g: Draw, leaf: () => Expr, depth: number): Expr {
  if (depth === 0) return leaf();
  const next = (): Expr => drawExpr(g, leaf, depth - 1);
  switch (int(g, 0, 7)) {
    case 0:
      return binary(oneOf(g, 'max', 'min'), next(), next());
    case 1:
      return select(compare(oneOf(g, 'lt', 'le', 'eq', 'ne'), next(), next()), next(), leaf());
    case 2:
      return unary(oneOf(g, 'neg', 'abs', 'sign'), next());
    case 3:
      return binary('mul', leaf(), next());
    case 4: {
      const shared = next();
      return binary('sub', shared, select(compare('lt', shared, leaf()), shared, constant('float32', 1)));
    }
    case 5:
      return cast('float32', compare('le', next(), constant('float32', int(g, -2, 2))));
    default:
      return binary(oneOf(g, 'add', 'sub'), next(), leaf());
  }
}

/** A kernel that reads up to `most` arrays, and values for them. */
export function drawKernel(g: Draw, most = 3): { kernel: Kernel; inputs: Float32Array[] } {
  const extents = (most: number, min: number): number[] =>
    Array.from({ length: int(g, 0, most) }, () => int(g, min, 5));
  const axes = extents(4, int(g, 0, 9) === 0 ? 0 : 1);
  const reduces = int(g, 0, 2) > 0;
  const reduceAxes = reduces ? extents(3, int(g, 0, 9) === 0 ? 0 : 1) : [];
  const inputs = Array.from({ length: int(g, 1, most) }, () => f32(...extents(4, 1)));
  const leafOf = (points: Shape) => (): Expr => {
    if (points.length > 0 && int(g, 0, 9) === 0) return cast('float32', coord(int(g, 0, points.length - 1)));
    if (int(g, 0, 9) === 0) return constant('float32', oneOf(g, -0, 1, -2, Infinity, -Infinity, NaN));
    const input = int(g, 0, inputs.length - 1);
    const index = (inputs[input] as Aval).shape.map((extent) => drawIndex(g, extent, points));
    const guard = allOf(index.map((i) => i.guard));
    return load(
      input,
      'float32',
      index.map((i) => i.x),
      guard,
    );
  };
  const reductions: Reduction[] = Array.from({ length: reduces ? int(g, 1, 2) : 0 }, () => ({
    op:
      sizeOf(reduceAxes) === 0
        ? oneOf(g, 'add', 'max', 'mul')
        : oneOf(g, 'add', 'add', 'max', 'min', 'argmax', 'argmin'),
    value: drawExpr(g, leafOf([...axes, ...reduceAxes]), int(g, 0, 3)),
  }));
  const accs = reductions.map(({ op, value }, i) =>
    op === 'argmax' || op === 'argmin' ? cast('float32', acc('int32', i)) : acc(value.dtype, i),
  );
  const leaf = leafOf(axes);
  const epilogue = drawExpr(
    g,
    () => (int(g, 0, 1) === 0 ? leaf() : (accs[int(g, 0, 1)] ?? leaf())),
    int(g, 0, 3),
  );
  const output = accs.reduce<Expr>((sum, x) => binary('max', sum, x), epilogue);
  const value = (): number => (int(g, 0, 30) === 0 ? oneOf(g, NaN, Infinity, -Infinity, -0) : int(g, -2, 2));
  return {
    kernel: kernel({ inputs, axes, reduceAxes, reductions, outputs: [output] }),
    inputs: inputs.map(({ shape }) => Float32Array.from({ length: sizeOf(shape) }, value)),
  };
}
