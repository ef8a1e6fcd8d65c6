import { showAval } from '../aval.ts';
import { OptionError } from '../errors.ts';
import type { TensorLike } from '../ops/convert.ts';
import { add, compare } from '../primitives/arithmetic.ts';
import { iota } from '../primitives/movement.ts';
import { scalar } from '../primitives/pointwise.ts';
import { whilePrimitive } from '../primitives/while.ts';
import { Tensor } from '../tensor.ts';
import { bind } from '../trace.ts';
import type { Leaves, Tensors } from '../tree.ts';
import {
  checkFunction,
  describe,
  nextCarry,
  type Operands,
  operandsOf,
  predicate,
  traceBody,
  unflatten,
  withCarry,
} from './body.ts';
import { runScan } from './scan.ts';

/**
 * A loop over the integers from `lower` to `upper - 1`: `carry = body(i, carry)`.
 *
 * With numbers for bounds it has derivatives in both modes, like {@link scan}. With tensors the number of passes is
 * decided when it runs, like {@link whileLoop}, and only forward mode exists.
 *
 * @param lower The first `i`, an integer or an `int32` scalar.
 * @param upper The first `i` that is not reached.
 * @param body Takes `i` (`i32[]`) and the carry, returns the next carry.
 * @param init The first carry: any tree. The carry keeps its structure, shapes and dtypes.
 * @returns The last carry; `init` if `upper <= lower`.
 * @throws {OptionError} if a bound is no integer; what {@link scan} throws.
 * @example
 * forLoop(0, 5, (i, sum) => add(sum, i), 0).item()   // 10
 */
export function forLoop<C>(
  lower: TensorLike,
  upper: TensorLike,
  body: (i: Tensor, carry: Tensors<NoInfer<C>>) => Leaves<Tensors<NoInfer<C>>>,
  init: C,
): Tensors<C> {
  checkFunction('forLoop', 'the body', body);
  const [first, end] = [boundOf('lower', lower), boundOf('upper', upper)];
  const carry = operandsOf('carry', init);
  const step = (i: Tensor, c: readonly Tensor[]): unknown => body(i, unflatten(carry, c));
  if (typeof first !== 'number' || typeof end !== 'number')
    return unflatten(carry, runFor(asIndex(first), asIndex(end), carry, step));
  const length = Math.max(0, end - first);
  const counts = operandsOf('i', add(iota(length, 'int32'), scalar(first, 'int32')));
  const { results } = runScan('forLoop', carry, counts, length, false, (c, [i]) => [
    step(i as Tensor, c),
    null,
  ]);
  return unflatten(carry, results);
}

/**
 * Repeats `carry = body(carry)` while `condition(carry)` is true.
 *
 * Both functions are traced once; inside `jit` the loop is part of the one compiled program. It can be batched (it then
 * runs until all examples have ended, each keeps the carry with which it did) and differentiated in forward mode.
 * Reverse mode would have to store every pass: use {@link scan}, or {@link forLoop} with numbers for bounds.
 *
 * @param condition Returns a bool scalar.
 * @param init The first carry: any tree. The carry keeps its structure, shapes and dtypes.
 * @returns The carry for which `condition` is false.
 * @throws {ShapeError} {DTypeError} {TreeError} if the carry changes, naming the leaf, or the condition is no bool scalar;
 *   {RuleError} from `grad` and `vjp` of a function that has it on the way.
 * @example
 * // Newton's iteration for the square root of 2
 * whileLoop(
 *   (x) => greater(abs(subtract(square(x), 2)), 1e-5),
 *   (x) => divide(add(x, divide(2, x)), 2),
 *   1,
 * ).item()   // 1.4142
 */
export function whileLoop<C>(
  condition: (carry: Tensors<NoInfer<C>>) => TensorLike,
  body: (carry: Tensors<NoInfer<C>>) => Leaves<Tensors<NoInfer<C>>>,
  init: C,
): Tensors<C> {
  checkFunction('whileLoop', 'the condition', condition);
  checkFunction('whileLoop', 'the body', body);
  const carry = operandsOf('carry', init);
  const results = runWhile(
    'whileLoop',
    carry,
    (c) => condition(unflatten(carry, c)),
    (c) => body(unflatten(carry, c)),
  );
  return unflatten(carry, results);
}

function runWhile(
  op: string,
  init: Operands,
  condition: (carry: readonly Tensor[]) => unknown,
  body: (carry: readonly Tensor[]) => unknown,
): Tensor[] {
  return withCarry(init, (carry) => {
    const avals = carry.tensors.map((x) => x.aval);
    const step = traceBody(op, avals, (xs) => nextCarry(op, carry, body(xs)));
    const test = traceBody(op, avals, (xs) => [predicate(op, 'the condition', condition(xs))]);
    return bind(whilePrimitive, [...test.captured, ...step.captured, ...carry.tensors], {
      condition: test.program,
      body: step.program,
      conditionConsts: test.captured.length,
      bodyConsts: step.captured.length,
    });
  });
}

/** `forLoop` with bounds that are traced. */
function runFor(
  first: Tensor,
  end: Tensor,
  carry: Operands,
  step: (i: Tensor, carry: readonly Tensor[]) => unknown,
): Tensor[] {
  const counted: Operands = {
    ...operandsOf('carry', [first, ...carry.leaves]),
    paths: ['i', ...carry.paths],
  };
  const [, ...results] = runWhile(
    'forLoop',
    counted,
    ([i]) => compare('lt', i as Tensor, end),
    ([i, ...c]) => [
      add(i as Tensor, scalar(1, 'int32')),
      ...nextCarry('forLoop', { ...carry, tensors: c }, step(i as Tensor, c)),
    ],
  );
  return results;
}

function boundOf(name: string, bound: TensorLike): number | Tensor {
  if (typeof bound === 'number' && Number.isInteger(bound)) return bound;
  if (bound instanceof Tensor && bound.ndim === 0 && bound.dtype === 'int32') return bound;
  const got = bound instanceof Tensor ? showAval(bound.aval) : describe(bound);
  throw new OptionError(
    `forLoop: ${name} must be an integer or an int32 scalar, but is ${got}` +
      (bound instanceof Tensor ? "; convert it with astype(…, 'int32')." : '.'),
  );
}

const asIndex = (bound: number | Tensor): Tensor =>
  typeof bound === 'number' ? scalar(bound, 'int32') : bound;
