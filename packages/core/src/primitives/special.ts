/**
 * Special functions as scalar formulas: one kernel each, on every backend. Each derivative is another of them, so they
 * can be differentiated again.
 */
import { binary, cast, constant } from '../ir/expr.ts';
import type { Expr } from '../ir/kernel.ts';
import type { Primitive } from '../primitive.ts';
import type { Tensor } from '../tensor.ts';
import { bind1 } from '../trace.ts';
import { add, compare, div, elementary, mul, neg, select, sub } from './arithmetic.ts';
import {
  apply,
  chebyshev,
  choose,
  greaterOf,
  isEqual,
  isLess,
  lesserOf,
  minus,
  over,
  plus,
  polynomial,
  raised,
  rest,
  times,
} from './expressions.ts';
import { type Differential, pointwise, scalar } from './pointwise.ts';

type Formula = (...operands: Expr[]) => Expr;

/** A primitive of float operands from a formula and its differentials. */
/* @__NO_SIDE_EFFECTS__ */
function special(name: string, formula: Formula, differentials: readonly (Differential | null)[]): Primitive {
  return pointwise({
    name,
    dtype: (inputs) => (inputs[0] as { dtype: Tensor['dtype'] }).dtype,
    express: (operands) => formula(...operands),
    differentials,
  });
}

const like = (value: number, x: Tensor): Tensor => scalar(value, x.dtype);
/** The tangent of a function of one operand by its slope. */
const bySlope =
  (slope: (x: Tensor, y: Tensor) => Tensor): Differential =>
  (dx, [x], y) =>
    mul(dx, slope(x as Tensor, y));

/* ---- roots and lengths ---- */

/** `∛x`: a power, and one step of Newton's that takes the error of the exponent away. */
const cbrtPrimitive = special(
  'cbrt',
  (x) => {
    const a = apply('abs', x);
    const y = raised(a, 1 / 3);
    const better = minus(y, over(minus(y, over(a, times(y, y))), 3));
    const ordinary = binary('and', isLess(0, a), isLess(a, Infinity)); // a (1 / a) is 1 to some shader compilers
    return times(apply('sign', x), choose(ordinary, better, y));
  },
  [bySlope((x, y) => div(y, mul(like(3, x), x)))],
);

/** `√(x² + y²)` without overflow; its derivative at 0 is 0. */
const hypotPrimitive = special(
  'hypot',
  (x, y) => {
    const [a, b] = [apply('abs', x), apply('abs', y)];
    const [long, short] = [greaterOf(a, b), lesserOf(a, b)];
    const ratio = over(short, choose(isEqual(long, 0), 1, long));
    const length = times(long, apply('sqrt', plus(1, times(ratio, ratio))));
    return choose(isEqual(long, Infinity), Infinity, length);
  },
  [
    (dx, [x], z) => mul(dx, div(x as Tensor, nonZero(z))),
    (dy, [, y], z) => mul(dy, div(y as Tensor, nonZero(z))),
  ],
);

const nonZero = (x: Tensor): Tensor => select(compare('eq', x, like(0, x)), like(1, x), x);

export const cbrt = (x: Tensor): Tensor => bind1(cbrtPrimitive, [x]);
export const hypot = (x: Tensor, y: Tensor): Tensor => bind1(hypotPrimitive, [x, y]);

/* ---- the gamma function and its derivatives ---- */

/** `log Γ(t) / ((t - 1) (t - 2))` on [1.5, 2.5] by Chebyshev's polynomials in `2t - 4`: no cancellation at the zeros. */
const betweenZeros = [
  0.42702679007974548, -0.051362660632714989, 0.0042838651217719098, -0.00040868943087781981,
  4.1898892140086047e-5, -4.4884162278477358e-6, 4.9503595920619495e-7, -5.5728822591361027e-8,
  6.3690388969750433e-9, -7.3632819980185005e-10, 8.5903193412784074e-11, -1.0095493885309281e-11,
  1.1937031224595884e-12, -1.4202528042517315e-13, 1.6868451080398472e-14, -1.9706458687096529e-15,
];
/** `B_2k / (2k (2k - 1))`: Stirling's series. */
const stirling = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400];

/** `log Γ(z)` for `z >= 1/2`: from 8 on by Stirling's series, below by steps to [1.5, 2.5]. */
function logGammaRight(z: Expr): Expr {
  const small = isLess(z, 1.5);
  let t = choose(small, plus(z, 1), z);
  let product: Expr = choose(small, z, 1);
  for (let step = 0; step < 6; step++) {
    const far = isLess(2.5, t);
    t = choose(far, minus(t, 1), t);
    product = choose(far, times(product, t), product);
  }
  const middle = times(times(minus(t, 1), minus(t, 2)), chebyshev(times(2, minus(t, 2)), betweenZeros));
  const logarithm = apply('log', product);
  const near = plus(middle, choose(small, apply('neg', logarithm), logarithm));
  const w = greaterOf(z, 8);
  const inverse = over(1, w);
  const tail = times(inverse, polynomial(times(inverse, inverse), stirling));
  const stirlingSum = plus(
    minus(times(minus(w, 0.5), minus(apply('log', w), 1)), 0.5),
    0.5 * Math.log(2 * Math.PI),
  );
  return choose(isLess(z, 8), near, plus(stirlingSum, tail));
}

/** `x` without its nearest integer, in [-1/2, 1/2]. */
const fraction = (x: Expr): Expr => minus(x, apply('round', x));

const logGammaPrimitive: Primitive = special(
  'logGamma',
  (x) => {
    const reflected = isLess(x, 0.5);
    const value = logGammaRight(choose(reflected, minus(1, x), x));
    const sine = apply('abs', apply('sin', times(Math.PI, fraction(x))));
    const mirrored = minus(minus(Math.log(Math.PI), apply('log', sine)), value);
    const infinite = isEqual(apply('abs', x), Infinity);
    return choose(infinite, Infinity, choose(reflected, mirrored, value));
  },
  [bySlope((x) => digamma(x))],
);

/** Steps by which digamma's argument is raised before its asymptotic series is good. */
const raise = 9;

const digammaPrimitive: Primitive = special(
  'digamma',
  (x) => {
    const reflected = isLess(x, 0.5);
    const z = choose(reflected, minus(1, x), x);
    const far = plus(z, raise);
    let sum = minus(apply('log', far), over(0.5, far));
    const inverse = over(1, times(far, far));
    // B_2k / 2k
    sum = minus(
      sum,
      times(
        inverse,
        polynomial(inverse, [1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12]),
      ),
    );
    for (let k = raise - 1; k >= 0; k--) sum = minus(sum, over(1, plus(z, k)));
    const value = choose(isEqual(z, Infinity), Infinity, sum);
    const part = fraction(x);
    const mirrored = minus(value, over(Math.PI, apply('tan', times(Math.PI, part))));
    return choose(reflected, choose(isEqual(part, 0), Number.NaN, mirrored), value);
  },
  [bySlope((x) => trigamma(x))],
);

/** `B_2j / (2j)!` for the Euler-Maclaurin series of zeta. */
const bernoulli = [
  1 / 12,
  -1 / 720,
  1 / 30240,
  -1 / 1209600,
  1 / 47900160,
  -691 / 1307674368000,
  1 / 74724249600,
  -3617 / 10670622842880000,
];
/** Terms of zeta that are summed as they are. */
const direct = 10;

/** Hurwitz' `ζ(s, q) = Σ (q + k)^-s` for s > 1 and q > 0, by Euler and Maclaurin. */
const zetaPrimitive: Primitive = special(
  'zeta',
  (s, q) => {
    const negative = apply('neg', s);
    const far = plus(q, direct);
    const last = raised(far, negative);
    let tail = plus(over(times(last, far), minus(s, 1)), times(0.5, last));
    let factor = over(times(s, last), far); // s (s+1) … (s+2j-2) far^(-s-2j+1)
    const inverse = over(1, times(far, far));
    for (const [j, b] of bernoulli.entries()) {
      tail = plus(tail, times(b, factor));
      factor = times(factor, times(inverse, times(plus(s, 2 * j + 1), plus(s, 2 * j + 2))));
    }
    for (let k = direct - 1; k >= 0; k--) tail = plus(tail, raised(plus(q, k), negative));
    const known = choose(isLess(0, q), tail, choose(isEqual(q, 0), Infinity, constant(q.dtype, Number.NaN)));
    const atInfinity = choose(isEqual(q, Infinity), 0, known);
    return choose(isLess(1, s), atInfinity, choose(isEqual(s, 1), Infinity, constant(s.dtype, Number.NaN)));
  },
  [
    (ds, [s]) => mul(ds, mul(s as Tensor, like(Number.NaN, ds))), // no closed form: never a silent wrong number
    (dq, [s, q]) => mul(dq, mul(neg(s as Tensor), zeta(add(s as Tensor, like(1, dq)), q as Tensor))),
  ],
);

export const logGamma = (x: Tensor): Tensor => bind1(logGammaPrimitive, [x]);
export const digamma = (x: Tensor): Tensor => bind1(digammaPrimitive, [x]);
export const zeta = (s: Tensor, q: Tensor): Tensor => bind1(zetaPrimitive, [s, q]);

/** The derivative of digamma, everywhere: `ζ(2, x)`, below 1/2 by reflection. */
function trigamma(x: Tensor): Tensor {
  const reflected = compare('lt', x, like(0.5, x));
  const value = zeta(like(2, x), select(reflected, sub(like(1, x), x), x));
  const turned = mul(like(Math.PI, x), select(reflected, x, like(0.5, x)));
  const ratio = div(like(Math.PI, x), elementary.sin(turned));
  return select(reflected, sub(mul(ratio, ratio), value), value);
}

/* ---- modified Bessel functions ---- */

/** Chebyshev series in `x/4 - 1` on [0, 8] of `e^-x I₀(x)` and `e^-x I₁(x)/x`; in `16/x - 1` beyond, times √x. */
const bessel = {
  i0near: [
    0.338397637204738, -0.30468267234319835, 0.17162090152220863, -0.09490109704804749, 0.049305284239670545,
    -0.023737414805899353, 0.010546460394594748, -0.004324309995050515, 0.001639475616941317,
    -0.0005763755745385569, 0.00018850288509575486, -5.754195010051921e-5, 1.644844807049961e-5,
    -4.416738358531402e-6, 1.1173875389114407e-6, -2.6707938531211896e-7, 6.046995004727052e-8,
    -1.3000250169148409e-8, 2.659823703510256e-9, -5.18979322849944e-10, 9.675803380737591e-11,
    -1.726826348580346e-11, 2.954790856435352e-12, -4.85346207668158e-13, 7.646439037500841e-14,
    -1.1679268663300491e-14, 1.5376588891058418e-15,
  ],
  i0far: [
    0.40224520550705434, 0.003369116478255698, 6.889758346915187e-5, 2.891370520892167e-6,
    2.048918588570814e-7, 2.266668996497856e-8, 3.396231893493251e-9, 4.940602815750595e-10,
    1.1889156326105876e-11, -3.149915883682297e-11, -1.3215872840532938e-11, -1.7940782193193173e-12,
    7.179368211041038e-13, 3.8527847578961885e-13, 1.5307755063531658e-14, -4.1466829969749597e-14,
    -9.658940314238862e-15, 3.733680031814402e-15, 1.8118839761882555e-15, -2.3092638912203257e-16,
    -3.4638958368304885e-16,
  ],
  i1near: [
    0.1262935932218168, -0.176416518357834, 0.10264365868984704, -0.05294598120809491, 0.02472644903062644,
    -0.010564084894626142, 0.004156422944312771, -0.0015135724506312276, 0.0005122859561685564,
    -0.00016176081582588043, 4.781565107545474e-5, -1.3273163655881659e-5, 3.470251308021477e-6,
    -8.568720265031416e-7, 2.0032947525422396e-7, -4.4450591245304154e-8, 9.38153729673763e-9,
    -1.887249776177935e-9, 3.625590050404526e-10, -6.663478213653207e-11, 1.1736166483089506e-11,
    -1.9839861697956705e-12, 3.2226415980218806e-13, -5.028963356856764e-14, 7.457368056407177e-15,
    -1.1096332186433244e-15,
  ],
  i1far: [
    0.3892881175091401, -0.009761097491361425, -0.00011058893876265907, -3.8825648088014475e-6,
    -2.512236238816357e-7, -2.631468840164075e-8, -3.835380517624998e-9, -5.589743112821566e-10,
    -1.8974946058847308e-11, 3.2526044080327665e-11, 1.4125753899918436e-11, 2.035722701521081e-12,
    -7.199396634405275e-13, -4.0836001247157586e-13, -2.111644192837048e-14, 4.275690912436403e-14,
    1.0311751452718453e-14, -3.884670363163423e-15, -1.8407497748285097e-15, 4.440892098500626e-16,
    2.4202861936828414e-16,
  ],
};

/** The near series at a place in [0, 8], and the far one, divided by √x, beyond. */
function besselValue(a: Expr, near: readonly number[], far: readonly number[]): { near: Expr; far: Expr } {
  const close = minus(times(0.25, lesserOf(a, 8)), 1);
  const beyond = greaterOf(a, 8);
  return {
    near: chebyshev(close, near),
    far: over(chebyshev(minus(over(16, beyond), 1), far), apply('sqrt', beyond)),
  };
}

const i0ePrimitive: Primitive = special(
  'besselI0e',
  (x) => {
    const a = apply('abs', x);
    const value = besselValue(a, bessel.i0near, bessel.i0far);
    return choose(isLess(8, a), value.far, value.near);
  },
  [bySlope((x, y) => sub(i1e(x), mul(elementary.sign(x), y)))],
);

const i1ePrimitive: Primitive = special(
  'besselI1e',
  (x) => {
    const a = apply('abs', x);
    const value = besselValue(a, bessel.i1near, bessel.i1far);
    return choose(isLess(8, a), times(apply('sign', x), value.far), times(x, value.near));
  },
  [bySlope((x, y) => sub(sub(i0e(x), mul(elementary.sign(x), y)), ratioToX(x, y)))],
);

/** `i1e(x) / x`, which is 1/2 at 0. */
const ratioToX = (x: Tensor, y: Tensor): Tensor => {
  const isZero = compare('eq', x, like(0, x));
  return select(isZero, like(0.5, x), div(y, select(isZero, like(1, x), x)));
};

export const i0e = (x: Tensor): Tensor => bind1(i0ePrimitive, [x]);
export const i1e = (x: Tensor): Tensor => bind1(i1ePrimitive, [x]);

/* ---- the normal distribution ---- */

/** Hastings' first guess of the quantile at a tail probability (Abramowitz and Stegun 26.2.23), within 4.5e-4. */
function firstQuantile(tail: Expr): Expr {
  const t = apply('sqrt', times(-2, apply('log', tail)));
  const top = polynomial(t, [2.515517, 0.802853, 0.010328]);
  const bottom = polynomial(t, [1, 1.432788, 0.189269, 0.001308]);
  return minus(over(top, bottom), t);
}

/** The inverse of the normal distribution function: Halley's steps on the logarithm of `erfc`. */
const ndtriPrimitive: Primitive = special(
  'ndtri',
  (p) => {
    const upper = isLess(0.5, p);
    const tail = choose(upper, minus(1, p), p); // exact, as 1/2 < p
    let x = firstQuantile(tail);
    for (let step = 0; step < 2; step++) {
      const value = times(0.5, apply('erfc', times(-Math.SQRT1_2, x)));
      const density = times(1 / Math.sqrt(2 * Math.PI), apply('exp', times(-0.5, times(x, x))));
      const newton = over(minus(value, tail), density);
      x = minus(x, over(newton, plus(1, times(0.5, times(x, newton)))));
    }
    const signed = choose(upper, apply('neg', x), x);
    const atEnds = choose(
      isEqual(p, 0),
      -Infinity,
      choose(isEqual(p, 1), Infinity, constant(p.dtype, Number.NaN)),
    );
    const inside = times(p, minus(1, p));
    return choose(isLess(0, inside), signed, atEnds);
  },
  [bySlope((x, y) => mul(like(Math.sqrt(2 * Math.PI), x), elementary.exp(mul(like(0.5, x), mul(y, y)))))],
);

export const ndtri = (p: Tensor): Tensor => bind1(ndtriPrimitive, [p]);

/* ---- integers ---- */

/** Euclid's algorithm takes at most so many steps for 32 bits. */
const euclidSteps = 46;

const gcdPrimitive: Primitive = pointwise({
  name: 'gcd',
  dtype: ([x]) => (x as { dtype: Tensor['dtype'] }).dtype,
  express: ([x, y]) => {
    const positive = (e: Expr): Expr => (e.dtype === 'int32' ? cast('uint32', apply('abs', e)) : e);
    let [a, b] = [positive(x as Expr), positive(y as Expr)];
    for (let step = 0; step < euclidSteps; step++) {
      const done = isEqual(b, 0);
      [a, b] = [choose(done, a, b), choose(done, 0, rest(a, b))];
    }
    return cast((x as Expr).dtype, a);
  },
  differentials: [null, null],
});

/** The greatest common divisor. */
export const gcd = (x: Tensor, y: Tensor): Tensor => bind1(gcdPrimitive, [x, y]);
