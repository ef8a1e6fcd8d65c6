import type { DType } from '@neumann/core/backend';
import type { Code, Local } from '../asm/code.ts';

const UPPER = [8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15];
const LOWER_HALVES = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23];

/**
 * x, y -> the quotient (or the remainder) of integers of 32 bits. Quotients are those of float64, which round to no whole number
 * that they are not: they are at least 2^-31 away from the next one, and below 2^32. `divisor` is y where it is known.
 */
export function vectorDivision(
  code: Code,
  dtype: DType,
  lanes: number,
  op: 'div' | 'rem',
  divisor: number | undefined,
): void {
  const [x, y, quotient] = code.locals('v128', 3) as [Local, Local, Local];
  const sign = dtype === 'uint32' ? 'u' : 's';
  const known = divisor === undefined ? undefined : new Uint8Array(new Float64Array(2).fill(divisor).buffer);
  const wide = (operand: Local, isUpper: boolean) => {
    code.get(operand);
    if (isUpper) code.get(operand).shuffle(UPPER);
    code.op(`f64x2.convert_low_i32x4_${sign}`);
  };
  const half = (isUpper: boolean) => {
    wide(x, isUpper);
    if (known) code.get(code.constant(known));
    else wide(y, isUpper);
    code.op('f64x2.div').op(`i32x4.trunc_sat_f64x2_${sign}_zero`);
  };
  const splat = (value: number) => code.constant(new Uint8Array(new Int32Array(4).fill(value).buffer));
  code.set(y).set(x);
  half(false);
  if (lanes === 4) {
    half(true);
    code.shuffle(LOWER_HALVES);
  }
  if (divisor === undefined || divisor === 0) code.get(y).get(splat(0)).op('i32x4.eq').op('v128.or'); // x / 0 is -1
  code.set(quotient);
  if (sign === 's' && (divisor === undefined || divisor === -1)) {
    // -2^31 / -1 wraps
    code.get(x).op('i32x4.neg').get(quotient).get(y).get(splat(-1)).op('i32x4.eq').op('v128.bitselect');
    code.set(quotient);
  }
  if (op === 'div') code.get(quotient);
  else code.get(x).get(quotient).get(y).op('i32x4.mul').op('i32x4.sub');
}
