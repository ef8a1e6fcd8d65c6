import { ConcreteTensor, type LiteralTensor } from '../concrete.ts';
import { type DType, dtypeInfo, type TypedArray } from '../dtype.ts';
import { DTypeError, OptionError } from '../errors.ts';
import { reference } from '../reference/backend.ts';
import type { Tensor } from '../tensor.ts';
import type { Backend, Buffer } from './backend.ts';

let current: Backend | undefined;

/**
 * Makes new tensors live, and functions without tensor arguments run, on `backend`.
 *
 * Existing tensors stay where they are. An operation on tensors of one backend runs there; where tensors of several meet,
 * it runs on the current one, and the others are copied to it, once. So call it before creating large tensors, or move
 * them with {@link devicePut}.
 *
 * @throws {OptionError} if it is no backend, such as the promise of one.
 */
export function setBackend(backend: Backend): void {
  if (typeof backend?.compile !== 'function')
    throw new OptionError(
      'setBackend: needs a backend, such as `await cpu()` from @neumann/backend-cpu (did you forget the await?).',
    );
  current = backend;
}

/** The backend of new tensors: the slow reference interpreter unless {@link setBackend} chose another. */
export function getBackend(): Backend {
  current ??= reference();
  return current;
}

/** A new tensor on a backend. */
export function place(
  backend: Backend,
  dtype: DType,
  shape: readonly number[],
  values: TypedArray,
): ConcreteTensor {
  checkDType(backend, dtype);
  return new ConcreteTensor({ shape, dtype }, backend, backend.upload(dtype, values));
}

/** @throws {DTypeError} if the backend has no such dtype. */
export function checkDType(backend: Backend, dtype: DType): void {
  if (!backend.dtypes.has(dtype))
    throw new DTypeError(
      `${backend.name}: has no ${dtype}; it has ${[...backend.dtypes].join(', ')}. Convert with astype(), or use another backend.`,
    );
}

/** Where an operation runs: where its operands are, or on the current backend if there are none, or they are on several. */
export function commonBackend(inputs: readonly Tensor[]): Backend {
  let found: Backend | undefined;
  for (const x of inputs) {
    if (!(x instanceof ConcreteTensor)) continue;
    if (found && found !== x.backend) return getBackend();
    found = x.backend;
  }
  return found ?? getBackend();
}

/** Scalars that were uploaded already; bounded. */
const scalars = new WeakMap<Backend, Map<string, Buffer>>();
const maxScalars = 512;
const shared = new WeakSet<Buffer>();

/** Whether a buffer holds what any number of tensors may share: a scalar constant, or a copy from another backend. */
export function isShared(buffer: Buffer): boolean {
  return shared.has(buffer);
}

/** Copies on other backends, for as long as their originals live. */
const copies = new WeakMap<Buffer, WeakMap<Backend, Buffer>>();

/** A copy of a tensor's values on another backend, made once. */
function copyOn(backend: Backend, x: ConcreteTensor): Buffer {
  const known = copies.get(x.buffer) ?? new WeakMap<Backend, Buffer>();
  copies.set(x.buffer, known);
  const found = known.get(backend);
  if (found) return found;
  checkDType(backend, x.dtype);
  const copy = backend.upload(x.dtype, x.dataSync());
  known.set(backend, copy);
  shared.add(copy);
  return copy;
}

/** The buffer of a tensor that is not traced. @throws {DTypeError} {BackendError} if it cannot be copied to the backend. */
export function bufferOf(x: Tensor, backend: Backend): Buffer {
  if (x instanceof ConcreteTensor) return x.backend === backend ? x.buffer : copyOn(backend, x);
  const { dtype, value } = x as LiteralTensor;
  const cache = scalars.get(backend) ?? new Map<string, Buffer>();
  scalars.set(backend, cache);
  const key = `${dtypeInfo(dtype).short}${Object.is(value, -0) ? '-0' : value}`;
  const known = cache.get(key);
  if (known) return known;
  checkDType(backend, dtype);
  const buffer = backend.upload(dtype, x.dataSync());
  if (cache.size >= maxScalars) cache.delete(cache.keys().next().value as string);
  cache.set(key, buffer);
  shared.add(buffer);
  return buffer;
}

/** Copies a tensor to another backend (the current one by default). */
export async function devicePut(x: Tensor, backend: Backend = getBackend()): Promise<Tensor> {
  return place(backend, x.dtype, x.shape, await x.data());
}
