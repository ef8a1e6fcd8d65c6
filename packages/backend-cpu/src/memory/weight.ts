/** Handles are weighed together until they make up so much: a weight costs some 20 µs. */
const LEAST = 2 ** 22;

/**
 * How much of the truth JavaScript is told. With all of it, it collects each 80 MB, which takes more time than it saves;
 * with a quarter each 200 MB, and then results reuse the memory of a few hundred MB.
 */
const PART = 1 / 4;

/**
 * What tells JavaScript that much memory hangs on handles, which are tiny themselves: otherwise it would collect them
 * once in many gigabytes. A weight is memory that is set aside and never touched.
 */
export class Weights {
  #unweighed = 0;

  /** What the handle of `bytes` has to hold, if anything: its own weight, and that of smaller ones before it. */
  of(bytes: number): ArrayBuffer | undefined {
    this.#unweighed += bytes;
    if (this.#unweighed < LEAST) return undefined;
    const weight = Math.floor(this.#unweighed * PART);
    this.#unweighed = 0;
    // One that could be resized is not cleared, which would touch it.
    return new ArrayBuffer(weight, { maxByteLength: weight });
  }
}
