import type { Local } from '../asm/code.ts';
import { Floats, type Setting, type Value } from './floats.ts';

/**
 * Elementary functions of four float32 numbers. Their measured errors stand in docs/accuracy.md.
 *
 * Each reduces its argument to a small interval, where a polynomial (of least greatest error, found by iteratively
 * reweighted least squares) takes over. What is rare, such as arguments of exp beyond ±87, is computed by longer code for
 * the whole vector, which gives the other lanes the same bits; arguments of sin beyond 2^13 go through JavaScript's function.
 */
const oneOperand = [
  'exp',
  'expm1',
  'log',
  'log1p',
  'sin',
  'cos',
  'tanh',
  'erf',
  'erfInv',
  'sigmoid',
] as const;

/** Functions with an implementation here. */
export type SpecialName = (typeof oneOperand)[number] | 'pow';

/** Those of them that need JavaScript's function for some arguments. */
export const NEEDS_FALLBACK: ReadonlySet<SpecialName> = new Set(['sin', 'cos', 'pow']);

export function isSpecial(op: string): op is SpecialName {
  return op === 'pow' || oneOperand.some((name) => name === op);
}

/** Writes the function of `x` (and `y`, for pow): its result is left on the stack. */
export function emitSpecial(name: SpecialName, setting: Setting, x: Local, y: Local): void {
  const f = new Floats(setting);
  const [a, b] = [f.local(x), f.local(y)];
  const write = {
    exp: () => exp(f, a),
    expm1: () => withSign(f, expm1(f, a), a),
    log: () => log(f, a),
    log1p: () => log1p(f, a),
    sin: () => trigonometric(f, a, 0),
    cos: () => trigonometric(f, a, 1),
    tanh: () => tanh(f, a),
    erf: () => erf(f, a),
    erfInv: () => erfInv(f, a),
    sigmoid: () => sigmoid(f, a),
    pow: () => pow(f, a, b),
  } satisfies Record<SpecialName, () => Value>;
  write[name]()();
}

const SIGN = -(2 ** 31);
/** 1.5 · 2^23: added to a small number, it leaves the nearest integer in the low bits. */
const ROUNDER = 12582912;
/** ln 2 in two parts, the first of so few bits that its product with an exponent is exact. */
const LN2_HIGH = 0.693359375;
const LN2_LOW = -2.1219444e-4;

/** (e^r - 1 - r) / r² for |r| <= ln 2 / 2, relative error of e^r - 1: 2^-31.9 */
const EXP = [
  0.5000000049234721, 0.16666666826244375, 0.041666342128976686, 0.008333270624297664, 0.0013942046001015937,
  0.00019915623019026908,
];
/** The same, with an error of e^r of 2^-28.2 */
const EXP_WHOLE = [
  0.49999993412485194, 0.16666520107783053, 0.041668394214311136, 0.008368780414543418, 0.001381446688768049,
];
/** (ln(1 + f) - f + f² / 2) / f³ for |f| <= 1/3, relative error of ln(1 + f): 2^-27.6 */
const LOG = [
  0.33333215982000686, -0.24999797673356625, 0.20010405943260107, -0.16680487320891066, 0.14005868659866277,
  -0.12184261413843338, 0.1398443819957157, -0.12891683350302247,
];
/** (sin r - r) / r³ as a polynomial in r² for |r| <= π/4, relative error of sin r: 2^-28 */
const SIN = [-0.16666654802895256, 0.008332168926110634, -0.0001951601196863926];
/** (cos r - 1 + r² / 2) / r⁴ as a polynomial in r², error 2^-33.3 */
const COS = [0.041666646628500226, -0.0013887355365809746, 2.4437007819199068e-5];
/** erf(x) / x - 1 as a polynomial in x² for |x| <= 0.95, relative error of erf 2^-25.4 */
const ERF_SMALL = [
  0.1283791425107838, -0.3761244714185827, 0.11281332720324058, -0.02674928116861399, 0.004968090945884518,
  -0.0005864922522913941,
];
/** -log2(1 - erf(x)) / x for 0.92 <= x <= 4, relative error of erf 2^-28.3 */
const ERF_LARGE = [
  1.6281020719998116, 0.9171476611303084, 0.1518607388921817, -0.033023237869955306, 0.0046382005552154815,
  -0.00030871503501081336,
];
/** 2^-t for |t| <= 1/2, relative error 2^-23.6 */
const EXP2_DOWN = [
  1.000000071739296, -0.6931469668092052, 0.2402211930316863, -0.055507135152819805, 0.009675564160515676,
  -0.0013276449081623463,
];
/** erfInv(x) / x as a polynomial in w - 2.5 for w = -ln(1 - x²) from 0 to 5, relative error 2^-27.4 */
const ERF_INV_CENTRE = [
  1.50140935928229, 0.246640286155379, -0.004177386779872094, -0.0012527418827495106, 0.0002183444384027311,
  -4.963345293634731e-6, -3.462704488024656e-6, 4.661701044581946e-7, 2.3232622196574085e-8,
  -8.791015974356924e-9,
];
/** The same in √w - 3.125 for w from 5 to 16, relative error 2^-26.9 */
const ERF_INV_TAIL = [
  2.958320127124436, 1.0037186520585513, 0.007049352553129571, -0.005299922811900577, 0.0037793738040384234,
  -0.0025271819060927944, 0.0013159649701151876, -0.0003108657010421804, -0.0001775054091260433,
  0.0001213248444742194,
];
/** log2((1 + s) / (1 - s)) / s as a polynomial in s² for s² <= 0.04, relative error 2^-48.7 */
const LOG2 = [
  2.88539008177793, 0.9617966939162189, 0.5770780204816285, 0.4121979549429467, 0.3206437889413161,
  0.2606759910027043, 0.2509741715936864,
];
/** 2^r for |r| <= 1/2, relative error 2^-28.9 */
const EXP2 = [
  1.000000000599859, 0.693147207267337, 0.2402264665725363, 0.055503254713938285, 0.009618503537490664,
  0.001340125799928559, 0.000153446537483202,
];
/** π / 2 in four parts; products of the first three with integers up to 2^13 are exact. */
const HALF_PI = [1.5703125, 4.837512969970703e-4, 7.549533620476723e-8, 2.5633440682570896e-12] as const;

/** `x` between the bounds; NaN stays. */
function clamp(f: Floats, x: Value, low: number, high: number): Value {
  return f.op('f32x4.pmax', f.op('f32x4.pmin', x, f.number(high)), f.number(low));
}

/** The integer nearest to `x factor`: as float32, and in the low bits of another vector. */
function nearest(f: Floats, x: Value, factor: number): { whole: Value; bits: Value } {
  const bits = f.madd(x, f.number(factor), f.number(ROUNDER));
  return { whole: f.op('f32x4.sub', bits, f.number(ROUNDER)), bits };
}

/** `x = n ln 2 + r` */
function reduceExp(f: Floats, x: Value): { bits: Value; r: Value } {
  const { whole, bits } = nearest(f, x, Math.LOG2E);
  return { bits, r: f.madd(whole, f.number(-LN2_LOW), f.madd(whole, f.number(-LN2_HIGH), x)) };
}

/**
 * `x 2^n` for the n in [-256, 255] that stands in the low 9 bits of `bits`. Both powers of which 2^n is the product are
 * normal: results may be too small for that, or infinite.
 */
function scale(f: Floats, x: Value, bits: Value): Value {
  const exponent = f.shift('i32x4.shl', bits, 23);
  const half = f.shift('i32x4.shl', f.shift('i32x4.shr_s', exponent, 24), 23);
  const powerOfTwo = (e: Value) => f.op('i32x4.add', e, f.integer(127 << 23));
  return f.mul(f.mul(x, powerOfTwo(half)), powerOfTwo(f.op('i32x4.sub', exponent, half)));
}

/** e^x where |x| is at most 87: a normal number, of which only the exponent is raised by n. */
function expUsual(f: Floats, x: Value): Value {
  const { bits, p } = expOfRest(f, x);
  return f.op('i32x4.add', p, f.shift('i32x4.shl', bits, 23));
}

/** The same for any x. What is below -104 is computed as 0 and then left out: to multiply down to nothing takes processors long. */
function expAny(f: Floats, given: Value): Value {
  const isNothing = f.op('f32x4.le', given, f.number(-104));
  const { bits, p } = expOfRest(f, f.op('v128.andnot', f.op('f32x4.pmin', given, f.number(89)), isNothing));
  return f.op('v128.andnot', scale(f, p, bits), isNothing);
}

/** `e^x = p 2^n` */
function expOfRest(f: Floats, x: Value): { bits: Value; p: Value } {
  const { bits, r } = reduceExp(f, x);
  const slope = f.madd(f.polynomial(r, EXP_WHOLE), r, f.number(1));
  return { bits, p: f.madd(slope, r, f.number(1)) };
}

/** Whether |x| is above 87, or x is NaN. */
function isExtreme(f: Floats, x: Value): Value {
  const magnitude = f.op('v128.and', x, f.integer(~SIGN));
  return f.op('i32x4.gt_s', magnitude, f.integer(0x42ae0000));
}

function exp(f: Floats, x: Value): Value {
  return f.either(
    isExtreme(f, x),
    () => expAny(f, x),
    () => expUsual(f, x),
  );
}

/** Without the sign of a zero. */
function expm1(f: Floats, x: Value): Value {
  return expm1Between(f, clamp(f, x, -18, 89));
}

/** The same between -18 and 89. */
function expm1Between(f: Floats, x: Value): Value {
  const { bits, r } = reduceExp(f, x);
  const p = f.madd(f.mul(r, r), f.polynomial(r, EXP), r);
  const half = f.op('i32x4.add', f.shift('i32x4.shl', bits, 23), f.integer(126 << 23)); // 2^(n - 1)
  const sum = f.madd(p, half, f.op('f32x4.sub', half, f.number(0.5)));
  return f.add(sum, sum);
}

/** `x`, of which only the magnitude counts, with the sign of another number. */
function withSign(f: Floats, x: Value, of: Value): Value {
  return f.op('v128.or', x, f.op('v128.and', of, f.integer(SIGN)));
}

/** `x = 2^e m` with m in [2/3, 4/3), for positive normal numbers. */
function split(f: Floats, x: Value): { e: Value; m: Value } {
  const e = f.shift('i32x4.shr_s', f.op('i32x4.sub', x, f.integer(0x3f2aaaab)), 23);
  return { e, m: f.op('i32x4.sub', x, f.shift('i32x4.shl', e, 23)) };
}

/** A positive number as a normal one and the exponent that this took away. */
function normalise(f: Floats, x: Value): { normal: Value; lost: Value } {
  const small = f.op('f32x4.lt', x, f.number(2 ** -126));
  const normal = f.select(small, f.mul(x, f.number(2 ** 23)), x);
  return { normal, lost: f.op('v128.and', small, f.integer(-23)) };
}

/** `ln(1 + fraction) + e ln 2` */
function logOf(f: Floats, fraction: Value, e: Value): Value {
  const [square, exponent] = [f.mul(fraction, fraction), f.op('f32x4.convert_i32x4_s', e)];
  const p = f.polynomial(fraction, LOG);
  const cubic = f.madd(f.mul(square, fraction), p, f.mul(exponent, f.number(LN2_LOW)));
  const y = f.add(f.madd(square, f.number(-0.5), cubic), fraction);
  return f.madd(exponent, f.number(LN2_HIGH), y);
}

/** `result` for 0 < x < inf; -inf for 0, NaN below, inf and NaN for themselves. */
function logOrLimit(f: Floats, x: Value, result: Value): Value {
  const positive = f.op('f32x4.gt', x, f.number(0));
  const isZero = f.op('f32x4.eq', x, f.number(0));
  const limit = f.select(isZero, f.number(-Infinity), f.number(NaN));
  const bounded = f.op('f32x4.lt', x, f.number(Infinity));
  return f.select(positive, f.select(bounded, result, x), limit);
}

function log(f: Floats, x: Value): Value {
  const isUsual = f.op('i32x4.lt_s', f.op('i32x4.add', x, f.integer(0x7f800000)), f.integer(-0x01000000));
  return f.either(
    f.op('v128.not', isUsual),
    () => {
      const { normal, lost } = normalise(f, x);
      return logOrLimit(f, x, logOfNormal(f, normal, lost));
    },
    () => logOfNormal(f, x),
  );
}

/** The logarithm of a positive normal number, and of 2 to the power of what it lost before. */
function logOfNormal(f: Floats, x: Value, lost?: Value): Value {
  const { e, m } = split(f, x);
  return logOf(f, f.add(m, f.number(-1)), lost ? f.op('i32x4.add', e, lost) : e);
}

/** `ln u` of u = fl(1 + x), with what the rounding lost put back at the scale of m. */
function log1p(f: Floats, x: Value): Value {
  const u = f.add(x, f.number(1));
  const lost = f.op('f32x4.sub', x, f.add(u, f.number(-1)));
  const { e, m } = split(f, u);
  const inverse = f.op('i32x4.max_s', f.op('i32x4.sub', f.integer(127), e), f.integer(0));
  const fraction = f.madd(lost, f.shift('i32x4.shl', inverse, 23), f.add(m, f.number(-1)));
  return withSign(f, logOrLimit(f, u, logOf(f, fraction, e)), x);
}

/** sin(x + quarter π / 2), where x is at most 2^13. */
function trigonometric(f: Floats, x: Value, quarter: 0 | 1): Value {
  const isLarge = f.op('f32x4.gt', f.op('f32x4.abs', x), f.number(8192));
  return f.unless(isLarge, [x], () => {
    const { whole, bits } = nearest(f, x, 2 / Math.PI);
    const r = HALF_PI.reduce((rest, part) => f.madd(whole, f.number(-part), rest), x);
    const square = f.mul(r, r);
    const sin = f.madd(f.mul(r, square), f.polynomial(square, SIN), r);
    const even = f.madd(square, f.number(-0.5), f.number(1));
    const cos = f.madd(f.mul(square, square), f.polynomial(square, COS), even);
    const turned = quarter === 0 ? bits : f.op('i32x4.add', bits, f.integer(1));
    const isOdd = f.op('i32x4.ne', f.op('v128.and', turned, f.integer(1)), f.integer(0));
    const sign = f.shift('i32x4.shl', f.op('v128.and', turned, f.integer(2)), 30);
    const result = f.op('v128.xor', f.select(isOdd, cos, sin), sign);
    return quarter === 0 ? f.select(f.op('f32x4.eq', x, f.number(0)), x, result) : result;
  });
}

function tanh(f: Floats, x: Value): Value {
  const bounded = f.op('f32x4.pmin', f.op('f32x4.abs', x), f.number(10));
  const e = expm1Between(f, f.add(bounded, bounded));
  return withSign(f, f.op('f32x4.div', e, f.add(e, f.number(2))), x);
}

function erf(f: Floats, x: Value): Value {
  const magnitude = f.op('f32x4.abs', x);
  const square = f.mul(x, x);
  const small = f.madd(f.polynomial(square, ERF_SMALL), x, x);
  const bounded = f.op('f32x4.pmin', magnitude, f.number(4));
  const power = f.polynomial(bounded, ERF_LARGE); // 1 - erf = 2^-(bounded power)
  const bits = f.madd(bounded, power, f.number(ROUNDER));
  const rest = f.madd(bounded, power, f.op('f32x4.sub', f.number(ROUNDER), bits));
  const missing = f.op('i32x4.sub', f.polynomial(rest, EXP2_DOWN), f.shift('i32x4.shl', bits, 23));
  const large = f.op('f32x4.sub', f.number(1), missing);
  const isLarge = f.op('f32x4.ge', magnitude, f.number(0.9375));
  return f.select(isLarge, withSign(f, large, x), small);
}

/** ±inf at ±1, NaN beyond. One of 300 numbers between is in the tail. */
function erfInv(f: Floats, x: Value): Value {
  const magnitude = f.op('f32x4.abs', x);
  const below = f.op('f32x4.sub', f.number(1), magnitude);
  const { e, m } = split(f, f.mul(below, f.add(magnitude, f.number(1)))); // at least 2^-24
  const w = f.op('f32x4.neg', logOf(f, f.add(m, f.number(-1)), e));
  const centre = f.polynomial(f.add(w, f.number(-2.5)), ERF_INV_CENTRE);
  const isTail = f.op('f32x4.ge', w, f.number(5));
  const isBeyond = f.op('f32x4.ge', magnitude, f.number(1));
  const ratio = f.either(
    f.op('v128.or', isTail, isBeyond),
    () => {
      const tail = f.polynomial(f.add(f.op('f32x4.sqrt', w), f.number(-3.125)), ERF_INV_TAIL);
      const isOne = f.op('f32x4.eq', magnitude, f.number(1));
      const limit = f.select(isOne, f.number(Infinity), f.number(NaN));
      return f.select(isBeyond, limit, f.select(isTail, tail, centre));
    },
    () => centre,
  );
  return f.mul(x, ratio);
}

/** 1 / (1 + e^-x), but e^x where that is close to it and e^-x may be infinite. */
function sigmoid(f: Floats, x: Value): Value {
  const negative = f.op('f32x4.neg', x);
  const of = (e: Value) => f.op('f32x4.div', f.number(1), f.add(e, f.number(1)));
  return f.either(
    isExtreme(f, x),
    () => f.select(f.op('f32x4.lt', x, f.number(-87)), expAny(f, x), of(expAny(f, negative))),
    () => of(expUsual(f, negative)),
  );
}

/** 2^(y log2 |x|), the product and both functions in float64; the sign and NaN of negative x by what y is. */
function pow(f: Floats, x: Value, y: Value): Value {
  const [base, exponent] = [f.op('f32x4.abs', x), f.op('f32x4.abs', y)];
  const usualBase = f.op(
    'v128.and',
    f.op('f32x4.gt', base, f.number(0)),
    f.op('f32x4.lt', base, f.number(Infinity)),
  );
  const usual = f.op('v128.and', usualBase, f.op('f32x4.lt', exponent, f.number(Infinity)));
  return f.unless(f.op('v128.not', usual), [x, y], () => {
    const { normal, lost } = normalise(f, base);
    const { e, m } = split(f, normal);
    const exponents = f.op('i32x4.add', e, lost);
    const low = powerOfHalf(f, m, exponents, y);
    const upper = (v: Value) => {
      v();
      v();
      f.code.shuffle([8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15]);
      return f.kept();
    };
    const high = powerOfHalf(f, upper(m), upper(exponents), upper(y));
    const join = (a: Value, b: Value) => {
      a();
      b();
      f.code.shuffle([0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]);
      return f.kept();
    };
    const magnitude = scale(f, join(low.fraction, high.fraction), join(low.n, high.n));
    const whole = (v: Value) => f.op('f32x4.eq', f.op('f32x4.trunc', v), v);
    const isWhole = whole(y);
    const isOdd = f.op('v128.andnot', isWhole, whole(f.mul(y, f.number(0.5))));
    const sign = f.op('v128.and', f.op('v128.and', x, isOdd), f.integer(SIGN));
    const isUndefined = f.op('v128.andnot', f.op('f32x4.lt', x, f.number(0)), isWhole);
    return f.op('v128.or', f.op('v128.or', magnitude, sign), isUndefined);
  });
}

/** `(2^e m)^y` of the lower two lanes as `fraction 2^n`, in float32 and int32 lanes. */
function powerOfHalf(f: Floats, m: Value, e: Value, y: Value): { fraction: Value; n: Value } {
  const wide = f.op('f64x2.promote_low_f32x4', m);
  const s = f.op('f64x2.div', f.op('f64x2.add', wide, f.double(-1)), f.op('f64x2.add', wide, f.double(1)));
  const p = f.polynomial64(f.op('f64x2.mul', s, s), LOG2);
  const log2 = f.madd64(p, s, f.op('f64x2.convert_low_i32x4_s', e));
  const power = f.op('f64x2.mul', log2, f.op('f64x2.promote_low_f32x4', y));
  const bounded = f.op('f64x2.max', f.op('f64x2.min', power, f.double(140)), f.double(-160));
  const whole = f.op('f64x2.nearest', bounded);
  const fraction = f.polynomial64(f.op('f64x2.sub', bounded, whole), EXP2);
  return {
    fraction: f.op('f32x4.demote_f64x2_zero', fraction),
    n: f.op('i32x4.trunc_sat_f64x2_s_zero', whole),
  };
}
