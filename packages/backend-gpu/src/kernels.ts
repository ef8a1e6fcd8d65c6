import { InternalError, type TypedArray } from '@neumann/core/backend';
import { toFloats } from './buffer.ts';
import type { Emitted } from './emit/emit.ts';
import { assertMode, createKernel, type Gpu, type KernelRun, messageOf } from './gpujs.ts';
import { Programs } from './programs.ts';

/** Programs that gpu.js runs on arrays. */
export class Kernels {
  readonly #mode: string;
  readonly #programs: Programs<KernelRun>;

  constructor(gpu: Gpu, mode: string) {
    this.#mode = mode;
    this.#programs = new Programs(
      (program) => attempt(program, () => createKernel(gpu, program)),
      (run) => run.destroy(), // else gpu.js keeps it in its list
      ({ size, inputs }) => 4 * inputs.reduce((sum, input) => sum + input.size, size),
    );
  }

  /**
   * Runs a program on the inputs of its kernel.
   *
   * @throws {BackendError} if gpu.js did not run it in the mode of the backend.
   */
  run(program: Emitted, inputs: readonly TypedArray[]): Float32Array {
    const run = this.#programs.find(program);
    const operands = program.inputs.map(({ input }) => nonEmpty(toFloats(inputs[input] as TypedArray)));
    const result = attempt(program, () => run(...operands));
    assertMode(program.name, run, this.#mode);
    if (result instanceof Float32Array && result.length === program.size) return result;
    throw new InternalError(`gpu: kernel ${program.name} did not return ${program.size} numbers.`);
  }
}

/** gpu.js has no arrays without elements; nothing is read from one. */
const nonEmpty = (values: TypedArray): TypedArray => (values.length === 0 ? new Float32Array(1) : values);

function attempt<T>(program: Emitted, f: () => T): T {
  try {
    return f();
  } catch (cause) {
    const why = `gpu: gpu.js cannot run kernel ${program.name} (${messageOf(cause)})`;
    throw new InternalError(`${why}; please report it with its source:\n${program.source}`, { cause });
  }
}
