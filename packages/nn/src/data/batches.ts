/**
 * Batches of examples in a random order that a key decides. Where one is in the data is plain data, so that training
 * goes on exactly where it stopped.
 */
import { OptionError, random, ShapeError, type Tensor, type TypedArray, tensor } from '@neumann/core';
import { rowMajorStrides, sizeOf } from '@neumann/core/backend';
import { checkOptions } from '@neumann/core/extend';
import { positiveInteger } from '../options.ts';
import { type HostArray, hostArray } from './hostArray.ts';

/** Arrays by name, with the examples along the first axis of each. */
export type Arrays = Readonly<Record<string, HostArray>>;

/** A tensor for each array. */
export type Batch<A extends Arrays = Arrays> = { readonly [K in keyof A]: Tensor };

/** The next batch: `batch` of `epoch`, both from 0. Plain data, to be saved with a checkpoint. */
export interface Position {
  readonly epoch: number;
  readonly batch: number;
}

/** Options of {@link batches}. */
export interface BatchOptions {
  /** Examples of a batch. */
  readonly size: number;
  /** Decides the order of each epoch; without it, the order is that of the arrays. */
  readonly key?: Tensor;
  /** Where to end; goes on forever by default. */
  readonly epochs?: number;
  /** Where to start; at the beginning by default. */
  readonly from?: Position;
  /** Whether examples that do not fill a last batch are left out of an epoch, `true` by default. */
  readonly dropLast?: boolean;
  /** Which part of each batch's data this process reads, when several share the work: `rank` of `ranks`. */
  readonly rank?: number;
  /** How many processes share the work; 1 by default. */
  readonly ranks?: number;
}

/** A batch, and the position after it. */
export interface BatchAt<A extends Arrays = Arrays> {
  readonly batch: Batch<A>;
  /** The row of the arrays that each example came from. */
  readonly indices: Uint32Array;
  readonly epoch: number;
  /** Where to go on after this batch. */
  readonly next: Position;
}

/**
 * Batches of arrays. Each epoch visits every example once, in an order that depends only on the key and the epoch, so
 * that a run continued from a saved position sees what an uninterrupted run would. With several ranks each gets its own
 * `size / ranks` examples of every batch, and all together the batch that one rank alone would get.
 *
 * @throws {OptionError} for bad options. {ShapeError} if arrays differ in their number of examples, or are too few.
 * @example
 * const data = { x: hostArray(new Float32Array(20), [10, 2]), y: hostArray(new Uint8Array(10), [10]) };
 * for await (const { batch } of batches(data, { size: 5, key: random.key(0), epochs: 3 })) train(batch.x, batch.y);
 */
export async function* batches<A extends Arrays>(
  arrays: A,
  options: BatchOptions,
): AsyncGenerator<BatchAt<A>> {
  const { size, key, epochs, from, dropLast, rank, ranks } = checkBatchOptions(options);
  const count = exampleCount(arrays);
  const perEpoch = batchesPerEpoch(count, size, dropLast);
  if (perEpoch === 0)
    throw new ShapeError(
      `batches: ${count} examples do not fill a batch of ${size}; use dropLast: false, or smaller batches.`,
    );
  if (from.batch >= perEpoch)
    throw new OptionError(
      `batches: from.batch is ${from.batch}, but an epoch has ${perEpoch} batches; was it saved with other data or another size?`,
    );
  for (let epoch = from.epoch; epoch < epochs; epoch++) {
    const order = key
      ? await shuffled(random.foldIn(key, epoch), count)
      : Uint32Array.from({ length: count }, (_, i) => i);
    for (let b = epoch === from.epoch ? from.batch : 0; b < perEpoch; b++) {
      const whole = order.subarray(b * size, Math.min((b + 1) * size, count));
      const indices = whole.slice(share(whole.length, rank, ranks), share(whole.length, rank + 1, ranks));
      const next = b + 1 < perEpoch ? { epoch, batch: b + 1 } : { epoch: epoch + 1, batch: 0 };
      yield { batch: takeBatch(arrays, indices), indices, epoch, next };
    }
  }
}

/** How many batches an epoch has. */
export function batchesPerEpoch(examples: number, size: number, dropLast = true): number {
  positiveInteger('batchesPerEpoch', 'examples', examples);
  positiveInteger('batchesPerEpoch', 'size', size);
  return dropLast ? Math.floor(examples / size) : Math.ceil(examples / size);
}

/** The first example of rank `rank`. */
const share = (length: number, rank: number, ranks: number): number => Math.floor((length * rank) / ranks);

/** The integers below `n` in the order that a key decides. */
export async function shuffled(key: Tensor, n: number): Promise<Uint32Array> {
  const draws = await random.bits(key, [n]).data();
  return Uint32Array.from({ length: n }, (_, i) => i).sort(
    (i, j) => (draws[i] as number) - (draws[j] as number) || i - j,
  );
}

/**
 * The rows of an array at `indices`, in that order.
 *
 * @param array Each row in row-major order; so may be a part of another array along the first axis, such as `x.hi(1000)`.
 * @throws {OptionError} for other arrays, and rows that do not exist.
 */
export function takeRows<T extends TypedArray>(
  array: HostArray<T>,
  indices: ArrayLike<number>,
): HostArray<T> {
  const { data, shape, stride, offset } = checkDense('takeRows', array);
  const [count = 0, ...rest] = shape;
  const row = sizeOf(rest);
  const taken = new (data.constructor as new (length: number) => T)(indices.length * row);
  for (let i = 0; i < indices.length; i++) {
    const from = indices[i] as number;
    if (!(from >= 0 && from < count))
      throw new OptionError(`takeRows: row ${from} does not exist; the array has ${count}.`);
    const at = offset + from * (stride[0] ?? row);
    taken.set(data.subarray(at, at + row), i * row);
  }
  return hostArray(taken, [indices.length, ...rest]);
}

/** @throws {OptionError} unless this is an array whose rows are in row-major order. */
function checkDense<T extends TypedArray>(op: string, array: HostArray<T>): HostArray<T> {
  const { data, shape, stride } = Object(array) as HostArray<T>;
  if (!ArrayBuffer.isView(data) || !Array.isArray(shape) || !Array.isArray(stride))
    throw new OptionError(`${op}: takes an array of the host, such as hostArray(values, shape) makes.`);
  const strides = rowMajorStrides(shape);
  if (shape.some((n, axis) => axis > 0 && n > 1 && stride[axis] !== strides[axis]))
    throw new OptionError(
      `${op}: rows must be in row-major order, but the array [${shape.join(', ')}] has strides [${stride.join(', ')}]; copy it.`,
    );
  return array;
}

function takeBatch<A extends Arrays>(arrays: A, indices: Uint32Array): Batch<A> {
  return Object.fromEntries(
    Object.entries(arrays).map(([name, array]) => [name, tensor(takeRows(array, indices))]),
  ) as Batch<A>;
}

function exampleCount(arrays: Arrays): number {
  const counts = Object.entries(arrays).map(([name, { shape }]) => ({ name, count: shape[0] }));
  const [first] = counts;
  if (first?.count === undefined)
    throw new ShapeError('batches: there must be an array with at least one axis.');
  const other = counts.find(({ count }) => count !== first.count);
  if (other)
    throw new ShapeError(
      `batches: arrays must have one number of examples, but ${first.name} has ${first.count} and ${other.name} has ${other.count ?? 'no axis'}.`,
    );
  return first.count;
}

const optionNames = ['size', 'key', 'epochs', 'from', 'dropLast', 'rank', 'ranks'];

function checkBatchOptions(options: BatchOptions) {
  checkOptions('batches', options, optionNames);
  const {
    size,
    key,
    epochs = Number.POSITIVE_INFINITY,
    from = { epoch: 0, batch: 0 },
    dropLast = true,
    rank = 0,
    ranks = 1,
  } = options;
  const natural = (name: string, value: number, least: number) => {
    if (!Number.isSafeInteger(value) || value < least)
      throw new OptionError(`batches: ${name} must be an integer of at least ${least}, but is ${value}.`);
  };
  natural('size', size, 1);
  if (epochs !== Number.POSITIVE_INFINITY) natural('epochs', epochs, 0);
  natural('from.epoch', from.epoch, 0);
  natural('from.batch', from.batch, 0);
  natural('ranks', ranks, 1);
  natural('rank', rank, 0);
  if (rank >= ranks) throw new OptionError(`batches: rank must be below ranks ${ranks}, but is ${rank}.`);
  if (size < ranks) throw new OptionError(`batches: a batch of ${size} cannot be shared by ${ranks} ranks.`);
  return { size, key, epochs, from, dropLast, rank, ranks };
}
