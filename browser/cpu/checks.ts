/** What backend-cpu has to do on every page and in every worker, by name; free of vitest, which workers do not have. */
import { type CpuBackend, cpu, profile } from '@neumann/backend-cpu';
import { add, conv, grad, jit, matmul, random, reshape, setBackend, sum, type Tensor } from '@neumann/core';
import fc from 'fast-check';
import { definition, jitIsEager } from '../../packages/testing/src/laws/results.ts';
import { primitiveRows } from '../../packages/testing/src/rows/primitives.ts';

export interface Checks {
  /** How many the backend has when it is asked for two. */
  readonly threads: number;
  /** Whether text may be made code. */
  readonly makesCode: boolean;
  /** What throws where it does not hold. */
  readonly holds: ReadonlyMap<string, () => Promise<void> | void>;
}

export async function makeChecks(): Promise<Checks> {
  const backend = await cpu({ threads: 2 });
  const makesCode = mayMakeCode();
  const holds = new Map<string, () => Promise<void> | void>();
  for (const law of [definition, jitIsEager])
    for (const row of primitiveRows) {
      const samples = law.samples(row, backend);
      // The reference backend, which tells how far sums may be off, makes code from text.
      if (!samples || (row.error === 'sum' && !makesCode)) continue;
      const property = fc.asyncProperty(samples, async (sample) => law.holds(sample, row, backend));
      holds.set(`${law.name}: ${row.name}`, () => fc.assert(property, { numRuns: 2, seed: 1 }));
    }
  holds.set('a network of some size has the same bits from one thread and two', () =>
    compareNetwork(backend),
  );
  holds.set('memory grows', growMemory);
  holds.set('profile names kernels', () => profileProduct(backend));
  return { threads: backend.threads, makesCode, holds };
}

function mayMakeCode(): boolean {
  try {
    // oxlint-disable-next-line typescript/no-implied-eval -- whether it is allowed is the question
    return new Function('return true')() === true;
  } catch {
    return false;
  }
}

/** Large enough that threads share the work: the same bits as from one thread, in every run. */
async function compareNetwork(backend: CpuBackend): Promise<void> {
  const loss = (w: Tensor, v: Tensor, x: Tensor) => {
    const hidden = conv(x, w, { padding: 'same' });
    return sum(matmul(reshape(hidden, [4, 16 * 16 * 8]), v));
  };
  const gradients = [await cpu({ threads: 1 }), backend].map((one) => {
    setBackend(one);
    const shapes = [
      [3, 3, 3, 8],
      [2048, 40],
      [4, 16, 16, 3],
    ];
    const [w, v, x] = shapes.map((shape, i) => random.normal(random.key(i), shape)) as [
      Tensor,
      Tensor,
      Tensor,
    ];
    const gradient = jit(grad(loss, { argnums: [0, 1, 2] }));
    return () => gradient(w, v, x).flatMap((g: Tensor) => [...g.dataSync()].map(Number));
  });
  const [expected = [], ...others] = gradients.flatMap((run) => Array.from({ length: 20 }, run));
  for (const result of others) {
    const at = result.findIndex((y, i) => !Object.is(y, expected[i]));
    if (at >= 0) throw new Error(`element ${at}: ${result[at]} instead of ${expected[at]}`);
  }
}

async function growMemory(): Promise<void> {
  setBackend(await cpu({ threads: 2, memoryMB: 64 }));
  const one = random.uniform(random.key(0), [2 ** 20]);
  let total = one;
  for (let i = 0; i < 40; i++) total = add(total, one);
  const [x, y] = [one.dataSync(), total.dataSync()];
  for (const [i, v] of x.entries())
    if (Math.abs(41 * v - Number(y[i])) > 1e-4) throw new Error(`element ${i}`);
}

async function profileProduct(backend: CpuBackend): Promise<void> {
  setBackend(backend);
  const x = random.normal(random.key(0), [300, 300]);
  const report = await profile(() => matmul(x, x));
  if (report.rows[0]?.name !== 'matmul f32[300,300]') throw new Error(String(report));
}
