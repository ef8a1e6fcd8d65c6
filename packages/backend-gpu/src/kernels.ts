import { InternalError, type TypedArray } from '@neumann/core/backend';
import type { Emitted } from './emit/emit.ts';
import { assertMode, createKernel, type Gpu, type KernelRun, messageOf } from './gpujs.ts';

/** gpu.js gives each program a WebAssembly memory of its own, for which the engine reserves 8 GB of addresses. */
const maxPrograms = 1024;

/** Bytes of arguments and results that the programs may keep together. */
const maxBytes = 2 ** 30;

interface Compiled {
  readonly run: KernelRun;
  readonly bytes: number;
}

/** The compiled programs by text and sizes. When there are too many, those used longest ago are compiled anew. */
export class Kernels {
  readonly #gpu: Gpu;
  readonly #mode: string;
  readonly #compiled = new Map<string, Compiled>();
  #bytes = 0;

  constructor(gpu: Gpu, mode: string) {
    this.#gpu = gpu;
    this.#mode = mode;
  }

  /**
   * Runs a program on the inputs of its kernel.
   *
   * @throws {BackendError} if gpu.js did not run it in the mode of the backend.
   */
  run(program: Emitted, inputs: readonly TypedArray[]): Float32Array {
    const { run } = this.#find(program);
    const operands = program.inputs.map(({ input }) => nonEmpty(inputs[input] as TypedArray));
    const result = attempt(program, () => run(...operands));
    assertMode(program.name, run, this.#mode);
    if (result instanceof Float32Array && result.length === program.size) return result;
    throw new InternalError(`gpu: kernel ${program.name} did not return ${program.size} numbers.`);
  }

  #find(program: Emitted): Compiled {
    const known = this.#compiled.get(program.key);
    if (known) {
      this.#compiled.delete(program.key);
      this.#compiled.set(program.key, known); // used last
      return known;
    }
    const sizes = [program.size, ...program.inputs.map(({ size }) => size)];
    const bytes = 4 * sizes.reduce((sum, size) => sum + size);
    this.#makeRoom(bytes);
    const compiled = { run: attempt(program, () => createKernel(this.#gpu, program)), bytes };
    this.#compiled.set(program.key, compiled);
    this.#bytes += bytes;
    return compiled;
  }

  #makeRoom(bytes: number): void {
    for (const [key, oldest] of this.#compiled) {
      if (this.#compiled.size < maxPrograms && this.#bytes + bytes <= maxBytes) return;
      oldest.run.destroy(); // else gpu.js keeps it in its list
      this.#compiled.delete(key);
      this.#bytes -= oldest.bytes;
    }
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
