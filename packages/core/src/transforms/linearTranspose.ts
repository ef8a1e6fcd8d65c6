import { ShapeDtype, showAval } from '../aval.ts';
import { ShapeError } from '../errors.ts';
import { toTensor } from '../ops/convert.ts';
import { Linear } from '../primitive.ts';
import { sameShape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { currentTrace, runTraced } from '../trace.ts';
import {
  checkSameStructure,
  type Leaves,
  type Tensors,
  treeFlatten,
  treePaths,
  treeUnflatten,
} from '../tree.ts';
import type { ShapeArguments } from './evalShape.ts';
import { flatFunction } from './flat.ts';
import { instantiate } from './jvp.ts';
import { PartialTrace } from './linearize.ts';
import { transposeProgram } from './transpose.ts';

/**
 * The transpose of a linear function: `⟨f(x), ct⟩ = ⟨x, fᵀ(ct)⟩`. Nothing is evaluated at a point, so the arguments may
 * be shapes.
 *
 * @param f Linear in all of its arguments together.
 * @param args Trees of tensors or {@link ShapeDtype}s: only their shapes and dtypes count.
 * @returns A function from a cotangent, a tree like the result of `f`, to cotangents of the arguments.
 * @throws {RuleError} if `f` is not linear; {TreeError} {ShapeError} from the returned function, if the cotangent does not fit.
 * @example
 * const transposed = linearTranspose((x: Tensor) => multiply(2, x), new ShapeDtype([2]));
 * const [x] = transposed(tensor([1, 3]));   // [2, 6]
 */
export function linearTranspose<A extends readonly unknown[], R>(
  f: (...args: A) => R,
  ...args: ShapeArguments<A>
): (cotangent: Leaves<R>) => Tensors<A> {
  const flat = treeFlatten(args);
  const avals = flat.leaves.map((x) => (x instanceof ShapeDtype ? x : toTensor(x).aval));
  const flatF = flatFunction(f, flat.structure);
  const trace = new PartialTrace('linearTranspose', currentTrace());
  const inputs = avals.map((aval) => trace.input(aval));
  const ys = runTraced(trace, () => flatF.call(...inputs));
  const { program, captured } = trace.finish(ys);
  return (cotangent) => {
    const ct = treeFlatten(cotangent);
    checkSameStructure('linearTranspose', 'the result', flatF.structure(), 'the cotangent', ct.structure);
    const cts = ct.leaves.map((c, i) => {
      const y = ys[i] as Tensor;
      const t = toTensor(c, y.dtype);
      if (!sameShape(t.shape, y.shape))
        throw new ShapeError(
          `linearTranspose: the cotangent of ${treePaths(cotangent)[i]} must be ${showAval(y.aval)}, but is ${showAval(t.aval)}.`,
        );
      return t;
    });
    const operands = [...captured, ...avals.map((aval) => new Linear(aval))];
    const results = transposeProgram(program, operands, cts).slice(captured.length);
    return treeUnflatten(
      flat.structure,
      results.map((x, i) => instantiate(x, avals[i] as ShapeDtype)),
    );
  };
}
