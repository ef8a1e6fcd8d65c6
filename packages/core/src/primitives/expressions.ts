/** Words for longer scalar formulas, so that they read as formulas. */
import { binary, compare, constant, select, unary } from '../ir/expr.ts';
import type { BinaryOp, Expr, UnaryOp } from '../ir/kernel.ts';

/** A formula's operand: an expression, or a number of the other operands' dtype. */
export type Term = Expr | number;

const toExpr = (x: Term, dtype: Expr['dtype']): Expr => (typeof x === 'number' ? constant(dtype, x) : x);

const pair =
  (op: BinaryOp) =>
  (x: Term, y: Term): Expr => {
    const { dtype } = typeof x === 'number' ? (y as Expr) : x;
    return binary(op, toExpr(x, dtype), toExpr(y, dtype));
  };

export const plus = pair('add');
export const minus = pair('sub');
export const times = pair('mul');
export const over = pair('div');
export const rest = pair('rem');
export const raised = pair('pow');
export const greaterOf = pair('max');
export const lesserOf = pair('min');

export const apply = (op: UnaryOp, x: Expr): Expr => unary(op, x);

export const isLess = (x: Term, y: Term): Expr => {
  const { dtype } = typeof x === 'number' ? (y as Expr) : x;
  return compare('lt', toExpr(x, dtype), toExpr(y, dtype));
};
export const isEqual = (x: Term, y: Term): Expr => {
  const { dtype } = typeof x === 'number' ? (y as Expr) : x;
  return compare('eq', toExpr(x, dtype), toExpr(y, dtype));
};

/** `condition ? x : y` */
export const choose = (condition: Expr, x: Term, y: Term): Expr => {
  const { dtype } = typeof x === 'number' ? (y as Expr) : x;
  return select(condition, toExpr(x, dtype), toExpr(y, dtype));
};

/** `c[0] + c[1] x + c[2] x² + …` */
export const polynomial = (x: Expr, coefficients: readonly number[]): Expr =>
  coefficients
    .slice(0, -1)
    .reduceRight<Term>((y, c) => plus(times(y, x), c), coefficients.at(-1) as number) as Expr;

/** `c[0] + c[1] T₁(x) + c[2] T₂(x) + …` with Chebyshev's polynomials, by Clenshaw's recurrence. */
export function chebyshev(x: Expr, coefficients: readonly number[]): Expr {
  const twice = times(2, x);
  let [ahead, next]: [Term, Term] = [0, 0];
  for (const c of coefficients.slice(1).reverse())
    [ahead, next] = [plus(minus(times(twice, ahead), next), c), ahead];
  return plus(minus(times(x, ahead), next), coefficients[0] as number);
}
