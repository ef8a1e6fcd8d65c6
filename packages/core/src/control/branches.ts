import { sameAval, showAval } from '../aval.ts';
import { OptionError } from '../errors.ts';
import { intern } from '../ir/intern.ts';
import { Var } from '../ir/program.ts';
import { type TensorLike, toTensor } from '../ops/convert.ts';
import { convert, max, min } from '../primitives/arithmetic.ts';
import { scalar } from '../primitives/pointwise.ts';
import { switchPrimitive } from '../primitives/switch.ts';
import { Tensor } from '../tensor.ts';
import { bind, refusePromise } from '../trace.ts';
import {
  checkSameStructure,
  type Leaves,
  type Tensors,
  type TreeStructure,
  treeFlatten,
  treePaths,
  treeUnflatten,
} from '../tree.ts';
import { checkFunction, describe, mismatch, operandsOf, predicate, traceBody } from './body.ts';

/**
 * `onTrue(...operands)` or `onFalse(...operands)`, whichever the predicate says: only that one runs.
 *
 * Both are traced. Under `vmap` with a predicate for each example both run, and the result is chosen for each.
 *
 * @param pred A bool scalar.
 * @param onTrue Takes the operands; what else it uses from outside is captured.
 * @param onFalse Returns a tree of the same structure, shapes and dtypes as `onTrue`.
 * @throws {DTypeError} {ShapeError} if `pred` is no bool scalar; {TreeError} {ShapeError} {DTypeError} if the results
 *   differ, naming the leaf; {TracerError} if a branch reads a traced value or returns a promise.
 * @example
 * const half = (n: Tensor) => cond(less(n, 0), (x) => negative(x), (x) => divide(x, 2), n);
 * half(tensor(6)).item()    // 3
 */
export function cond<A extends readonly unknown[], R>(
  pred: TensorLike,
  onTrue: (...operands: { [K in keyof A]: Tensors<A[K]> }) => R,
  onFalse: (...operands: { [K in keyof A]: Tensors<A[K]> }) => NoInfer<Leaves<R>>,
  ...operands: A
): Tensors<R> {
  checkFunction('cond', 'onTrue', onTrue);
  checkFunction('cond', 'onFalse', onFalse);
  const index = convert(predicate('cond', 'the predicate', pred), 'int32');
  return choose('cond', ['onFalse', 'onTrue'], index, [onFalse, onTrue] as Branch[], operands) as Tensors<R>;
}

/**
 * `branches[index](...operands)`: only that branch runs. An index out of range takes the nearest branch.
 *
 * All are traced. Under `vmap` with an index for each example all run, and the result is chosen for each.
 *
 * @param index An integer scalar.
 * @param branches At least one; all return trees of the same structure, shapes and dtypes.
 * @throws {OptionError} if there is no branch or the index is no integer scalar; what {@link cond} throws.
 * @example
 * switchCase(1, [(x) => x, (x) => square(x), (x) => exp(x)], tensor(3)).item()   // 9
 */
export function switchCase<A extends readonly unknown[], R>(
  index: TensorLike,
  branches: readonly ((...operands: { [K in keyof A]: Tensors<A[K]> }) => R)[],
  ...operands: A
): Tensors<R> {
  if (!Array.isArray(branches) || branches.length === 0)
    throw new OptionError(
      `switchCase: branches must be an array of functions, but is ${describe(branches)}.`,
    );
  for (const [i, branch] of branches.entries()) checkFunction('switchCase', `branch ${i}`, branch);
  const names = branches.map((_, i) => `branch ${i}`);
  const last = scalar(branches.length - 1, 'int32');
  const inRange = min(max(indexOf(index), scalar(0, 'int32')), last);
  return choose('switchCase', names, inRange, branches as readonly Branch[], operands) as Tensors<R>;
}

type Branch = (...operands: unknown[]) => unknown;

function indexOf(index: TensorLike): Tensor {
  const isInteger = typeof index === 'number' && Number.isInteger(index);
  if (isInteger) return scalar(Math.max(-(2 ** 31), Math.min(index, 2 ** 31 - 1)), 'int32');
  if (index instanceof Tensor && index.ndim === 0 && ['int32', 'uint8'].includes(index.dtype))
    return convert(index, 'int32');
  const got = index instanceof Tensor ? showAval(index.aval) : describe(index);
  throw new OptionError(
    `switchCase: the index must be an int32 scalar, but is ${got}` +
      (index instanceof Tensor ? "; convert it with astype(…, 'int32'), or use cond() for a bool." : '.'),
  );
}

interface Result {
  readonly structure: TreeStructure;
  readonly paths: readonly string[];
}

/** Traces the branches on the same operands, which are followed by what any of them captures. */
function choose(
  op: string,
  names: readonly string[],
  index: Tensor,
  branches: readonly Branch[],
  operands: readonly unknown[],
): unknown {
  const given = operandsOf('operand', operands);
  const avals = given.tensors.map((x) => x.aval);
  const results: Result[] = [];
  const traced = branches.map((branch) =>
    traceBody(op, avals, (xs) => {
      const tree = branch(...treeUnflatten<unknown[]>(given.structure, xs));
      refusePromise(tree);
      const flat = treeFlatten(tree ?? null);
      results.push({ structure: flat.structure, paths: treePaths(tree ?? null) });
      return flat.leaves.map((y) => toTensor(y));
    }),
  );
  const [first] = results as [Result];
  for (const [i, { program }] of traced.entries()) {
    const { structure } = results[i] as Result;
    checkSameStructure(op, `the result of ${names[0]}`, first.structure, `that of ${names[i]}`, structure);
    for (const [j, { aval }] of program.outputs.entries()) {
      const wanted = traced[0]?.program.outputs[j]?.aval ?? aval;
      if (sameAval(aval, wanted)) continue;
      const path = first.paths[j] === '(root)' ? 'the result' : `result ${first.paths[j]}`;
      throw mismatch(
        aval.dtype === wanted.dtype,
        `${op}: ${path} must be the same in all branches, but is ${showAval(wanted)} in ${names[0]} ` +
          `and ${showAval(aval)} in ${names[i]}; ` +
          (aval.dtype === wanted.dtype ? 'broadcast or reshape one of them.' : 'convert one with astype().'),
      );
    }
  }
  const captured = [...new Set(traced.flatMap((body) => body.captured))];
  const programs = traced.map(({ program, captured: own }) => ({
    ...program,
    inputs: [
      ...captured.map((x) => program.inputs[own.indexOf(x)] ?? new Var(x.aval)),
      ...program.inputs.slice(own.length),
    ],
  }));
  const ys = bind(switchPrimitive, [index, ...captured, ...given.tensors], {
    branches: programs.map(intern),
  });
  return treeUnflatten(first.structure, ys);
}
