import {
  add,
  astype,
  divide,
  matmul,
  multiply,
  OptionError,
  reshape,
  sqrt,
  square,
  sum,
  Tensor,
  transpose,
} from '@neumann/core';
import { checkOptions, flag, fraction, knownInteger, nonNegative, type RulesOf } from '../options.ts';
import type { GradientTransformation, Scalar, TensorTree } from '../protocol.ts';
import { beside, zerosOf, zipTrees } from '../trees.ts';

/** Options of {@link orthogonalize}. */
export interface NewtonSchulzOptions {
  /** a, b, c of the polynomial a x + b x³ + c x⁵; 3.4445, -4.775, 2.0315. */
  readonly coefficients?: readonly [number, number, number];
  /** Iterations; 5. */
  readonly steps?: number;
  /** Added to the norm that the matrix is divided by; 1e-7. */
  readonly eps?: Scalar;
}

/** Options of {@link scaleByMuon}. */
export interface ScaleByMuonOptions extends NewtonSchulzOptions {
  /** Decay of the momentum; 0.95. */
  readonly beta?: Scalar;
  /** Whether the gradient counts once more; true. */
  readonly nesterov?: boolean;
}

const schulzRules: RulesOf<NewtonSchulzOptions> = {
  coefficients: {
    allows: (x) => Array.isArray(x) && x.length === 3 && x.every(Number.isFinite),
    range: 'three numbers',
  },
  steps: knownInteger(1),
  eps: nonNegative,
};

export const muonRules: RulesOf<ScaleByMuonOptions> = { ...schulzRules, beta: fraction, nesterov: flag };

/**
 * Nearly the orthogonal matrix U Vᵀ of a matrix U S Vᵀ, by Newton and Schulz's iteration: its singular values are between
 * 0.7 and 1.2 (Jordan 2024, https://kellerjordan.github.io/posts/muon). From `X = x / ‖x‖`,
 * `X ← a X + b (X Xᵀ) X + c (X Xᵀ)² X`.
 *
 * @param x `[m, n]`
 * @throws {OptionError} unless `x` is a matrix.
 * @example
 * orthogonalize(tensor([[2, 0], [0, 1]])).shape   // [2, 2]
 */
export function orthogonalize(x: Tensor, options: NewtonSchulzOptions = {}): Tensor {
  checkOptions('orthogonalize', options, schulzRules);
  if (!(x instanceof Tensor)) throw new OptionError(`orthogonalize: takes a tensor, but got ${typeof x}.`);
  if (x.ndim !== 2) throw new OptionError(`orthogonalize: takes a matrix, but got [${x.shape.join()}].`);
  const { coefficients: [a, b, c] = [3.4445, -4.775, 2.0315], steps = 5, eps = 1e-7 } = options;
  const [rows, columns] = x.shape as readonly [number, number];
  const isTall = rows > columns;
  const wide = isTall ? transpose(x) : x; // X Xᵀ is the smaller product
  let y = divide(wide, add(sqrt(sum(square(wide))), beside(x, eps)));
  for (let i = 0; i < steps; i++) {
    const gram = matmul(y, transpose(y));
    y = add(multiply(a, y), matmul(add(multiply(b, gram), multiply(c, matmul(gram, gram))), y));
  }
  return isTall ? transpose(y) : y;
}

/** State of {@link scaleByMuon}. */
export interface ScaleByMuonState {
  /** The decaying sum of gradients. */
  readonly momentum: TensorTree;
}

/**
 * Momentum, orthogonalised (Muon; Jordan 2024, https://kellerjordan.github.io/posts/muon): `m = beta m + g`,
 * `u = √max(1, rows/columns) orthogonalize(g + beta m)` with Nesterov's momentum, or of m. For weights `[…, in, out]` of at
 * least two axes; rows are the last axis and columns all others together, as outputs and inputs. {@link muon} gives other
 * parameters to Adam.
 *
 * @throws {OptionError} for a tensor with fewer than two axes.
 * @example
 * const tx = chain(scaleByMuon(), scaleByLearningRate(0.02));
 */
export function scaleByMuon(options: ScaleByMuonOptions = {}): GradientTransformation<ScaleByMuonState> {
  const op = 'scaleByMuon';
  checkOptions(op, options, muonRules);
  const { beta = 0.95, nesterov = true, ...schulz } = options;
  return {
    init: (params) => ({ momentum: zerosOf(op, params) }),
    update: (updates, state) => {
      const momentum = zipTrees(op, { momentum: state.momentum }, { updates }, (m, u) =>
        add(multiply(beside(m, beta), m), astype(u, m.dtype)),
      );
      const result = zipTrees(op, { updates }, { momentum }, (u, m) => {
        if (u.ndim < 2)
          throw new OptionError(
            `${op}: takes tensors of at least two axes, but got [${u.shape.join()}]; muon() gives others to Adam, or use partition().`,
          );
        const direction = nesterov ? add(astype(u, m.dtype), multiply(beside(m, beta), m)) : m;
        const outputs = u.shape.at(-1) as number;
        const inputs = u.size / Math.max(1, outputs);
        const orthogonal = orthogonalize(reshape(direction, [inputs, outputs]), schulz);
        const factor = Math.sqrt(Math.max(1, outputs / inputs));
        return astype(reshape(multiply(factor, orthogonal), u.shape), u.dtype);
      });
      return [result, { momentum }];
    },
  };
}
