import type { UnaryOp } from '../ir/kernel.ts';

type Unary = (x: number) => number;
type Binary = (x: number, y: number) => number;

/** The names of the scalar functions of floats, of one operand and of two. */
export type ScalarFunctions = Readonly<
  Record<Exclude<UnaryOp, 'not'>, Unary> & Record<'pow' | 'atan2', Binary>
>;

/** The scalar functions of floats, to float64 accuracy: what JavaScript's `Math` has, and what it lacks. */
export const scalarFunctions: ScalarFunctions = {
  sqrt: Math.sqrt,
  rsqrt: (x) => 1 / Math.sqrt(x),
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  asin: Math.asin,
  acos: Math.acos,
  atan: Math.atan,
  sinh: Math.sinh,
  cosh: Math.cosh,
  tanh: Math.tanh,
  asinh: Math.asinh,
  acosh: Math.acosh,
  atanh: Math.atanh,
  erf,
  erfc,
  erfInv,
  sigmoid,
  floor: Math.floor,
  ceil: Math.ceil,
  trunc: Math.trunc,
  round: roundHalfEven,
  neg: (x) => -x,
  abs: Math.abs,
  sign: Math.sign,
  pow: (x, y) => (x === 1 ? 1 : x ** y),
  atan2: Math.atan2,
};

/** `1 / (1 + e^-x)`; the exponential never overflows, so both tails keep their relative accuracy. */
function sigmoid(x: number): number {
  const e = Math.exp(-Math.abs(x));
  return x < 0 ? e / (1 + e) : 1 / (1 + e);
}

/** The nearest integer, the even one of two; keeps the sign of zero. */
function roundHalfEven(x: number): number {
  const magnitude = Math.abs(x);
  if (!(magnitude < 2 ** 52)) return x; // already an integer, or NaN
  const rounded = magnitude + 2 ** 52 - 2 ** 52; // the addition rounds half to even
  return x < 0 || Object.is(x, -0) ? -rounded : rounded;
}

/**
 * `erf(x) = 2/√π ∫₀ˣ exp(-t²) dt`, within 1 ulp.
 *
 * The rational approximations of fdlibm's s_erf.c (Sun Microsystems, 1993; "Permission to use, copy, modify, and
 * distribute this software is freely granted, provided that this notice is preserved").
 */
function erf(x: number): number {
  const a = Math.abs(x);
  if (a < 0.84375) return x + x * centre(x * x);
  const y = a < 1.25 ? ERF_1 + aroundOne(a - 1) : a < 6 ? 1 - tail(a) : a >= 6 ? 1 : NaN;
  return x < 0 ? -y : y;
}

/** `erfc(x) = 1 - erf(x)`, without cancellation; fdlibm's s_erf.c. */
function erfc(x: number): number {
  const a = Math.abs(x);
  if (x < 0.25 && a < 0.84375) return 1 - (x + x * centre(x * x));
  if (a < 0.84375) return 0.5 - (x - 0.5 + x * centre(x * x));
  if (a < 1.25) return x < 0 ? 1 + (ERF_1 + aroundOne(a - 1)) : 1 - ERF_1 - aroundOne(a - 1);
  if (a < 28) return x < 0 ? 2 - tail(a) : tail(a);
  return a >= 28 ? (x < 0 ? 2 : 0) : NaN;
}

/**
 * The inverse of `erf`: ±∞ at ±1, NaN outside of [-1, 1].
 *
 * Starts from S. Winitzki, "A handy approximation for the error function and its inverse" (2008), good to 2e-3, and
 * takes Halley steps on `erf`, or on `erfc` towards the ends, where `1 - |x|` is exact and `erf` has no digits left.
 */
function erfInv(x: number): number {
  const a = Math.abs(x);
  if (!(a < 1)) return a === 1 ? x / 0 : NaN;
  const log = Math.log1p(-a * a);
  const b = 2 / (Math.PI * 0.147) + log / 2;
  let y = Math.sqrt(Math.sqrt(b * b - log / 0.147) - b);
  for (let step = 0; step < 3; step++) {
    const excess = a < 0.5 ? erf(y) - a : 1 - a - erfc(y);
    const newton = excess / (TWO_OVER_SQRT_PI * Math.exp(-y * y));
    y -= newton / (1 + y * newton);
  }
  return x < 0 || Object.is(x, -0) ? -y : y;
}

/** `erf(x)/x - 1` by `z = x²`, for |x| < 0.84375. */
function centre(z: number): number {
  return polynomial(z, sun.pp) / polynomial(z, sun.qq);
}

/** `erf(1 + s) - ERF_1` for 0.84375 ≤ 1 + s < 1.25. */
function aroundOne(s: number): number {
  return polynomial(s, sun.pa) / polynomial(s, sun.qa);
}

/** `erfc(x)` for 1.25 ≤ x < 28. */
function tail(x: number): number {
  const s = 1 / (x * x);
  const ratio =
    x < 1 / 0.35
      ? polynomial(s, sun.ra) / polynomial(s, sun.sa)
      : polynomial(s, sun.rb) / polynomial(s, sun.sb);
  const z = Math.fround(x); // z * z is exact, so exp(-x²) loses nothing by a large exponent
  return (Math.exp(-z * z - 0.5625) * Math.exp((z - x) * (z + x) + ratio)) / x;
}

/** `c[0] + c[1] x + c[2] x² + …` */
function polynomial(x: number, coefficients: readonly number[]): number {
  let y = 0;
  for (let i = coefficients.length - 1; i >= 0; i--) y = y * x + (coefficients[i] as number);
  return y;
}

const TWO_OVER_SQRT_PI = 1.1283791670955126;
/** `erf(1)` rounded to float32, so that adding to it is exact. */
const ERF_1 = 8.45062911510467529297e-1;

/** Coefficients of s_erf.c under its names, lowest power first. */
const sun = {
  pp: [
    1.28379167095512558561e-1, -3.2504210724700149937e-1, -2.84817495755985104766e-2,
    -5.77027029648944159157e-3, -2.37630166566501626084e-5,
  ],
  qq: [
    1, 3.97917223959155352819e-1, 6.50222499887672944485e-2, 5.08130628187576562776e-3,
    1.32494738004321644526e-4, -3.9602282787753681232e-6,
  ],
  pa: [
    -2.36211856075265944077e-3, 4.14856118683748331666e-1, -3.72207876035701323847e-1,
    3.18346619901161753674e-1, -1.10894694282396677476e-1, 3.54783043256182359371e-2,
    -2.166375594868790843e-3,
  ],
  qa: [
    1, 1.06420880400844228286e-1, 5.40397917702171048937e-1, 7.18286544141962662868e-2,
    1.26171219808761642112e-1, 1.36370839120290507362e-2, 1.1984499846799107417e-2,
  ],
  ra: [
    -9.86494403484714822705e-3, -6.93858572707181764372e-1, -1.05586262253232909814e1,
    -6.23753324503260060396e1, -1.62396669462573470355e2, -1.84605092906711035994e2,
    -8.12874355063065934246e1, -9.81432934416914548592,
  ],
  sa: [
    1, 1.96512716674392571292e1, 1.376577541435190426e2, 4.34565877475229228821e2, 6.45387271733267880336e2,
    4.29008140027567833386e2, 1.08635005541779435134e2, 6.57024977031928170135, -6.04244152148580987438e-2,
  ],
  rb: [
    -9.86494292470009928597e-3, -7.99283237680523006574e-1, -1.77579549177547519889e1,
    -1.60636384855821916062e2, -6.37566443368389627722e2, -1.02509513161107724954e3,
    -4.83519191608651397019e2,
  ],
  sb: [
    1, 3.03380607434824582924e1, 3.25792512996573918826e2, 1.53672958608443695994e3, 3.19985821950859553908e3,
    2.55305040643316442583e3, 4.74528541206955367215e2, -2.24409524465858183362e1,
  ],
};
