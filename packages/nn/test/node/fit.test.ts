import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { subtract, type Tensor, tensor } from '@neumann/core';
import { fit } from '@neumann/nn';
import { batches, hostArray, parseCsv } from '@neumann/nn/data';
import {
  checkpoints,
  csvLog,
  jsonlLog,
  loadCheckpoint,
  memoryUsage,
  progress,
  tensorboardLog,
} from '@neumann/nn/node';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readEvents } from './tfevents.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fit-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const data = { x: hostArray(new Float32Array(4), [4, 1]) };
const step = (w: Tensor) => ({ state: subtract(w, 1), metrics: { loss: w } });
const run = (callbacks: Parameters<typeof fit<Tensor, object>>[0]['callbacks'] = []) =>
  fit({ state: tensor(8), step, data: batches(data, { size: 2 }), epochs: 2, callbacks });

test('logs hold every step, or every epoch', async () => {
  await run([
    jsonlLog(join(folder, 'a/steps.jsonl')),
    csvLog(join(folder, 'epochs.csv'), { each: 'epoch' }),
    tensorboardLog(join(folder, 'tb')),
  ]);
  const lines = (await readFile(join(folder, 'a/steps.jsonl'), 'utf8'))
    .trim()
    .split('\n')
    .map((l) => JSON.parse(l) as object);
  expect(lines.map((l) => ({ ...l, seconds: 0 }))).toEqual(
    [8, 7, 6, 5].map((loss, i) => ({ step: i + 1, epoch: i >> 1, seconds: 0, loss })),
  );
  const table = parseCsv(await readFile(join(folder, 'epochs.csv'), 'utf8'));
  expect(table.columns).toEqual(['step', 'epoch', 'seconds', 'loss']);
  expect([table.values.get(0, 3), table.values.get(1, 3)]).toEqual([7.5, 5.5]);
  const [file = ''] = await readdir(join(folder, 'tb'));
  expect(file).toMatch(/^events\.out\.tfevents\./);
  const events = readEvents(await readFile(join(folder, 'tb', file)));
  expect(events[0]).toMatchObject({ version: 'brain.Event:2' });
  expect(events.slice(1).map(({ step: s, scalars }) => [s, scalars])).toEqual(
    [8, 7, 6, 5].map((loss, i) => [i + 1, { loss }]),
  );
});

test('checkpoints hold the state and where to go on', async () => {
  await run([checkpoints(folder, { everySteps: 3, metric: 'loss' })]);
  expect(await loadCheckpoint(folder, tensor(0))).toMatchObject({
    step: 4,
    info: { position: { epoch: 2, batch: 0 } },
  });
  const saved = await loadCheckpoint(folder, tensor(0), { which: 3 });
  expect([saved?.state.item(), saved?.info]).toEqual([5, { position: { epoch: 1, batch: 1 } }]);
});

test('the memory of the process is reported', async () => {
  const { history } = await run([memoryUsage()]);
  expect(history[0]?.['rssMB']).toBeGreaterThan(10);
});

test('progress: a line for each epoch, and on a terminal one that is rewritten', async () => {
  const written: string[] = [];
  const write = (text: string) => written.push(text);
  await run([
    progress({ stepsPerEpoch: 2, epochs: 2, batchSize: 2, stream: { write, isTTY: false, columns: 80 } }),
  ]);
  expect(written).toHaveLength(2);
  expect(written[1]).toMatch(/^epoch 2\/2 {2}loss 5\.5 {2}\d+\/s\n$/);
  written.length = 0;
  await run([progress({ stepsPerEpoch: 2, stream: { write, isTTY: true, columns: 30 } })]);
  expect(written[0]?.slice(1)).toBe(
    `${String.fromCharCode(27)}[Kepoch 1  ${'━'.repeat(8)}${'─'.repeat(8)}  lo`,
  );
  expect(written[0]?.length).toBeLessThan(4 + 30);
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s saves a checkpoint and ends with code %i', async (signal, code) => {
  const script = fileURLToPath(new URL('./fit-forever.ts', import.meta.url));
  const child = spawn(process.execPath, ['--conditions=@neumann/source', script, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child.stdout.once('data', () => child.kill(signal));
  const ended = await new Promise((resolve) => child.on('close', resolve));
  expect(ended).toBe(code);
  const saved = await loadCheckpoint(folder, tensor(0));
  expect(saved?.step).toBeGreaterThan(0);
  expect(saved?.state.item()).toBe(-(saved?.step as number));
});
