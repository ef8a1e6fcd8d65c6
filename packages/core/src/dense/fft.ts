/** Discrete Fourier transforms: radix 2 for powers of two, and Bluestein's convolution for any other length. */

/** What depends on the length alone. */
interface Plan {
  /** cos and sin of 2π k / n for k < n/2, where n is a power of two. */
  readonly cosines: Float64Array;
  readonly sines: Float64Array;
  /** For other lengths. */
  readonly chirp: Chirp | undefined;
}

/** e^(iπk²/n), and the transform of its sequence, extended to a power of two. */
interface Chirp {
  readonly length: number;
  readonly re: Float64Array;
  readonly im: Float64Array;
  readonly spectrumRe: Float64Array;
  readonly spectrumIm: Float64Array;
}

const plans = new Map<number, Plan>();
const maxPlans = 32;

function planOf(n: number): Plan {
  const known = plans.get(n);
  if (known) return known;
  const plan = (n & (n - 1)) === 0 ? powerOfTwo(n) : { ...powerOfTwo(1), chirp: chirpOf(n) };
  if (plans.size >= maxPlans) plans.delete(plans.keys().next().value as number);
  plans.set(n, plan);
  return plan;
}

function powerOfTwo(n: number): Plan {
  const angles = Array.from({ length: n >> 1 }, (_, k) => (2 * Math.PI * k) / n);
  // cos π/2 is not exactly 0 in floating point, but has to be.
  const exact = (x: number): number => (Math.abs(x) < 1e-16 ? 0 : x);
  return {
    cosines: Float64Array.from(angles, (angle) => exact(Math.cos(angle))),
    sines: Float64Array.from(angles, (angle) => exact(Math.sin(angle))),
    chirp: undefined,
  };
}

function chirpOf(n: number): Chirp {
  let length = 1;
  while (length < 2 * n - 1) length *= 2;
  const [re, im] = [new Float64Array(n), new Float64Array(n)];
  const [spectrumRe, spectrumIm] = [new Float64Array(length), new Float64Array(length)];
  let square = 0; // k² mod 2n, so that angles stay small
  for (let k = 0; k < n; k++) {
    const angle = (Math.PI * square) / n;
    const [c, s] = [Math.cos(angle), Math.sin(angle)];
    re[k] = c;
    im[k] = s;
    for (const at of [k, (length - k) % length]) {
      spectrumRe[at] = c;
      spectrumIm[at] = s;
    }
    square = (square + 2 * k + 1) % (2 * n);
  }
  radix2(spectrumRe, spectrumIm, powerOfTwo(length));
  return { length, re, im, spectrumRe, spectrumIm };
}

/** x̂_j = Σ x_k e^(-2πi jk/n), in place; with `inverse` e^(+2πi jk/n), not divided by n. */
export function fft(re: Float64Array, im: Float64Array, inverse: boolean): void {
  if (re.length <= 1) return;
  // The inverse is the transform with real and imaginary parts exchanged.
  const [a, b] = inverse ? [im, re] : [re, im];
  const plan = planOf(re.length);
  if (plan.chirp) bluestein(a, b, plan.chirp);
  else radix2(a, b, plan);
}

function radix2(re: Float64Array, im: Float64Array, { cosines, sines }: Plan): void {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i >= j) continue;
    [re[i], re[j]] = [re[j] as number, re[i] as number];
    [im[i], im[j]] = [im[j] as number, im[i] as number];
  }
  for (let half = 1; half < n; half *= 2) {
    const step = n / (2 * half);
    for (let start = 0; start < n; start += 2 * half)
      for (let k = 0; k < half; k++) {
        const [c, s] = [cosines[k * step] as number, sines[k * step] as number];
        const [top, low] = [start + k, start + k + half];
        const [x, y] = [re[low] as number, im[low] as number];
        const [u, v] = [x * c + y * s, y * c - x * s];
        const [p, q] = [re[top] as number, im[top] as number];
        re[top] = p + u;
        im[top] = q + v;
        re[low] = p - u;
        im[low] = q - v;
      }
  }
}

/** jk = (j² + k² - (j - k)²) / 2 turns the sum into a convolution with the chirp, which is a product of spectra. */
function bluestein(re: Float64Array, im: Float64Array, chirp: Chirp): void {
  const { length } = chirp;
  const [a, b] = [new Float64Array(length), new Float64Array(length)];
  const turnBack = (x: number, y: number, k: number): [number, number] => {
    const [c, s] = [chirp.re[k] as number, chirp.im[k] as number];
    return [x * c + y * s, y * c - x * s];
  };
  for (let k = 0; k < re.length; k++) [a[k], b[k]] = turnBack(re[k] as number, im[k] as number, k);
  fft(a, b, false);
  for (let k = 0; k < length; k++) {
    const [x, y] = [a[k] as number, b[k] as number];
    const [c, s] = [chirp.spectrumRe[k] as number, chirp.spectrumIm[k] as number];
    a[k] = x * c - y * s;
    b[k] = x * s + y * c;
  }
  fft(a, b, true);
  for (let k = 0; k < re.length; k++)
    [re[k], im[k]] = turnBack((a[k] as number) / length, (b[k] as number) / length, k);
}
