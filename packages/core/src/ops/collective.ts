/** Functions of all examples of a batch, for use under `vmap(f, { axisName })`. */
import { isFloat } from '../dtype.ts';
import { DTypeError, OptionError } from '../errors.ts';
import { convert, div, neg } from '../primitives/arithmetic.ts';
import {
  axisIndex as indexOf,
  pmax as maxOver,
  psum as sumOver,
  unknownAxis,
} from '../primitives/collective.ts';
import { scalar } from '../primitives/pointwise.ts';
import type { Tensor } from '../tensor.ts';
import { findAxis, type NamedAxis, namedAxes } from '../trace.ts';
import { type Tensors, treeMap } from '../tree.ts';
import { numericOperand } from './convert.ts';

/**
 * The sum over the examples of the batch that `vmap` calls `axisName`; every example gets it.
 *
 * @param tree A tensor of each example, or a tree of them.
 * @throws {OptionError} if no `vmap` around the call has the name.
 * @example
 * vmap((x: Tensor) => divide(x, psum(x, 'batch')), { axisName: 'batch' })(tensor([1, 3]))   // [0.25, 0.75]
 */
export function psum<T>(tree: T, axisName: string): Tensors<T> {
  axisOf('psum', axisName);
  return treeMap((x) => sumOver(numericOperand('psum', x), axisName), tree);
}

/**
 * The mean over the examples of the batch that `vmap` calls `axisName`.
 *
 * @throws {OptionError} if no `vmap` around the call has the name.
 * @example
 * vmap((x: Tensor) => subtract(x, pmean(x, 'batch')), { axisName: 'batch' })(tensor([1, 3]))   // [-1, 1]
 */
export function pmean<T>(tree: T, axisName: string): Tensors<T> {
  const { size } = axisOf('pmean', axisName);
  return treeMap((x) => {
    const t = numericOperand('pmean', x);
    const total = sumOver(isFloat(t.dtype) ? t : convert(t, 'float32'), axisName);
    return div(total, scalar(size, total.dtype));
  }, tree);
}

/**
 * The greatest over the examples of the batch that `vmap` calls `axisName`.
 *
 * @throws {OptionError} if no `vmap` around the call has the name.
 * @example
 * vmap((x: Tensor) => subtract(x, pmax(x, 'batch')), { axisName: 'batch' })(tensor([1, 3]))   // [-2, 0]
 */
export function pmax<T>(tree: T, axisName: string): Tensors<T> {
  axisOf('pmax', axisName);
  return treeMap((x) => maxOver(numericOperand('pmax', x), axisName), tree);
}

/**
 * The least over the examples of the batch that `vmap` calls `axisName`.
 *
 * @throws {OptionError} if no `vmap` around the call has the name; {DTypeError} for unsigned integers.
 * @example
 * vmap((x: Tensor) => subtract(x, pmin(x, 'batch')), { axisName: 'batch' })(tensor([1, 3]))   // [0, 2]
 */
export function pmin<T>(tree: T, axisName: string): Tensors<T> {
  axisOf('pmin', axisName);
  return treeMap((x) => neg(maxOver(neg(signed(numericOperand('pmin', x))), axisName)), tree);
}

function signed(x: Tensor): Tensor {
  if (x.dtype === 'uint8' || x.dtype === 'uint32')
    throw new DTypeError(`pmin: is not defined for ${x.dtype}; convert to int32 with astype().`);
  return x;
}

/**
 * The number of the example within the batch that `vmap` calls `axisName`: an int32 scalar.
 *
 * @throws {OptionError} if no `vmap` around the call has the name.
 * @example
 * vmap((x: Tensor) => multiply(x, axisIndex('batch')), { axisName: 'batch' })(tensor([5, 5, 5]))   // [0, 5, 10]
 */
export function axisIndex(axisName: string): Tensor {
  axisOf('axisIndex', axisName);
  return indexOf(axisName);
}

/**
 * The number of examples of the batch that `vmap` calls `axisName`: a JavaScript number, known while tracing.
 *
 * @throws {OptionError} if no `vmap` around the call has the name.
 * @example
 * vmap((x: Tensor) => divide(x, axisSize('batch')), { axisName: 'batch' })(tensor([2, 4]))   // [1, 2]
 */
export function axisSize(axisName: string): number {
  return axisOf('axisSize', axisName).size;
}

function axisOf(op: string, axisName: string): NamedAxis {
  if (typeof axisName !== 'string')
    throw new OptionError(`${op}: needs the name of an axis, as in vmap(f, { axisName: 'batch' }).`);
  const found = findAxis(axisName);
  if (!found) throw new OptionError(unknownAxis(op, axisName, namedAxes()));
  return found;
}
