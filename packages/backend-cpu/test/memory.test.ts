import { type Buffer, binary, type Plan } from '@neumann/core/backend';
import { garbageCollector } from '@neumann/testing';
import { describe, expect, test } from 'vitest';
import { cpu } from '../src/index.ts';
import { Heap } from '../src/memory/heap.ts';
import { elementwise, planOf, randomSource } from './kernels.ts';

const MB = 2 ** 20;
const add = (size: number) => elementwise([size], ['float32', 'float32'], (x, y) => [binary('add', x, y)]);
const filled = (size: number, value: number) => new Float32Array(size).fill(value);

/** A plan whose result takes the memory of its first argument. */
function donatingPlan(size: number): Plan {
  const plan = planOf(add(size));
  return {
    ...plan,
    slots: plan.slots.map((slot, i) => (i === 2 ? { ...slot, place: { kind: 'donated', index: 0 } } : slot)),
  };
}

describe('memory', () => {
  test('a synchronous loop of 1000 × 1 MB stays within a budget of 16 MB', async () => {
    const backend = await cpu({ memoryMB: 16 });
    const size = MB / 4;
    const one = backend.upload('float32', filled(size, 1));
    const executable = backend.compile(planOf(add(size)));
    let sum = one;
    for (let i = 0; i < 1000; i++) [sum = one] = executable.run([sum, one]);
    expect(backend.downloadSync(sum).subarray(0, 3)).toEqual(filled(3, 1001));
    const { residentBytes, heapBytes } = backend.memory();
    expect(residentBytes).toBeLessThanOrEqual(16 * MB);
    expect(heapBytes).toBeLessThanOrEqual(25 * MB);
    expect(process.memoryUsage.rss()).toBeLessThan(1500 * MB);
  });

  test('spilled buffers keep their bytes and come back when they are used', async () => {
    const backend = await cpu({ memoryMB: 8 });
    const size = MB / 4;
    const buffers = Array.from({ length: 20 }, (_, i) => backend.upload('float32', filled(size, i)));
    expect(backend.memory().spilledBytes).toBeGreaterThanOrEqual(12 * MB);
    const executable = backend.compile(planOf(add(size)));
    for (const [i, buffer] of buffers.entries()) {
      const [sum] = executable.run([buffer, buffers[19 - i] as Buffer]);
      expect(backend.downloadSync(sum as Buffer)).toEqual(filled(size, 19));
      expect(backend.downloadSync(buffer)[size - 1]).toBe(i);
    }
    expect(backend.memory().residentBytes).toBeLessThanOrEqual(8 * MB);
  });

  test('handles that are gone free their memory once JavaScript collects them', async () => {
    const backend = await cpu();
    const drop = () => {
      for (let i = 0; i < 200; i++) backend.upload('float32', filled(1000, i));
    };
    drop();
    expect(backend.memory().buffers).toBe(200);
    const collect = await garbageCollector();
    for (let i = 0; i < 20 && backend.memory().buffers > 0; i++) {
      collect();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(backend.memory()).toMatchObject({ buffers: 0, residentBytes: 0 });
  });

  test('a loop that awaits its results uses the same memory again and again', async () => {
    const backend = await cpu();
    const size = MB;
    const one = backend.upload('float32', filled(size, 1));
    const executable = backend.compile(planOf(add(size)));
    let sum = one;
    for (let i = 0; i < 500; i++) {
      [sum = one] = executable.run([sum, one]);
      if (i % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(backend.downloadSync(sum)[size - 1]).toBe(501);
    expect(backend.memory().heapBytes).toBeLessThan(500 * MB);
  });

  test('what was spilled and is used makes room for as much', async () => {
    const backend = await cpu();
    const size = 8 * MB;
    const live = Array.from({ length: 14 }, (_, i) => backend.upload('float32', filled(size, i)));
    expect(backend.memory().residentBytes).toBeLessThan(400 * MB);
    const executable = backend.compile(planOf(add(size)));
    for (const x of live) executable.run([x, x]);
    expect(backend.memory().residentBytes).toBeGreaterThan(512 * MB);
  });

  test('a plan that needs more than everything at hand finds room in scattered memory', async () => {
    const backend = await cpu({ memoryMB: 16 });
    const small = Array.from({ length: 30 }, (_, i) => backend.upload('float32', filled(MB / 8, i)));
    const x = backend.upload('float32', filled(MB, 1));
    const y = backend.upload('float32', filled(MB, 2));
    const [sum] = backend.compile(planOf(add(MB))).run([x, y]);
    expect(backend.downloadSync(sum as Buffer)).toEqual(filled(MB, 3));
    for (const [i, buffer] of small.entries())
      expect(backend.downloadSync(buffer)).toEqual(filled(MB / 8, i));
  });

  test('a result takes the place of a donated argument', async () => {
    const backend = await cpu();
    const executable = backend.compile(donatingPlan(1000));
    const one = backend.upload('float32', filled(1000, 1));
    let sum = backend.upload('float32', filled(1000, 0));
    const before = backend.memory();
    const first = sum;
    for (let i = 0; i < 10; i++) [sum = one] = executable.run([sum, one]);
    expect(backend.memory()).toEqual({ ...before, regionBytes: backend.memory().regionBytes });
    expect(backend.downloadSync(sum)).toEqual(filled(1000, 10));
    expect(() => backend.downloadSync(first)).toThrow(
      'cpu: what is downloaded was donated; its memory holds another value now.',
    );
    expect(() => executable.run([first, one])).toThrow(
      'cpu: argument 0 of a compiled program was donated; its memory holds another value now.',
    );
  });

  test('an output may be an input, or stand there twice', async () => {
    const backend = await cpu();
    const plan = planOf(add(5));
    const [x, y] = [backend.upload('float32', filled(5, 1)), backend.upload('float32', filled(5, 2))];
    const [first, again, same] = backend.compile({ ...plan, outputs: [2, 2, 0] }).run([x, y]);
    expect(first).toBe(again);
    expect(same).toBe(x);
    expect(backend.downloadSync(first as Buffer)).toEqual(filled(5, 3));
  });

  test('upload copies, and empty buffers work', async () => {
    const backend = await cpu();
    const values = Float32Array.of(1, 2, 3);
    const buffer = backend.upload('float32', values);
    values.fill(0);
    expect(backend.downloadSync(buffer)).toEqual(Float32Array.of(1, 2, 3));
    expect(await backend.download(buffer)).toEqual(Float32Array.of(1, 2, 3));
    const empty = backend.upload('int32', new Int32Array(0));
    expect(await backend.download(empty)).toEqual(new Int32Array(0));
    const part = new Float64Array(10).fill(2).subarray(3, 5);
    expect(backend.downloadSync(backend.upload('float64', part))).toEqual(Float64Array.of(2, 2));
  });

  test('results are the same in every run', async () => {
    const backend = await cpu();
    const random = randomSource(3);
    const x = backend.upload('float32', Float32Array.from({ length: 1000 }, random));
    const executable = backend.compile(planOf(add(1000)));
    const [a, b] = [executable.run([x, x]), executable.run([x, x])];
    expect(backend.downloadSync(a[0] as Buffer)).toEqual(backend.downloadSync(b[0] as Buffer));
  });
});

describe('the heap', () => {
  test('never gives out overlapping blocks, and joins what comes back', () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1000 });
    const heap = new Heap(memory, 4 * MB);
    const random = randomSource(11);
    const blocks: { address: number; bytes: number }[] = [];
    for (let step = 0; step < 4000; step++) {
      if (random() < 0.55) {
        const bytes = Math.floor(random() * 5000);
        const address = heap.allocate(bytes);
        if (address === undefined) continue;
        expect(address % 64).toBe(0);
        expect(address + bytes).toBeLessThanOrEqual(memory.buffer.byteLength);
        for (const other of blocks)
          expect(
            address + Math.max(bytes, 1) <= other.address ||
              other.address + Math.max(other.bytes, 1) <= address,
          ).toBe(true);
        blocks.push({ address, bytes });
      } else {
        const [gone] = blocks.splice(Math.floor(random() * blocks.length), 1);
        if (gone) heap.free(gone.address, gone.bytes);
      }
    }
    for (const { address, bytes } of blocks) heap.free(address, bytes);
    expect(heap.allocate(4 * MB - 65536 - 64)).toBe(65536);
  });
});
