import { OptionError } from '@neumann/core';

/**
 * The items of `source`, with up to `ahead` of them being made before they are asked for, so that reading and decoding
 * go on while the last batch is trained on. An error of the source is thrown when its turn comes; leaving the loop
 * early ends the source.
 *
 * @throws {OptionError} if `ahead` is no integer of at least 1.
 * @example
 * const data = { x: hostArray(new Float32Array(20), [10, 2]) };
 * for await (const { batch } of prefetch(batches(data, { size: 5, epochs: 1 }), 2)) train(batch.x);
 */
export async function* prefetch<T>(source: AsyncIterable<T>, ahead = 2): AsyncGenerator<T> {
  if (!Number.isInteger(ahead) || ahead < 1)
    throw new OptionError(`prefetch: ahead must be an integer of at least 1, but is ${ahead}.`);
  const items = source[Symbol.asyncIterator]();
  const pending: Promise<IteratorResult<T>>[] = [];
  const request = () => {
    const item = items.next();
    item.catch(() => undefined); // thrown below, when its turn comes
    pending.push(item);
  };
  try {
    for (let i = 0; i < ahead; i++) request();
    for (let item = await pending.shift(); item && !item.done; item = await pending.shift()) {
      request();
      yield item.value;
    }
  } finally {
    await items.return?.();
  }
}
