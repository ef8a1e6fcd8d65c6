import { BackendError } from '@neumann/core/backend';
import type { Dialect } from './emit/dialect.ts';
import type { Emitted } from './emit/emit.ts';

/** Memory of a device that holds the float32 elements of one value; never written again. */
export interface Handle {
  readonly size: number;
}

/** What kernels run on when their values stay there. */
export interface Device {
  readonly dialect: Dialect;
  /** What `describe()` says. */
  readonly device: string;
  /** How many reads of a kernel's own loops a contraction in blocks has to save for each of its own; `undefined` if it has none. */
  readonly contractionGain: number | undefined;
  /** Arrays that one kernel may read. */
  readonly maxInputs: number;
  /** Elements of the largest value. */
  readonly maxElements: number;
  /** @throws {BackendError} if the device is lost. */
  check(): void;
  /** Whether the handle holds its value, and does not come from what the device refused. */
  usable(handle: Handle): boolean;
  upload(values: Float32Array): Handle;
  run(program: Emitted, inputs: readonly Handle[]): Handle;
  /** The elements. @throws {BackendError} if the device is lost, or refused something that they may come from. */
  read(handle: Handle): Promise<Float32Array>;
  /** The same without waiting, where the mode can. */
  readonly readSync?: (handle: Handle) => Float32Array;
  free(handle: Handle): void;
}

/** The device and all values on it are gone. */
export function lostError(what: string): BackendError {
  return new BackendError(
    `gpu: the ${what} was lost, with every tensor on it; make a new backend with gpu(), and the tensors again.`,
  );
}

/** A value that was never computed, or never read. */
export function refusedError(why: string): BackendError {
  return new BackendError(
    `gpu: the device refused a command (${why}), and this value may come from it; compute it again, and if memory is short, ` +
      `with fewer or smaller tensors.`,
  );
}

/** A handle with its place in the order in which memory was asked for. */
export interface Numbered extends Handle {
  readonly number: number;
}

interface Refusal {
  readonly from: number;
  readonly to: number;
  readonly why: string;
}

/**
 * Devices say later what they refused, such as memory. Until then values that were made meanwhile may come from what was
 * never computed: they are never read, and nothing is computed from them. All others are right.
 */
export class Refusals {
  #next = 0;
  readonly #refusals: Refusal[] = [];

  /** For a new handle. */
  number(): number {
    return this.#next++;
  }

  /** The number of the next handle. */
  get next(): number {
    return this.#next;
  }

  /** Something was refused when the next handle was `from`, which is known only now. */
  add(from: number, why: string): void {
    this.#refusals.push({ from, to: this.#next, why });
  }

  has(handle: Numbered): boolean {
    return this.#of(handle) !== undefined;
  }

  /** @throws {BackendError} if the handle's value may be wrong. */
  check(handle: Numbered): void {
    const refusal = this.#of(handle);
    if (refusal) throw refusedError(refusal.why);
  }

  #of({ number }: Numbered): Refusal | undefined {
    return this.#refusals.find(({ from, to }) => from <= number && number < to);
  }
}
