import { showAval } from '../aval.ts';
import { isFloat } from '../dtype.ts';
import { DTypeError, ShapeError } from '../errors.ts';
import { toTensor } from '../ops/convert.ts';
import { sameShape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { checkSameStructure, type TreeStructure, treeFlatten, treePaths } from '../tree.ts';

/**
 * The leaves of a cotangent for results `ys` of the given structure. That of a result which is no float counts for nothing.
 * @throws {TreeError} {ShapeError} {DTypeError} naming the leaf that does not fit.
 */
export function cotangentsOf(
  op: string,
  structure: TreeStructure,
  ys: readonly Tensor[],
  cotangent: unknown,
): Tensor[] {
  const ct = treeFlatten(cotangent);
  checkSameStructure(op, 'the result', structure, 'the cotangent', ct.structure);
  return ct.leaves.map((leaf, i) => {
    const y = ys[i] as Tensor;
    const c = toTensor(leaf, y.dtype);
    const isShaped = sameShape(c.shape, y.shape);
    if (isShaped && (c.dtype === y.dtype || !isFloat(y.dtype))) return c;
    const message = `${op}: the cotangent of ${treePaths(cotangent)[i]} must be ${showAval(y.aval)}, but is ${showAval(c.aval)}`;
    throw isShaped ? new DTypeError(`${message}; convert it with astype().`) : new ShapeError(`${message}.`);
  });
}
