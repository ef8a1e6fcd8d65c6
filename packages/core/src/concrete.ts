import { type Aval, showAval } from './aval.ts';
import { dtypeInfo, hostArray, isFloat, type TypedArray } from './dtype.ts';
import { BackendError, DonatedError } from './errors.ts';
import type { Backend, Buffer } from './ir/backend.ts';
import { Tensor } from './tensor.ts';

/** A tensor that has its values: a view of a backend's buffer. */
export class ConcreteTensor extends Tensor {
  readonly aval: Aval;
  readonly backend: Backend;
  readonly #buffer: Buffer;

  constructor(aval: Aval, backend: Backend, buffer: Buffer) {
    super();
    this.aval = aval;
    this.backend = backend;
    this.#buffer = buffer;
  }

  /** @throws {DonatedError} if a jitted call took the memory over. */
  get buffer(): Buffer {
    const call = this.#buffer.donatedTo;
    if (call !== undefined)
      throw new DonatedError(
        `${showAval(this.aval)} was donated to ${call} and its memory now holds a result of that call; ` +
          `use the returned value, or do not donate this argument.`,
      );
    return this.#buffer;
  }

  /** The same buffer seen with another shape of the same size. */
  withShape(shape: readonly number[]): ConcreteTensor {
    return new ConcreteTensor({ shape, dtype: this.dtype }, this.backend, this.buffer);
  }

  override data(): Promise<TypedArray> {
    return this.backend.download(this.buffer);
  }

  override dataSync(): TypedArray {
    return this.backend.downloadSync(this.buffer);
  }

  override toString(): string {
    return `${showAval(this.aval)} ${this.#showValues()}`;
  }

  /** The values, or why the backend cannot give them now: whoever prints something is told, not stopped. */
  #showValues(): string {
    try {
      return showValues(this.aval, this.dataSync());
    } catch (error) {
      if (!(error instanceof BackendError)) throw error;
      return `(${error.message})`;
    }
  }
}

/** A scalar from a JavaScript number: a constant inside programs, uploaded only where a kernel needs a buffer. */
export class LiteralTensor extends Tensor {
  readonly aval: Aval;
  readonly value: number;

  constructor(aval: Aval, value: number) {
    super();
    this.aval = aval;
    this.value = value;
  }

  override data(): Promise<TypedArray> {
    return Promise.resolve(this.dataSync());
  }

  override dataSync(): TypedArray {
    return hostArray(this.dtype, 1).fill(this.value);
  }

  override toString(): string {
    return `${showAval(this.aval)} ${showValues(this.aval, this.dataSync())}`;
  }
}

const edge = 3;

/** NumPy-like print of values; axes longer than 2 × 3 + 1 show their ends. */
function showValues({ shape, dtype }: Aval, values: TypedArray): string {
  const show = (value: number): string =>
    dtype === 'bool'
      ? String(value !== 0)
      : Object.is(value, -0)
        ? '-0'
        : String(isFloat(dtype) ? shorten(value, dtypeInfo(dtype).bytes) : value);
  const build = (axis: number, offset: number, step: number): string => {
    const extent = shape[axis];
    if (extent === undefined) return show(values[offset] as number);
    const inner = extent === 0 ? 0 : step / extent;
    const at = (i: number) => build(axis + 1, offset + i * inner, inner);
    const items =
      extent <= 2 * edge + 1
        ? Array.from({ length: extent }, (_, i) => at(i))
        : [...[0, 1, 2].map(at), '…', ...[3, 2, 1].map((i) => at(extent - i))];
    return `[${items.join(', ')}]`;
  };
  return build(0, 0, values.length);
}

/** Floats in as many digits as their dtype can tell apart, at most 7. */
const shorten = (value: number, bytes: number): number => Number(value.toPrecision(bytes === 8 ? 12 : 7));
