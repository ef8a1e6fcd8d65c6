import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import {
  BackendError,
  type Buffer,
  binary,
  type Kernel,
  sizeOf,
  type TypedArray,
} from '@neumann/core/backend';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Code, Local } from '../src/asm/code.ts';
import { ModuleBuilder } from '../src/asm/module.ts';
import { createCpu } from '../src/backend.ts';
import { defineBarrier, importBarrier } from '../src/emit/barrier.ts';
import { noLimits, usualLimits } from '../src/emit/cost.ts';
import { eachTask, unitsOf } from '../src/emit/part.ts';
import { inPieces } from '../src/emit/pieces.ts';
import { emitPlan } from '../src/emit/plan.ts';
import { cpu } from '../src/index.ts';
import { type Program, ThreadPool } from '../src/threads/pool.ts';
import { startWorker, type Worker } from '../src/threads/start.ts';
import { elementwise, planOf, randomSource, runKernel, runReference, valuesOf } from './kernels.ts';
import { randomSample } from './random-kernel.ts';
import { convKernel, gatherKernel, matmulKernel, scatterAddKernel, windowKernel } from './routine-kernels.ts';

/** Backends that divide every kernel that can be divided. */
const counts = [1, 2, 3];
const backends = await Promise.all(counts.map((threads) => createCpu({ threads }, noLimits)));

function expectSameBits(kernel: Kernel, inputs: readonly TypedArray[]): TypedArray[] {
  const [expected = [], ...others] = backends.map((backend) => runKernel(backend, kernel, inputs));
  for (const other of others) expect(other, kernel.name).toEqual(expected);
  return expected;
}

function inputsOf(kernel: Kernel, seed: number): TypedArray[] {
  const random = randomSource(seed);
  return kernel.inputs.map(({ dtype, shape }) => valuesOf(dtype, sizeOf(shape), random, 0.02));
}

/** Runs a program of one pool: `body` with its thread's number and what writes a barrier. */
function programOf(
  pool: ThreadPool,
  threads: number,
  body: (code: Code, thread: Local, meet: () => void) => void,
): Program {
  const builder = new ModuleBuilder();
  const imports = importBarrier(builder);
  const barrier = defineBarrier(builder, threads, imports);
  builder.define(
    { params: ['i32', 'i32'], results: [] },
    (code, [, thread = 0]) => body(code, thread, () => code.i32(20_000).i32(0).call(barrier)),
    'run',
  );
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 2, shared: true });
  const module = new WebAssembly.Module(builder.encode({ maxPages: 2, shared: true }));
  const instance = new WebAssembly.Instance(module, { env: { memory, ...pool.imports(memory) } });
  const entry = instance.exports['run'] as Program['entry'];
  return pool.program({ module, memory, threads, entry });
}

async function poolOf(threads: number): Promise<{ pool: ThreadPool; workers: Worker[] }> {
  const workers: Worker[] = [];
  const pool = new ThreadPool(async (start, ended) => {
    const worker = await startWorker(start, ended);
    if (worker) workers.push(worker);
    return worker;
  });
  await pool.grow(threads);
  return { pool, workers };
}

describe('results are the same to the last bit with 1, 2 and 3 threads', () => {
  test('there are as many threads as asked for', () => {
    expect(backends.map(({ threads }) => threads)).toEqual(counts);
  });

  test('for any loop nest', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 - 1 }), (seed) => {
        const { kernel, inputs } = randomSample(seed);
        expectSameBits(kernel, inputs);
      }),
      { numRuns: 100, seed: 5 },
    );
  });

  const window = {
    n: 3,
    c: 5,
    x: [9, 8],
    window: [2, 2],
    y: [5, 4],
    stride: [2, 2],
    padLow: [1, 0],
    dilation: [1, 1],
  };
  const conv = {
    n: 3,
    c: 6,
    f: 9,
    groups: 1,
    x: [9, 7],
    kernel: [3, 3],
    y: [9, 7],
    stride: [1, 1],
    padLow: [1, 1],
    dilateX: [1, 1],
    dilateW: [1, 1],
  };
  test.each([
    ['matmul', matmulKernel({ m: 250, n: 70, k: 300 })],
    ['matmul of few rows', matmulKernel({ m: 5, n: 333, k: 40, transposeY: true })],
    ['matmul of a batch', matmulKernel({ batch: 7, m: 30, n: 20, k: 10, transposeX: true })],
    ['conv', convKernel('y', conv, 'float32')],
    ['conv of one image', convKernel('y', { ...conv, n: 1 }, 'float32')],
    ['conv of few tiles and many channels', convKernel('y', { ...conv, c: 32, f: 256 })],
    [
      'input gradient by one point',
      convKernel('x', { ...conv, kernel: [1, 1], padLow: [0, 0], stride: [2, 2], y: [5, 4] }),
    ],
    ['input gradient', convKernel('x', { ...conv, stride: [2, 2], y: [5, 4] }, 'float32')],
    ['input gradient of one channel', convKernel('x', { ...conv, c: 1, f: 30 })],
    ['conv with large weights', convKernel('y', { ...conv, c: 128, f: 256 })],
    [
      'input gradient with large weights',
      convKernel('x', { ...conv, c: 130, f: 256, stride: [2, 2], y: [5, 4] }),
    ],
    ['weight gradient', convKernel('w', conv, 'float32')],
    ['large weight gradient', convKernel('w', { ...conv, c: 254, f: 131, stride: [2, 2], y: [5, 4] })],
    ['weight gradient in chunks of images', convKernel('w', { ...conv, n: 50, c: 20, f: 16 })],
    ['weight gradient in blocks of images', convKernel('w', { ...conv, n: 20, c: 160, f: 160 })],
    ['windowMax', windowKernel('windowMax', 'y', window)],
    ['windowMaxAndArgmax', windowKernel('windowMaxAndArgmax', 'y', window)],
    ['windowSum to x', windowKernel('windowSum', 'x', window)],
    ['gather', gatherKernel({ outer: 2, rows: 10, count: 33, inner: 7 }, 'float32')],
    ['scatterAdd', scatterAddKernel({ outer: 2, rows: 10, count: 33, inner: 7 }, 'float32')],
  ])('for %s', (_, kernel) => {
    expectSameBits(kernel, inputsOf(kernel, 7));
  });

  test.each([
    [[], [300_007]],
    [[3], [100_003]],
    [
      [2, 3],
      [50, 2003],
    ],
  ])('for sums to %j over %j', (axes, reduceAxes) => {
    const all = [...axes, ...reduceAxes];
    const { outputs, ...kernel } = elementwise(all, ['float32', 'float32'], (x, y) => [binary('mul', x, y)]);
    const [value] = outputs;
    if (!value) throw new Error('no value');
    const sum = { kind: 'acc', dtype: 'float32', index: 0 } as const;
    const reductions = [
      { op: 'add', value },
      { op: 'max', value },
    ] as const;
    const epilogue = [sum, binary('sub', { ...sum, index: 1 }, sum)];
    const whole = { ...kernel, axes, reduceAxes, reductions, outputs: epilogue };
    const random = randomSource(3);
    const inputs = kernel.inputs.map(({ shape }) =>
      Float32Array.from({ length: sizeOf(shape) }, () => random() - 0.5),
    );
    const results = expectSameBits(whole, inputs);
    for (const [i, want] of runReference(whole, inputs).entries())
      for (const [j, x] of want.entries()) expect(Math.abs((results[i]?.[j] ?? NaN) - x)).toBeLessThan(0.02);
  });
});

test('any share of the tasks has its part of the units, however few there are', () => {
  const tasks = 64;
  for (const units of [1, 32, 63, 96, 1000, 2 ** 30]) {
    const builder = new ModuleBuilder();
    const body = (code: Code, [first = 0, end = 0]: readonly Local[]) => {
      const share = unitsOf(code, { first, end }, tasks, units);
      code.get(share.end).get(share.first).op('i32.sub');
    };
    builder.define({ params: ['i32', 'i32'], results: ['i32'] }, body, 'count');
    const module = new WebAssembly.Module(builder.encode({ maxPages: 1, shared: false }));
    const env = { memory: new WebAssembly.Memory({ initial: 0, maximum: 1 }) };
    const count = new WebAssembly.Instance(module, { env }).exports['count'] as (
      a: number,
      b: number,
    ) => number;
    for (const threads of [1, 2, 3, 64]) {
      const starts = Array.from({ length: threads + 1 }, (_, thread) =>
        Math.floor((tasks * thread) / threads),
      );
      const counts = starts.slice(1).map((end, thread) => count(starts[thread] ?? 0, end));
      expect(counts.reduce((sum, n) => sum + n, 0)).toBe(units);
      for (const [thread, n] of counts.entries())
        expect(
          Math.abs(n - (units * ((starts[thread + 1] ?? 0) - (starts[thread] ?? 0))) / tasks),
        ).toBeLessThan(1);
    }
  }
});

test('a thread runs its own share, then what others have left of theirs, each task once', () => {
  const [counters, runs] = [0, 1024];
  const shapes = fc.record({
    tasks: fc.integer({ min: 2, max: 200 }),
    threads: fc.integer({ min: 2, max: 5 }),
    together: fc.constantFrom(1, 3, 200),
  });
  fc.assert(
    fc.property(shapes, fc.nat(), (shape, first) => {
      const builder = new ModuleBuilder();
      const params = ['i32', 'i32', 'i32', 'i32'] as const;
      const part = builder.define({ params, results: [] }, (code, [, , first = 0, end = 0]) =>
        eachTask(code, { first, end }, (task) => {
          const at = () => code.get(task).i32(4).op('i32.mul');
          at();
          at().memory('i32.load', runs).i32(1).op('i32.add').memory('i32.store', runs);
        }),
      );
      const pieces = inPieces(builder, part, shape);
      const forward = (code: Code, [thread = 0]: readonly Local[]) => {
        code.i32(0).i32(0).get(thread).i32(counters).call(pieces);
      };
      builder.define({ params: ['i32'], results: [] }, forward, 'run');
      const module = new WebAssembly.Module(builder.encode({ maxPages: 1, shared: false }));
      const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
      const run = new WebAssembly.Instance(module, { env: { memory } }).exports['run'] as (t: number) => void;
      for (let i = 0; i < shape.threads; i++) {
        run((first + i) % shape.threads);
        // The first leaves nothing.
        expect([...new Int32Array(memory.buffer, runs, shape.tasks + 1)]).toEqual([
          ...new Array<number>(shape.tasks).fill(1),
          0,
        ]);
      }
    }),
  );
});

test('a plan that takes less time than a thread takes to wake is run by the first alone', () => {
  const isDivided = (n: number, limits: typeof usualLimits): boolean => {
    const features = { relaxedSimd: true, fullRegisters: true, revectorize: false };
    const options = { maxPages: 1, threads: 2, winograd: true, limits };
    return emitPlan(planOf(matmulKernel({ m: n, n, k: n })), features, options).divided;
  };
  expect([64, 128, 256].map((n) => isDivided(n, usualLimits))).toEqual([false, false, true]);
  expect(isDivided(64, noLimits)).toBe(true);
});

describe('the pool', () => {
  test('keeps its promises in 10,000 short runs of several programs', async () => {
    const [, backend] = backends;
    if (!backend) throw new Error('no backend');
    const sizes = [64, 100, 1000];
    const programs = sizes.map((size) => {
      const plan = planOf(elementwise([size], ['float32', 'float32'], (x, y) => [binary('add', x, y)]));
      return { size, executable: backend.compile(plan) };
    });
    const sums = sizes.map((size) => backend.upload('float32', new Float32Array(size)));
    const ones = sizes.map((size) => backend.upload('float32', new Float32Array(size).fill(1)));
    for (let i = 0; i < 10_000; i++) {
      const at = i % sizes.length;
      const [sum] = programs[at]?.executable.run([sums[at] as Buffer, ones[at] as Buffer]) ?? [];
      sums[at] = sum as Buffer;
    }
    for (const [at, size] of sizes.entries())
      expect(backend.downloadSync(sums[at] as Buffer)).toEqual(
        new Float32Array(size).fill(Math.floor((10_002 - at) / 3)),
      );
  });

  test('serves backends of several sizes and memories', async () => {
    const small = await createCpu({ threads: 2, memoryMB: 4 }, noLimits);
    const kernel = matmulKernel({ m: 60, n: 50, k: 40 });
    const random = randomSource(1);
    const inputs = kernel.inputs.map(({ dtype, shape }) => valuesOf(dtype, sizeOf(shape), random, 0));
    const results = [small, ...backends, small].map((backend) => runKernel(backend, kernel, inputs));
    for (const result of results) expect(result).toEqual(results[0]);
  });

  test('a memory that grows and spills is seen by all threads', async () => {
    const backend = await createCpu({ threads: 2, memoryMB: 64 }, noLimits);
    const size = 2 ** 20;
    const plan = planOf(elementwise([size], ['float32', 'float32'], (x, y) => [binary('add', x, y)]));
    const executable = backend.compile(plan);
    const one = backend.upload('float32', new Float32Array(size).fill(1));
    const sums = [one];
    for (let i = 0; i < 40; i++) sums.push(executable.run([sums[i] as Buffer, one])[0] as Buffer);
    for (const [i, sum] of sums.entries())
      expect(backend.downloadSync(sum).every((x) => x === i + 1)).toBe(true);
  });

  test('a worker that throws ends the run with its message, and all later runs', async () => {
    const { pool } = await poolOf(3);
    const program = programOf(pool, 3, (code, thread, meet) => {
      code
        .get(thread)
        .i32(2)
        .op('i32.eq')
        .if(() => code.op('unreachable'));
      meet();
    });
    const failure =
      'cpu: the thread pool failed: a worker threw "unreachable"; ' +
      'create the backend anew, with cpu({ threads: 1 }) if it happens again.';
    expect(() => pool.run(program, 0)).toThrow(new BackendError(failure));
    expect(() => pool.run(program, 0)).toThrow(failure);
  });

  test('a worker that cannot make an instance ends the run', async () => {
    const { pool } = await poolOf(2);
    const program = programOf(pool, 2, (_, __, meet) => meet());
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 3, shared: true });
    expect(() => pool.run({ ...program, memory }, 0)).toThrow(
      /thread pool failed: a worker threw ".*memory import/,
    );
  });

  test('an error in the first thread ends the workers of the run', async () => {
    const { pool } = await poolOf(2);
    const program = programOf(pool, 2, (code, thread, meet) => {
      code
        .get(thread)
        .op('i32.eqz')
        .if(() => code.op('unreachable'));
      meet();
    });
    expect(() => pool.run(program, 0)).toThrow(/thread pool failed: unreachable/);
  });

  test.each([
    ['before a run', 0],
    ['between runs', 100],
  ])('a worker that dies %s is an error, not a wait', async (_, runs) => {
    const { pool, workers } = await poolOf(2);
    const program = programOf(pool, 2, (__, ___, meet) => {
      meet();
      meet();
    });
    for (let i = 0; i < runs; i++) pool.run(program, 0);
    workers[0]?.end();
    expect(() => pool.run(program, 0)).toThrow(/thread pool failed: worker 1 of 1 ended/);
  });

  test('a backend made after a failure has a pool of its own', async () => {
    const backend = await cpu({ threads: 2 });
    expect(backend.threads).toBe(2);
  });

  test.each(['end', 'exit', 'sleep'])('does not keep the process alive: %s', (how) => {
    const script = fileURLToPath(new URL('exit.ts', import.meta.url));
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--conditions=@neumann/source', script, how],
      { encoding: 'utf8', timeout: 30_000 },
    );
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '2 threads, 4950\n', stderr: '' });
  });
});
