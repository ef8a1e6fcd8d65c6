import { ShapeDtype } from '../aval.ts';
import { toTensor } from '../ops/convert.ts';
import { Linear } from '../primitive.ts';
import { currentTrace, runTraced } from '../trace.ts';
import { type Leaves, type Tensors, treeFlatten, treeUnflatten } from '../tree.ts';
import { cotangentsOf } from './cotangents.ts';
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
 * @throws {RuleError} if `f` is not linear; {TreeError} {ShapeError} {DTypeError} from the returned function, if the cotangent does not fit.
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
  const flatF = flatFunction('linearTranspose', f, flat.structure);
  const trace = new PartialTrace('linearTranspose', currentTrace());
  const inputs = avals.map((aval) => trace.input(aval));
  const ys = runTraced(trace, () => flatF.call(...inputs));
  const { program, captured } = trace.finish(ys);
  return (cotangent) => {
    const cts = cotangentsOf('linearTranspose', flatF.structure(), ys, cotangent);
    const operands = [...captured, ...avals.map((aval) => new Linear(aval))];
    const results = transposeProgram(program, operands, cts).slice(captured.length);
    return treeUnflatten(
      flat.structure,
      results.map((x, i) => instantiate(x, avals[i] as ShapeDtype)),
    );
  };
}
