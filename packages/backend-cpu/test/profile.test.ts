import { type Buffer, binary, sizeOf } from '@neumann/core/backend';
import { describe, expect, test } from 'vitest';
import { cpu, profile } from '../src/index.ts';
import { elementwise, planOf } from './kernels.ts';
import { matmulKernel } from './routine-kernels.ts';

describe.each([1, 2])('a profile with %i threads', (threads) => {
  test('counts calls, flops and bytes of each kernel', async () => {
    const backend = await cpu({ threads, memoryMB: 256 });
    const upload = (size: number) => backend.upload('float32', new Float32Array(size).fill(1));
    const add = elementwise([300, 200], ['float32', 'float32'], (x, y) => [
      binary('add', x, binary('mul', y, y)),
    ]);
    const product = matmulKernel({ m: 100, n: 90, k: 80 });
    const runs = [add, product].map((kernel) => {
      const executable = backend.compile(planOf(kernel));
      const inputs = kernel.inputs.map(({ shape }) => upload(sizeOf(shape)));
      return () => executable.run(inputs);
    });
    const [before] = runs.map((run) => run());
    let after: Buffer[] = [];
    const report = await profile(() => {
      after = runs[0]?.() ?? [];
      for (let i = 0; i < 3; i++) runs[1]?.();
    });
    expect(after.map((buffer) => backend.downloadSync(buffer))).toEqual(
      before?.map((buffer) => backend.downloadSync(buffer)),
    );
    const rowOf = (name: string) => report.rows.find((row) => row.name === name);
    expect(rowOf('elementwise f32[300,200]')).toMatchObject({ calls: 1, flops: 120_000, bytes: 720_000 });
    const matmul = { calls: 3, flops: 3 * 2 * 720_000, bytes: 3 * 4 * (8000 + 7200 + 9000) };
    expect(rowOf('matmul f32[100,90]')).toMatchObject(matmul);
    expect(report.rows.reduce((sum, row) => sum + row.share, 0)).toBeCloseTo(1);
    for (const { ms, ofPeak } of report.rows) {
      expect(ms).toBeGreaterThan(0);
      expect(ofPeak).toBeGreaterThan(0);
    }
    expect(report.peak.gflops).toBeGreaterThan(0);
    expect(report.peak.gbs).toBeGreaterThan(0);
    const [head, ...lines] = report.toString().split('\n');
    expect(head).toMatch(/^kernel +calls +ms +time +GFLOP\/s +GB\/s +of peak$/);
    expect(lines).toHaveLength(3);
    const { traceEvents } = report.trace();
    expect(traceEvents).toHaveLength(4);
    for (const { ts, dur } of traceEvents) {
      expect(dur).toBeGreaterThanOrEqual(0);
      expect(ts + dur).toBeLessThanOrEqual(report.ms * 1000);
    }
  });
});

test('one profile at a time; a function that throws ends its own', async () => {
  const first = profile(() => new Promise((resolve) => setTimeout(resolve, 5)));
  await expect(profile(() => 0)).rejects.toThrow(
    'profile: another profile is being made; await it before making the next.',
  );
  expect((await first).rows).toEqual([]);
  const failing = profile(() => {
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  expect(`${await profile(() => 0)}`).toMatch(/^kernel {2}calls/);
});
