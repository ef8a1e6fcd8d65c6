/** What runs in the browser, on the page and in a worker of it. */
import { type CpuBackend, cpu, profile } from '@neumann/backend-cpu';
import { add, conv, grad, jit, matmul, random, reshape, setBackend, sum, type Tensor } from '@neumann/core';
import fc from 'fast-check';
import { laws } from '../packages/testing/src/laws/laws.ts';
import { primitiveRows } from '../packages/testing/src/rows/primitives.ts';

export interface Outcome {
  readonly threads: number;
  /** How many things were right. */
  readonly passed: number;
  /** What was wrong. */
  readonly failures: readonly string[];
}

/** Compares the backend with what primitives are defined to be. */
export async function check(): Promise<Outcome> {
  const failures: string[] = [];
  let passed = 0;
  const attempt = async (name: string, holds: () => unknown) => {
    try {
      await holds();
      passed++;
    } catch (error) {
      failures.push(`${name}: ${error instanceof Error ? error.message : String(error)}`.slice(0, 400));
    }
  };
  const backend = await cpu({ threads: 2 });
  for (const law of laws.filter(({ name }) => ['result ≡ its definition', 'jit ≡ eager'].includes(name)))
    for (const row of primitiveRows) {
      const samples = law.samples(row, backend);
      if (!samples || (row.error === 'sum' && !mayMakeCode())) continue;
      for (const sample of fc.sample(samples, { numRuns: 2, seed: 1 }))
        await attempt(`${law.name}: ${row.name}`, () => law.holds(sample, row, backend));
    }
  await attempt('a network of some size', () => compareNetwork(backend));
  await attempt('memory that grows', () => growMemory());
  await attempt('profile', async () => {
    setBackend(backend);
    const x = random.normal(random.key(0), [300, 300]);
    const report = await profile(() => matmul(x, x));
    if (report.rows[0]?.name !== 'matmul f32[300,300]') throw new Error(String(report));
  });
  return { threads: backend.threads, passed, failures };
}

/** The reference backend makes code from text, which strict pages forbid: it tells how far sums may be off. */
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
