/** log(e^x + e^y) as one primitive: its derivative is a sigmoid, which no difference of the parts could give stably. */
import type { Aval } from '../aval.ts';
import { binary, compare as compareExpr, select as selectExpr, unary } from '../ir/expr.ts';
import type { Expr } from '../ir/kernel.ts';
import type { Primitive } from '../primitive.ts';
import type { Tensor } from '../tensor.ts';
import { bind1 } from '../trace.ts';
import { compare, elementary, mul, select, sub } from './arithmetic.ts';
import { pointwise, scalar } from './pointwise.ts';

const logAddExpPrimitive: Primitive = pointwise({
  name: 'logAddExp',
  dtype: ([x]) => (x as Aval).dtype,
  express: ([x, y]) => {
    const [a, b] = [x as Expr, y as Expr];
    const difference = binary('sub', a, b);
    const small = unary('exp', unary('neg', unary('abs', difference))); // at most 1
    const sum = binary('add', binary('max', a, b), unary('log1p', small));
    // inf - inf is NaN: both are the same infinity, and so is the result
    return selectExpr(compareExpr('ne', difference, difference), binary('add', a, b), sum);
  },
  differentials: [
    (dx, [x, y]) => mul(dx, weight(x as Tensor, y as Tensor)),
    (dy, [x, y]) => mul(dy, weight(y as Tensor, x as Tensor)),
  ],
});

/** e^x / (e^x + e^y); 1/2 for equal infinities. */
function weight(x: Tensor, y: Tensor): Tensor {
  const difference = sub(x, y);
  const known = compare('eq', difference, difference);
  return elementary.sigmoid(select(known, difference, scalar(0, difference.dtype)));
}

/** log(e^x + e^y); x and y share a float dtype. */
export const logAddExp = (x: Tensor, y: Tensor): Tensor => bind1(logAddExpPrimitive, [x, y]);
