import {
  abs,
  add,
  arange,
  astype,
  equal,
  expandDims,
  forLoop,
  full,
  less,
  lessEqual,
  linalg,
  logicalAnd,
  logicalNot,
  matmul,
  maximum,
  multiply,
  OptionError,
  slice,
  square,
  subtract,
  type Tensor,
  transpose,
  where,
  zeros,
} from '@neumann/core';
import { checkOptions, flag, knownInteger, required } from '../options.ts';
import { inner, type Matvec, unit, vectorSpace } from './vectors.ts';

/** Options of {@link lanczos}. */
export interface LanczosOptions {
  /** k, the number of products, and of Ritz values: at most the number of elements. */
  readonly steps: number;
  /**
   * Whether each new vector is made orthogonal to all before it (twice, in full); true. Without it rounding brings found
   * eigenvalues back as copies, and only the last two vectors are needed.
   */
  readonly reorthogonalize?: boolean;
}

/** What {@link lanczos} found. */
export interface LanczosResult {
  /** `[k]`, the diagonal of T = QᵀA Q. */
  readonly alphas: Tensor;
  /** `[k-1]`, the entries beside the diagonal. */
  readonly betas: Tensor;
  /** `[k]`, the Ritz values (eigenvalues of T), ascending. NaN at the end if the Krylov space has fewer than k dimensions. */
  readonly ritz: Tensor;
  /** `[k]`: each Ritz value is no further than this from an eigenvalue of A. */
  readonly residuals: Tensor;
  /** `[k]`: squares of the start's components along the Ritz vectors. Their sum is 1; see {@link spectralDensity}. */
  readonly weights: Tensor;
  /** `i32[]`, dimensions of the Krylov space, k at most. */
  readonly steps: Tensor;
}

/**
 * The Lanczos algorithm for a symmetric A: an orthonormal basis Q of the Krylov space of `start`, in which A is the tridiagonal
 * T = QᵀA Q, whose eigenvalues soon are close to those of A at both ends of its spectrum (Trefethen and Bau, Numerical Linear
 * Algebra, Lecture 36; Appendix A of https://arxiv.org/abs/1712.03298).
 *
 *     αⱼ = qⱼᵀA qⱼ,   βⱼ qⱼ₊₁ = A qⱼ - αⱼ qⱼ - βⱼ₋₁ qⱼ₋₁
 *
 * Ritz values lie within the spectrum: the largest approaches λmax from below. Where the Krylov space ends before k (the start
 * has parts along fewer eigenvectors with different eigenvalues), the Ritz values there are eigenvalues, exactly.
 *
 * @param matvec x ↦ A x, on trees like `start`.
 * @param start Any vector but 0; usually a random one. Its norm does not matter.
 * @throws {OptionError} for options that are unknown or out of range. {TreeError} {ShapeError} naming the leaf where A x has
 *   another form.
 * @example
 * const a = tensor([4, 2, -1]);
 * lanczos((x: Tensor) => multiply(a, x), ones([3]), { steps: 3 }).ritz   // [-1.0000, 2.0000, 4.0000]
 */
export function lanczos<T>(matvec: Matvec<T>, start: T, options: LanczosOptions): LanczosResult {
  const op = 'lanczos';
  checkOptions(op, options, { steps: required(knownInteger(1)), reorthogonalize: flag });
  const { steps: k, reorthogonalize = true } = options;
  const space = vectorSpace(op, 'start', start);
  const { dtype, size } = space;
  if (k > size)
    throw new OptionError(
      `${op}: steps must be at most the number of elements of start, ${size}, but is ${k}.`,
    );
  const apply = space.map(matvec);
  const first = unit(space.vector('start', start))[0];
  const eps = (dtype === 'float64' ? 2 ** -52 : 2 ** -23) * 4 * Math.sqrt(size);
  const places = arange(k);

  const state = {
    basis: reorthogonalize ? zeros([k, size], dtype) : null,
    alphas: zeros([k], dtype),
    betas: zeros([k], dtype),
    q: first,
    before: zeros([size], dtype),
    beta: full([], 0, dtype),
    /** The largest β' + |α| + β so far, which bounds the eigenvalues of T. */
    scale: full([], 0, dtype),
    open: full([], true),
    steps: full([], 0, 'int32'),
  };
  const step = (j: Tensor, s: typeof state): typeof state => {
    const here = equal(places, j);
    const aq = apply(s.q);
    const alpha = inner(s.q, aq);
    const basis = s.basis && where(expandDims(here, 1), s.q, s.basis);
    const recurrence = subtract(subtract(aq, multiply(alpha, s.q)), multiply(s.beta, s.before));
    const w = basis ? without(basis, without(basis, recurrence)) : recurrence;
    const [next, norm] = unit(w);
    const scale = maximum(s.scale, add(abs(alpha), add(s.beta, norm)));
    // What is left of A q is rounding: the space is complete, and from here on q, α and β are 0.
    const ends = lessEqual(norm, multiply(eps, scale));
    const beta = where(ends, 0, norm);
    return {
      basis,
      alphas: where(here, alpha, s.alphas),
      betas: where(here, beta, s.betas),
      q: where(ends, 0, next),
      before: s.q,
      beta,
      scale,
      open: logicalAnd(s.open, logicalNot(ends)),
      steps: add(s.steps, astype(s.open, 'int32')),
    };
  };
  return ritzOf(forLoop(0, k, step, state));
}

/** w without its parts along the rows of `basis`. */
const without = (basis: Tensor, w: Tensor): Tensor => subtract(w, matmul(matmul(basis, w), basis));

/** Eigenvalues of T, and what its eigenvectors tell. The last of `betas` is the norm that a further step would start with. */
function ritzOf({
  alphas,
  betas,
  scale,
  steps,
}: {
  readonly alphas: Tensor;
  readonly betas: Tensor;
  readonly scale: Tensor;
  readonly steps: Tensor;
}): LanczosResult {
  const k = alphas.size;
  const column = arange(k);
  const row = expandDims(column, 1);
  const found = less(column, steps);
  // Beyond the space T has blocks of one element, above all others: their eigenvalues come last, and are taken off.
  const above = multiply(where(equal(scale, 0), 1, scale), add(2, astype(column, alphas.dtype)));
  const beside = where(equal(row, add(column, 1)), betas, 0);
  const diagonal = where(equal(row, column), where(found, alphas, above), 0);
  const { eigenvalues, eigenvectors } = linalg.eigh(add(diagonal, add(beside, transpose(beside))));
  const end = (i: number) => slice(eigenvectors, [i]);
  return {
    alphas,
    betas: slice(betas, [[0, k - 1]]),
    ritz: where(found, eigenvalues, Number.NaN),
    residuals: where(found, multiply(slice(betas, [k - 1]), abs(end(k - 1))), Number.NaN),
    weights: where(found, square(end(0)), 0),
    steps,
  };
}
