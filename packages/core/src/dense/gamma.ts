/** Gamma and Poisson variates, as JAX draws them. */
import { normal, threefry, unit, type Words } from './threefry.ts';

/**
 * The logarithm of a variate of the gamma distribution of shape `a` (Marsaglia and Tsang, "A simple method for generating
 * gamma variables", 2000); for a < 1 that of a + 1, times u^(1/a).
 */
export function logGammaVariate(key: Words, a: number, wide: boolean): number {
  if (!(a > 0) || a === Infinity) return a === Infinity ? a : a === 0 ? -Infinity : Number.NaN;
  const d = (a >= 1 ? a : a + 1) - 1 / 3;
  const c = 1 / 3 / Math.sqrt(d);
  let current = threefry(key, 0);
  const boostKey = threefry(key, 1);
  for (;;) {
    let xKey = threefry(current, 1);
    const uKey = threefry(current, 2);
    current = threefry(current, 0);
    let [x, v] = [0, -1];
    while (v <= 0) {
      x = normal(threefry(xKey, 1), wide);
      v = 1 + x * c;
      xKey = threefry(xKey, 0);
    }
    const [square, cube, u] = [x * x, v * v * v, unit(uKey, 0, wide)];
    const accepted =
      u < 1 - 0.0331 * square * square || Math.log(u) < square / 2 + d * (1 - cube + Math.log(cube));
    if (!accepted) continue;
    const boost = a >= 1 ? 0 : Math.log1p(-unit(boostKey, 0, wide)) / a;
    return Math.log(d) + Math.log(cube) + boost;
  }
}

/**
 * d log x / da for a variate x of the gamma distribution of shape a, at the quantile where it is: -∂P/∂a / (x ∂P/∂x), with
 * the series P(a, x) = x^a e^-x Σ x^n / Γ(a + n + 1).
 */
export function logGammaSlope(a: number, logX: number): number {
  const x = Math.exp(logX);
  let term = 1 / a;
  let psi = digamma(a + 1);
  let total = 0;
  let weight = 0;
  for (let n = 1; ; n++) {
    total += term * (logX - psi);
    weight += term;
    if (!(term > 2 ** -60 * weight)) return -total;
    term *= x / (a + n);
    psi += 1 / (a + n);
  }
}

/** Γ'/Γ for positive x: the recurrence up to 10, then the asymptotic series. */
function digamma(x: number): number {
  let [y, shift] = [x, 0];
  for (; y < 10; y++) shift -= 1 / y;
  const r = 1 / (y * y);
  return (
    shift + Math.log(y) - 0.5 / y - r * (1 / 12 - r * (1 / 120 - r * (1 / 252 - r * (1 / 240 - r / 132))))
  );
}

/** log Γ for positive x, by Stirling's series. */
function logGamma(x: number): number {
  let [y, shift] = [x, 0];
  for (; y < 10; y++) shift -= Math.log(y);
  const r = 1 / (y * y);
  const series = (1 / 12 - r * (1 / 360 - r * (1 / 1260 - r * (1 / 1680 - r / 1188)))) / y;
  return shift + (y - 0.5) * Math.log(y) - y + 0.5 * Math.log(2 * Math.PI) + series;
}

/** Poisson variates, one for each rate, which share a sequence of keys and have a counter each. */
export function poissonVariates(key: Words, rates: ArrayLike<number>, counts: Int32Array): void {
  const small = keySequence(key, 2);
  const large = keySequence(key, 3);
  for (let i = 0; i < counts.length; i++) {
    const rate = rates[i] as number;
    counts[i] = rate < 10 ? smallPoisson(small, rate, i) : rate < 2 ** 31 ? largePoisson(large, rate, i) : -1;
  }
}

/** Step t of `key, …subkeys = split(key, count)`, made when first asked for. */
function keySequence(key: Words, count: number): (t: number) => readonly Words[] {
  const steps: Words[][] = [];
  let current = key;
  return (t) => {
    while (steps.length <= t) {
      steps.push(Array.from({ length: count - 1 }, (_, j) => threefry(current, j + 1)));
      current = threefry(current, 0);
    }
    return steps[t] as Words[];
  };
}

type Keys = ReturnType<typeof keySequence>;

/** Knuth: how many uniform numbers until their product falls below e^-rate. */
function smallPoisson(keys: Keys, rate: number, counter: number): number {
  let [k, log] = [0, 0];
  for (; log > -rate; k++)
    log = Math.fround(log + Math.fround(Math.log(unit(keys(k)[0] as Words, counter, false))));
  return rate === 0 ? 0 : k - 1;
}

/** Hörmann: "The transformed rejection method for generating Poisson random variables" (1993). */
function largePoisson(keys: Keys, rate: number, counter: number): number {
  const b = 0.931 + 2.53 * Math.sqrt(rate);
  const a = -0.059 + 0.02483 * b;
  const inverseAlpha = 1.1239 + 1.1328 / (b - 3.4);
  for (let t = 0; ; t++) {
    const [uKey, vKey] = keys(t) as [Words, Words];
    const u = unit(uKey, counter, false) - 0.5;
    const v = unit(vKey, counter, false);
    const inside = 0.5 - Math.abs(u);
    const k = Math.floor((2 * (a / inside) + b) * u + rate + 0.43);
    if (inside >= 0.07 && v <= 0.9277 - 3.6224 / (b - 2)) return k;
    if (k < 0 || (inside < 0.013 && v > inside)) continue;
    const s = Math.log((v * inverseAlpha) / (a / (inside * inside) + b));
    if (s <= -rate + k * Math.log(rate) - logGamma(k + 1)) return k;
  }
}
