import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FileError, OptionError, random, tensor, treeLeaves, zeros } from '@neumann/core';
import { loadCheckpoint, saveCheckpoint } from '@neumann/nn/node';
import { afterEach, beforeEach, expect, test } from 'vitest';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'checkpoints-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const state = (value: number) => ({
  params: { w: tensor([value, -0]) },
  key: random.key(value),
  count: tensor(value, 'int32'),
});
const countOf = (saved: Awaited<ReturnType<typeof loadCheckpoint<ReturnType<typeof state>>>>) =>
  saved?.state.count.item();

test('a state comes back bit for bit, with the step and what was saved beside it', async () => {
  const path = await saveCheckpoint(folder, state(7), {
    step: 7,
    info: { position: { epoch: 1, batch: 2 } },
  });
  const saved = await loadCheckpoint(folder, state(0));
  expect(saved).toMatchObject({ step: 7, info: { position: { epoch: 1, batch: 2 } }, path });
  expect(treeLeaves(saved?.state).map((x) => (x as { dataSync(): unknown }).dataSync())).toEqual(
    treeLeaves(state(7)).map((x) => (x as { dataSync(): unknown }).dataSync()),
  );
});

test('a folder without checkpoints has none', async () => {
  expect(await loadCheckpoint(folder, state(0))).toBeNull();
  expect(await loadCheckpoint(join(folder, 'missing'), state(0))).toBeNull();
});

test('the newest are kept, and the best', async () => {
  const losses = [5, 1, 4, 3, 2];
  for (const [step, loss] of losses.entries())
    await saveCheckpoint(folder, state(step), { step, loss, keep: 2 });
  expect(await readdir(folder)).toHaveLength(3);
  expect(countOf(await loadCheckpoint(folder, state(0)))).toBe(4);
  expect(countOf(await loadCheckpoint(folder, state(0), { which: 'best' }))).toBe(1);
  expect(countOf(await loadCheckpoint(folder, state(0), { which: 3 }))).toBe(3);
  expect(await loadCheckpoint(folder, state(0), { which: 0 })).toBeNull();
});

test('a damaged checkpoint is passed over, and said so', async () => {
  await saveCheckpoint(folder, state(1), { step: 1 });
  const path = await saveCheckpoint(folder, state(2), { step: 2 });
  await writeFile(path, 'damaged');
  const heard: string[] = [];
  expect(countOf(await loadCheckpoint(folder, state(0), { onDamaged: (m) => heard.push(m) }))).toBe(1);
  expect(heard).toEqual([`${path}: the content is not what was saved; it was damaged afterwards.`]);
});

test('what a process that died left behind is removed', async () => {
  await writeFile(join(folder, 'step-000000001.abc.safetensors.123.tmp'), 'half');
  await saveCheckpoint(folder, state(2), { step: 2 });
  expect(await readdir(folder)).toHaveLength(1);
});

test('another model and bad options are named', async () => {
  await saveCheckpoint(folder, state(1), { step: 1 });
  await expect(loadCheckpoint(folder, { other: zeros([2]) })).rejects.toThrow(FileError);
  await expect(saveCheckpoint(folder, state(1), { step: -1 })).rejects.toThrow(
    'step must be an integer of at least 0, but is -1.',
  );
  await expect(saveCheckpoint(folder, state(1), { step: 1, keep: 0 })).rejects.toThrow(OptionError);
  await expect(saveCheckpoint(folder, state(1), { step: 1, info: 1n })).rejects.toThrow(
    'info must be what JSON can hold',
  );
});

/** Starts a process that saves checkpoints as fast as it can, and resolves once it has saved the first. */
function startSaving(into: string): Promise<{ child: ChildProcess; completed: () => number }> {
  const script = fileURLToPath(new URL('./save-forever.ts', import.meta.url));
  const child = spawn(process.execPath, ['--conditions=@neumann/source', script, into], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let last = -1;
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.stdout?.on('data', (chunk: Buffer) => {
      const steps = chunk.toString().split('\n').filter(Boolean).map(Number);
      last = steps.at(-1) ?? last;
      resolve({ child, completed: () => last });
    });
  });
}

test('SIGKILL at a random moment, 50 times, never loses a completed checkpoint and never leaves a broken one', async () => {
  const killOne = async (i: number) => {
    const into = join(folder, String(i));
    const { child, completed } = await startSaving(into);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 60));
    const gone = new Promise((resolve) => child.on('close', resolve));
    child.kill('SIGKILL');
    await gone; // all that it said has arrived
    const damaged: string[] = [];
    const saved = await loadCheckpoint(
      into,
      { step: tensor(0, 'int32'), w: zeros([5000]) },
      { onDamaged: (m) => damaged.push(m) },
    );
    expect(damaged).toEqual([]);
    expect(saved?.step).toBeGreaterThanOrEqual(completed());
    expect(saved?.state.step.item()).toBe(saved?.step);
    expect(new Set(saved?.state.w.dataSync())).toEqual(new Set([saved?.step]));
  };
  const lane = async (first: number) => {
    for (let i = first; i < 50; i += 4) await killOne(i);
  };
  await Promise.all([0, 1, 2, 3].map(lane));
}, 120_000);
