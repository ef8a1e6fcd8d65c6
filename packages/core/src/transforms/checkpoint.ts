import { nameOf } from '../ops/check.ts';
import { checkpointPrimitive } from '../primitives/checkpoint.ts';
import { bind } from '../trace.ts';
import type { Leaves, Tensors } from '../tree.ts';
import { StagedFunction } from './staged.ts';

/**
 * `f`, but reverse mode keeps only its arguments and computes what is inside anew when it needs it: less memory for more
 * work. Around each block of a deep network, the memory for activations falls to that of one block and the values
 * between blocks.
 *
 * @param f Traced once for each signature, as by `jit`: no JavaScript condition on values inside.
 * @throws {TracerError} if `f` reads a traced value or returns a promise.
 * @example
 * const block = checkpoint((x: Tensor) => sin(sin(sin(x))));
 * grad((x: Tensor) => sum(block(x)))(tensor([0]))   // [1]
 */
export function checkpoint<A extends readonly unknown[], R>(
  f: (...args: A) => R,
): (...args: Leaves<A>) => Tensors<R> {
  const name = nameOf('checkpoint', f);
  const staged = new StagedFunction(name, f, []);
  return (...args) => {
    const { recorded, f: flatF, inputs } = staged.call(args);
    const { program, captured } = recorded;
    return flatF.unflatten(bind(checkpointPrimitive, [...captured, ...inputs], { name, program }));
  };
}
