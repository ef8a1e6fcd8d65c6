/** The program of an image example: train, watch, save, go on, test. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cpu } from '@neumann/backend-cpu';
import { random, setBackend } from '@neumann/core';
import { type FitCallback, fit, summary } from '@neumann/nn';
import { batches, type LabelledImages, type Position, parseCsv } from '@neumann/nn/data';
import type { Model } from '@neumann/nn/models';
import {
  checkpoints,
  csvLog,
  exitOnInterrupt,
  loadCheckpoint,
  memoryUsage,
  progress,
  tensorboardLog,
  writeAtomically,
} from '@neumann/nn/node';
import { integer, oneOf, parseCommand, UsageError } from './command.ts';
import { drawCurves, lossAndAccuracy } from './curves.ts';
import { makeOptimizer, makeTraining, optimizerNames, type Prepare, type TrainingState } from './training.ts';

/** What is special about an example. */
export interface ImageProgram {
  readonly name: string;
  /** First lines of the help. */
  readonly about: string;
  readonly model: Model;
  readonly prepare: Prepare;
  readonly labelSmoothing?: number;
  readonly epochs: number;
  readonly batch: number;
  /** `path` is what the user gave with `--data`. */
  load(path: string | undefined): Promise<{ training: LabelledImages; test: LabelledImages }>;
}

const help = ({ name, about, epochs, batch }: ImageProgram): string => `${about}

node scripts/up.mjs example ${name} [options]

  --data <path>         the data set
  --optimizer <name>    ${optimizerNames.join(', ')}  (default: neumann)
  --epochs <n>          passes over the training images  (default: ${epochs})
  --batch <n>           images in one step  (default: ${batch})
  --images <n>          train on the first n images only
  --seed <n>            of the initial weights and the order of images  (default: 0)
  --out <folder>        for checkpoints and logs  (default: runs/${name}); a run that was stopped there goes on
  --summary             print the layers of the network, and end
  --help                show this
`;

export async function runImageProgram(program: ImageProgram, args: readonly string[]): Promise<void> {
  const values = parseCommand(args, {
    data: 'value',
    optimizer: 'value',
    epochs: 'value',
    batch: 'value',
    images: 'value',
    seed: 'value',
    out: 'value',
    summary: 'flag',
    help: 'flag',
  });
  if (values.help) return void process.stdout.write(help(program));
  const optimizerName = oneOf('--optimizer', values.optimizer, optimizerNames);
  const epochs = integer('--epochs', values.epochs, program.epochs, 1, 10_000);
  const seed = integer('--seed', values.seed, 0, 0, 2 ** 32 - 1);
  setBackend(await cpu());
  const data = await program.load(values.data);
  const count = integer('--images', values.images, data.training.labels.size, 1, data.training.labels.size);
  const batch = integer('--batch', values.batch, Math.min(program.batch, count), 1, count);
  const examples = { images: data.training.images.hi(count), labels: data.training.labels.hi(count) };
  const [, ...shape] = examples.images.shape;
  if (values.summary)
    return console.log(String(summary(program.model, { shape: [1, ...shape], dtype: 'float32' })));
  const out = values.out ?? join('runs', program.name);

  const stepsPerEpoch = Math.floor(count / batch);
  const optimizer = makeOptimizer(optimizerName, { examples: stepsPerEpoch * batch, batch, epochs });
  const training = makeTraining(program.model, optimizer, program.prepare, program.labelSmoothing);
  const key = random.key(seed);
  const fresh = training.init(random.foldIn(key, 0), [1, ...shape]);
  const saved = await loadCheckpoint(out, fresh, { onDamaged: console.error });
  if (saved) console.log(`going on after step ${saved.step}, from ${saved.path}`);
  const from = (saved?.info as { position: Position } | undefined)?.position ?? { epoch: 0, batch: 0 };
  if (from.epoch >= epochs)
    throw new UsageError(
      `--out ${out} holds a run of ${from.epoch} epochs already; give more --epochs, or another folder`,
    );
  const watch: FitCallback<TrainingState> = {
    onEpoch: async ({ state }) => {
      const { loss, accuracy } = await training.evaluate(state, data.test, 500);
      return { testLoss: loss, testAccuracy: accuracy };
    },
  };
  const { history } = await fit<TrainingState, { images: never; labels: never }>({
    state: saved?.state ?? fresh,
    step: (state, batched) => training.step(state, batched),
    data: batches(examples, { size: batch, key: random.foldIn(key, 1), from }) as never,
    epochs,
    stepsDone: saved?.step ?? 0,
    callbacks: [
      watch,
      memoryUsage(),
      progress({ stepsPerEpoch, epochs, batchSize: batch }),
      csvLog(join(out, 'log.csv'), { each: 'epoch' }),
      tensorboardLog(out),
      checkpoints(out, { metric: 'testLoss', keep: 2 }),
      exitOnInterrupt(),
    ],
  });
  const caption = `${optimizerName}, ${count.toLocaleString('en')} images, batch ${batch}: means over each epoch`;
  const course = courseOf(join(out, 'log.csv'));
  await writeAtomically(
    join(out, 'curves.svg'),
    drawCurves(`${program.name}: loss and accuracy`, caption, course, {
      x: 'epoch',
      xLabel: 'epoch',
      panels: lossAndAccuracy,
    }),
  );
  const last = history.at(-1);
  console.log(
    `${program.name}: test accuracy ${(100 * (last?.['testAccuracy'] ?? 0)).toFixed(2)} %, loss ${last?.['testLoss']?.toFixed(4)}; checkpoints, logs and curves.svg in ${out}`,
  );
}

/** The rows of the log, of this run and of those that it goes on from; epochs count from 1 for readers. */
function courseOf(path: string): Record<string, number>[] {
  const { columns, values } = parseCsv(readFileSync(path, 'utf8'));
  return Array.from({ length: values.shape[0] as number }, (_, r) =>
    Object.fromEntries(columns.map((name, c) => [name, values.get(r, c) + (name === 'epoch' ? 1 : 0)])),
  );
}
