/** What scan, the loops and the branches share: a function on trees becomes a program, and its result is checked. */
import { type Aval, sameAval, showAval } from '../aval.ts';
import { type DType, isFloat } from '../dtype.ts';
import { DTypeError, OptionError, ShapeError } from '../errors.ts';
import { intern } from '../ir/intern.ts';
import type { Program } from '../ir/program.ts';
import { record } from '../ir/record.ts';
import { show } from '../ops/check.ts';
import { toTensor } from '../ops/convert.ts';
import { isNumberOf } from '../reference/scalar.ts';
import { sameShape } from '../shape.ts';
import { Tensor } from '../tensor.ts';
import { refusePromise } from '../trace.ts';
import {
  checkSameStructure,
  type Leaf,
  type TreeStructure,
  treeFlatten,
  treePaths,
  treeUnflatten,
} from '../tree.ts';

/** A tree of tensors, taken apart. */
export interface Operands {
  readonly structure: TreeStructure;
  readonly tensors: readonly Tensor[];
  /** The leaves as they were given. */
  readonly leaves: readonly Leaf[];
  /** `carry.params.w`: what messages call the leaves. */
  readonly paths: readonly string[];
}

/** A tree as tensors; `name` is what messages call it. */
export function operandsOf(name: string, tree: unknown): Operands {
  const { leaves, structure } = treeFlatten(tree);
  const paths = treePaths(tree).map((path) =>
    path === '(root)' ? name : path.startsWith('[') ? `${name}${path}` : `${name}.${path}`,
  );
  return { structure, leaves, tensors: leaves.map((x) => toTensor(x)), paths };
}

/** A function as a program: its first inputs are the outside tensors that it uses. */
export interface Body {
  readonly program: Program;
  readonly captured: readonly Tensor[];
}

/** Traces a function of tensors. A second trace of the same computation gives the same program. */
export function traceBody(
  op: string,
  avals: readonly Aval[],
  f: (inputs: Tensor[]) => readonly Tensor[],
): Body {
  const { program, captured } = record(op, avals, f);
  return { program: intern(program), captured };
}

export function checkFunction(op: string, what: string, f: unknown): void {
  if (typeof f !== 'function')
    throw new OptionError(`${op}: ${what} must be a function, but is ${describe(f)}.`);
}

/** A JavaScript number among the initial carries takes the dtype that the body gives it. */
class OtherDType extends Error {
  readonly leaf: number;
  readonly dtype: DType;
  constructor(leaf: number, dtype: DType) {
    super();
    this.leaf = leaf;
    this.dtype = dtype;
  }
}

/** Calls `trace` with the carry, again for each of its numbers that turns out to need another dtype. */
export function withCarry<T>(carry: Operands, trace: (carry: Operands) => T): T {
  try {
    return trace(carry);
  } catch (error) {
    if (!(error instanceof OtherDType)) throw error;
    const { leaf, dtype } = error;
    const tensor = toTensor(carry.leaves[leaf] as number, dtype);
    return withCarry(
      { ...carry, leaves: carry.leaves.with(leaf, tensor), tensors: carry.tensors.with(leaf, tensor) },
      trace,
    );
  }
}

/** The leaves of what a body returned for the carry: of the same structure, shapes and dtypes. */
export function nextCarry(op: string, carry: Operands, returned: unknown): Tensor[] {
  refusePromise(returned);
  if (returned === undefined)
    throw new OptionError(`${op}: the body returned nothing; return the next carry.`);
  const flat = treeFlatten(returned);
  checkSameStructure(
    op,
    'the initial carry',
    carry.structure,
    'the carry that the body returns',
    flat.structure,
  );
  return flat.leaves.map((leaf, i) => nextLeaf(op, carry, i, leaf));
}

function nextLeaf(op: string, carry: Operands, i: number, leaf: Leaf): Tensor {
  const { dtype, shape, aval } = carry.tensors[i] as Tensor;
  const fits = typeof leaf === 'number' && (isFloat(dtype) || isNumberOf(dtype, leaf));
  const x = fits ? toTensor(leaf, dtype) : toTensor(leaf);
  if (sameAval(x.aval, aval)) return x;
  const first = carry.leaves[i];
  const sameShapes = sameShape(shape, x.shape);
  if (typeof first === 'number' && sameShapes && (isFloat(x.dtype) || isNumberOf(x.dtype, first)))
    throw new OtherDType(i, x.dtype);
  throw mismatch(
    x.dtype === dtype,
    `${op}: ${carry.paths[i]} must keep its shape and dtype, but is ${showAval(aval)} at first and ` +
      `${showAval(x.aval)} after one pass; ` +
      (x.dtype === dtype
        ? 'begin with the shape that the body returns.'
        : `begin with ${x.dtype}, as in tensor(0, '${x.dtype}'), or convert in the body with astype(…, '${dtype}').`),
  );
}

export const mismatch = (sameDType: boolean, message: string): Error =>
  sameDType ? new ShapeError(message) : new DTypeError(message);

/** A scalar bool from what a condition returned. */
export function predicate(op: string, what: string, returned: unknown): Tensor {
  refusePromise(returned);
  if (!(returned instanceof Tensor) && typeof returned !== 'boolean')
    throw new OptionError(`${op}: ${what} must be a bool scalar, but is ${describe(returned)}.`);
  const x = toTensor(returned);
  if (x.ndim !== 0 || x.dtype !== 'bool')
    throw mismatch(
      x.dtype === 'bool',
      `${op}: ${what} must be a bool scalar, but is ${showAval(x.aval)}; ` +
        (x.dtype === 'bool'
          ? 'reduce it with all() or any().'
          : 'compare it, as in less(x, y) or notEqual(x, 0).'),
    );
  return x;
}

/** A value for messages. */
export function describe(x: unknown): string {
  if (x instanceof Tensor) return showAval(x.aval);
  if (Array.isArray(x)) return `an array of ${x.length}`;
  return typeof x === 'object' && x !== null ? 'an object' : show(x);
}

export const unflatten = <T>({ structure }: Pick<Operands, 'structure'>, leaves: readonly Tensor[]): T =>
  treeUnflatten<T>(structure, leaves);
