import { OptionError, random, ShapeError } from '@neumann/core';
import {
  type BatchOptions,
  batches,
  hostArray,
  type Position,
  prefetch,
  shuffled,
  takeRows,
} from '@neumann/nn/data';
import { expect, test } from 'vitest';

const data = {
  x: hostArray(
    Float32Array.from({ length: 20 }, (_, i) => i),
    [10, 2],
  ),
  y: hostArray(
    Uint8Array.from({ length: 10 }, (_, i) => i),
    [10],
  ),
};

async function collect(options: BatchOptions): Promise<{ rows: number[]; epoch: number; next: Position }[]> {
  const seen = [];
  for await (const { batch, indices, epoch, next } of batches(data, options)) {
    expect(batch.y.toArray()).toEqual([...indices]);
    expect(batch.x.shape).toEqual([indices.length, 2]);
    seen.push({ rows: [...indices], epoch, next });
  }
  return seen;
}

test('an epoch visits every example once, in another order each time', async () => {
  const seen = await collect({ size: 5, key: random.key(1), epochs: 2 });
  const orders = [0, 1].map((epoch) => seen.filter((b) => b.epoch === epoch).flatMap((b) => b.rows));
  for (const order of orders)
    expect([...order].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(orders[0]).not.toEqual(orders[1]);
});

test('a run that goes on from a saved position sees what an uninterrupted one does', async () => {
  const options = { size: 3, key: random.key(2), epochs: 3 };
  const whole = await collect(options);
  for (const [i, { next }] of whole.entries())
    expect(await collect({ ...options, from: JSON.parse(JSON.stringify(next)) as Position })).toEqual(
      whole.slice(i + 1),
    );
});

test('the ranks together see the batches that one alone does', async () => {
  const options = { size: 5, key: random.key(3), epochs: 1 };
  const alone = await collect(options);
  const shares = await Promise.all([0, 1, 2].map((rank) => collect({ ...options, rank, ranks: 3 })));
  for (const [i, { rows }] of alone.entries()) expect(shares.flatMap((s) => s[i]?.rows)).toEqual(rows);
});

test('a last batch that is not full is dropped, or kept if asked', async () => {
  expect((await collect({ size: 4, epochs: 1 })).map((b) => b.rows.length)).toEqual([4, 4]);
  expect((await collect({ size: 4, epochs: 1, dropLast: false })).map((b) => b.rows.length)).toEqual([
    4, 4, 2,
  ]);
});

test('mistakes are named', async () => {
  const first = (options: BatchOptions, arrays = data) => batches(arrays, options).next();
  await expect(first({ size: 0 })).rejects.toThrow(
    'batches: size must be an integer of at least 1, but is 0.',
  );
  await expect(first({ size: 11 })).rejects.toThrow('10 examples do not fill a batch of 11');
  await expect(first({ size: 5, rank: 2, ranks: 2 })).rejects.toThrow('rank must be below ranks 2');
  await expect(first({ size: 5, from: { epoch: 0, batch: 2 } })).rejects.toThrow(
    'was it saved with other data',
  );
  await expect(first({ size: 2 }, { ...data, y: hostArray(new Uint8Array(9), [9]) })).rejects.toThrow(
    ShapeError,
  );
  expect(() => takeRows(data.x, [10])).toThrow(OptionError);
  const table = hostArray(
    Float32Array.from({ length: 12 }, (_, i) => i),
    [4, 3],
  );
  expect(takeRows(table.lo(1), [0, 2]).data).toEqual(new Float32Array([3, 4, 5, 9, 10, 11]));
  expect(takeRows(table.step(-1), [0]).data).toEqual(new Float32Array([9, 10, 11]));
  expect(() => takeRows(table.transpose(1, 0), [0])).toThrow(
    'takeRows: rows must be in row-major order, but the array [3, 4] has strides [1, 3]; copy it.',
  );
  await expect(first({ size: 2, batch: 3 } as BatchOptions)).rejects.toThrow(/batch/);
});

test('shuffling is a permutation that the key decides', async () => {
  const [a, b, c] = await Promise.all([
    shuffled(random.key(0), 50),
    shuffled(random.key(0), 50),
    shuffled(random.key(1), 50),
  ]);
  expect(a).toEqual(b);
  expect(a).not.toEqual(c);
  expect([...a].sort((x, y) => x - y)).toEqual(Array.from({ length: 50 }, (_, i) => i));
});

test('prefetch keeps the order, works ahead, ends the source early, and throws in turn', async () => {
  const made: number[] = [];
  let ended = false;
  async function* source() {
    try {
      for (let i = 0; i < 5; i++) {
        made.push(i);
        yield i;
      }
      throw new Error('after five');
    } finally {
      ended = true;
    }
  }
  const seen: number[] = [];
  await expect(
    (async () => {
      for await (const i of prefetch(source(), 3)) {
        seen.push(i);
        if (i === 0) await new Promise((resolve) => setTimeout(resolve, 5));
        if (i === 0) expect(made).toEqual([0, 1, 2, 3]);
      }
    })(),
  ).rejects.toThrow('after five');
  expect(seen).toEqual([0, 1, 2, 3, 4]);
  ended = false;
  for await (const _ of prefetch(source())) break;
  expect(ended).toBe(true);
  await expect(prefetch(source(), 0).next()).rejects.toThrow(OptionError);
});
