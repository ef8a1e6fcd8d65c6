import {
  getBackend,
  isFloat,
  jvp,
  place,
  showAval,
  type Tensor,
  treeFlatten,
  treePaths,
  treeUnflatten,
  vjp,
} from './core.ts';
import { directions } from './random.ts';

export interface GradientOptions {
  /** How many derivatives are checked: 2 by default, so that the gradient function is itself checked. */
  readonly order?: number;
  readonly modes?: readonly ('forward' | 'reverse')[];
  /** Of the random directions. */
  readonly seed?: number;
  /** Relative tolerance of finite differences; see {@link differenceTolerance}. */
  readonly tolerance?: number;
}

/**
 * Step of the central difference. Its error is h²|f'''|/6 (truncation) + u|f|/h (rounding), which is least near
 * h = u^(1/3), where both are of the order u^(2/3) = 2e-11.
 */
const step = 2 ** (-53 / 3);

/**
 * What rounding may cost finite differences, relative to the greatest element of the result and its derivative:
 * u^(2/3), times 10^3 for sums with cancellation. A derivative wrong by 0.1 % is 40,000 times that. What truncation
 * costs is measured: with twice the step it is four times as much.
 */
export const differenceTolerance: number = 1e3 * step ** 2;

/** Both inner products come from the same float64 numbers; what is left is rounding in sums with cancellation. */
const adjointTolerance = 2 ** -33;

/**
 * Checks the derivatives of `f` at `args` along random directions, in both modes, and those of the derivatives:
 *
 * - forward: `jvp` against central differences;
 * - reverse: `⟨J v, u⟩ = ⟨v, Jᵀ u⟩`, `vjp` against `jvp`.
 *
 * Where `order` is more than 1, the functions `(x, v) ↦ J(x) v` and `(x, u) ↦ J(x)ᵀ u` are then checked the same way.
 *
 * @param f Of any trees, to a tree; results that are not floats are left alone.
 * @param args float64 where they are floats (finite differences of float32 see its rounding and nothing else), at a
 *   point around which `f` is smooth. Other leaves are held fixed.
 * @throws {Error} naming the order and mode of the derivative that is wrong, and both numbers.
 * @example
 * checkGradients((w: Tensor, x: Tensor) => tanh(matmul(x, w)), [w, x]);
 */
export function checkGradients<A extends readonly unknown[]>(
  f: (...args: A) => unknown,
  args: A,
  options: GradientOptions = {},
): void {
  const { order = 2, modes = ['forward', 'reverse'], seed = 1, tolerance = differenceTolerance } = options;
  const flat = treeFlatten(args);
  const leaves = flat.leaves as Tensor[];
  const wrong = leaves.findIndex((x) => x.dtype === 'float32');
  if (wrong >= 0)
    throw new Error(
      `checkGradients: needs float64, but ${treePaths(args)[wrong]} is ${showAval((leaves[wrong] as Tensor).aval)}.`,
    );
  const active = leaves.map((x) => isFloat(x.dtype));
  const g: Flat = (...xs) => {
    let next = 0;
    const all = leaves.map((x, i) => (active[i] ? (xs[next++] as Tensor) : x));
    const results = treeFlatten(f(...treeUnflatten<A>(flat.structure, all))).leaves as Tensor[];
    return results.filter((y) => isFloat(y.dtype));
  };
  const xs = leaves.filter((_, i) => active[i]);
  if (xs.length === 0) throw new Error('checkGradients: there is no float64 among the arguments.');
  check(g, xs, { order, modes, random: directions(seed), tolerance, name: f.name || 'f' });
}

/** A function of float tensors alone. */
type Flat = (...xs: Tensor[]) => Tensor[];

interface Context {
  readonly order: number;
  readonly modes: readonly ('forward' | 'reverse')[];
  readonly random: () => number;
  readonly tolerance: number;
  /** Which derivative this is: `forward of reverse of f`. */
  readonly name: string;
}

function check(f: Flat, xs: readonly Tensor[], context: Context): void {
  const { order, modes, random, tolerance, name } = context;
  const directionOf = (x: Tensor): Tensor => like(x, Float64Array.from({ length: x.size }, random));
  const vs = xs.map(directionOf);
  const [ys, dys] = jvpOf(f, xs, vs);
  if (ys.length === 0) return;
  if (modes.includes('forward')) checkForward(f, xs, vs, ys, dys, tolerance, name);
  const us = ys.map(directionOf);
  if (modes.includes('reverse')) checkReverse(f, xs, vs, us, dys, name);
  if (order <= 1) return;
  const below = { ...context, order: order - 1 };
  const count = xs.length;
  const pushed: Flat = (...all) => jvpOf(f, all.slice(0, count), all.slice(count))[1];
  const pulled: Flat = (...all) => vjpOf(f, all.slice(0, count), all.slice(count));
  if (modes.includes('forward')) check(pushed, [...xs, ...vs], { ...below, name: `forward of ${name}` });
  if (modes.includes('reverse')) check(pulled, [...xs, ...us], { ...below, name: `reverse of ${name}` });
}

function checkForward(
  f: Flat,
  xs: readonly Tensor[],
  vs: readonly Tensor[],
  ys: readonly Tensor[],
  dys: readonly Tensor[],
  tolerance: number,
  name: string,
): void {
  const moved = (h: number): Float64Array[] =>
    f(...xs.map((x, i) => like(x, axpy(h, values(vs[i] as Tensor), values(x))))).map(values);
  const slopes = (h: number): Float64Array[] => {
    const [ahead, behind] = [moved(h), moved(-h)];
    return ahead.map((y, i) => axpy(-1, behind[i] as Float64Array, y).map((d) => d / (2 * h)));
  };
  const [near, far] = [slopes(step), slopes(2 * step)];
  for (const [i, want] of near.entries()) {
    const got = values(dys[i] as Tensor);
    const scale = Math.max(greatest(values(ys[i] as Tensor)), greatest(want));
    for (const [j, w] of want.entries()) {
      const g = got[j] as number;
      const allowed = tolerance * scale + Math.abs(w - ((far[i] as Float64Array)[j] as number));
      if (!(Math.abs(g - w) <= allowed))
        throw new Error(
          `checkGradients: forward of ${name}: result ${i}, element ${j}: jvp gives ${g}, finite differences give ${w} ` +
            `(allowed difference: ${allowed}).`,
        );
    }
  }
}

function checkReverse(
  f: Flat,
  xs: readonly Tensor[],
  vs: readonly Tensor[],
  us: readonly Tensor[],
  dys: readonly Tensor[],
  name: string,
): void {
  const cts = vjpOf(f, xs, us);
  const [left, leftScale] = inner(dys, us);
  const [right, rightScale] = inner(vs, cts);
  const allowed = adjointTolerance * Math.max(leftScale, rightScale);
  if (!(Math.abs(left - right) <= allowed))
    throw new Error(
      `checkGradients: reverse of ${name}: vjp gives ⟨v, Jᵀu⟩ = ${right}, but jvp gives ⟨Jv, u⟩ = ${left} ` +
        `(allowed difference: ${allowed}).`,
    );
}

function jvpOf(f: Flat, xs: readonly Tensor[], vs: readonly Tensor[]): [Tensor[], Tensor[]] {
  return jvp<Tensor[], Tensor[]>(f, [...xs], [...vs]);
}

function vjpOf(f: Flat, xs: readonly Tensor[], us: readonly Tensor[]): Tensor[] {
  const [, back] = vjp((...all: Tensor[]) => f(...all), ...xs);
  return back([...us]);
}

/** `Σ a·b` and `Σ |a·b|`. */
export function inner(as: readonly Tensor[], bs: readonly Tensor[]): [sum: number, scale: number] {
  let [sum, scale] = [0, 0];
  for (const [i, a] of as.entries()) {
    const [x, y] = [values(a), values(bs[i] as Tensor)];
    for (let j = 0; j < x.length; j++) {
      const term = (x[j] as number) * (y[j] as number);
      sum += term;
      scale += Math.abs(term);
    }
  }
  return [sum, scale];
}

const values = (x: Tensor): Float64Array => Float64Array.from(x.dataSync());

const like = (x: Tensor, elements: Float64Array): Tensor => place(getBackend(), 'float64', x.shape, elements);

const axpy = (a: number, x: Float64Array, y: Float64Array): Float64Array =>
  y.map((v, i) => v + a * (x[i] as number));

const greatest = (xs: Float64Array): number => xs.reduce((m, x) => Math.max(m, Math.abs(x)), 0);
