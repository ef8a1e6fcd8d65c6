import { astype, maximum, multiply, type Tensor } from '@neumann/core';
import { checkOptions, nonNegative, type RulesOf } from '../options.ts';
import { type GradientTransformation, type Scalar, stateless } from '../protocol.ts';
import { beside, normOf, rmsOf, zipTrees } from '../trees.ts';

/** Options of {@link scaleByParamBlockNorm} and {@link scaleByParamBlockRms}. */
export interface ScaleByParamBlockOptions {
  /** The least factor; 1e-3. */
  readonly minScale?: Scalar;
}

const rules: RulesOf<ScaleByParamBlockOptions> = { minScale: nonNegative };

/**
 * Multiplies the update of each tensor by the norm of the tensor, or by `minScale` where that is greater.
 *
 * @example
 * scaleByParamBlockNorm().update(tensor([1, 2]), null, tensor([3, 4]))[0]   // [5, 10]
 */
export function scaleByParamBlockNorm(options: ScaleByParamBlockOptions = {}): GradientTransformation<null> {
  return scaleBy('scaleByParamBlockNorm', normOf, options);
}

/**
 * Multiplies the update of each tensor by the root mean square of the tensor, or by `minScale` where that is greater
 * (Adafactor's relative step; Shazeer and Stern 2018, https://arxiv.org/abs/1804.04235).
 *
 * @example
 * scaleByParamBlockRms().update(tensor([1, 2]), null, tensor([3, 3]))[0]   // [3, 6]
 */
export function scaleByParamBlockRms(options: ScaleByParamBlockOptions = {}): GradientTransformation<null> {
  return scaleBy('scaleByParamBlockRms', rmsOf, options);
}

function scaleBy(
  op: string,
  sizeOf: (x: Tensor) => Tensor,
  options: ScaleByParamBlockOptions,
): GradientTransformation<null> {
  checkOptions(op, options, rules);
  const { minScale = 1e-3 } = options;
  return stateless((updates, params) =>
    zipTrees(op, { updates }, { params }, (u, p) =>
      multiply(u, astype(maximum(sizeOf(p), beside(p, minScale)), u.dtype)),
    ),
  );
}
