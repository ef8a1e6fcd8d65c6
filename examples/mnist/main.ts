/**
 * `npm start`: trains a small convolutional network on MNIST. `npm start -- --help` lists the options.
 *
 * To read in this order: model.ts, train.ts, optimizers.ts, data.ts, evaluate.ts, weights.ts; the rest is a command line
 * and a report.
 */
import { join } from 'node:path';
import { writeAtomically } from '@neumann/nn/node';
import { runCommand } from '../shared/command.ts';
import { useBackend } from './backends.ts';
import { evaluate } from './evaluate.ts';
import { prepareFolder } from './files.ts';
import { loadDigits } from './loadDigits.ts';
import { help, type Options, parseOptions } from './options.ts';
import { comparisonTable, confusionReport, curvesSvg, epochLine, metricsCsv, percent } from './report.ts';
import { type Run, train } from './train.ts';
import { loadWeights, saveWeights } from './weights.ts';

async function main(args: readonly string[]): Promise<void> {
  const options = parseOptions(args);
  if (options === 'help') return void process.stdout.write(help);
  await useBackend(options.backend);
  await (options.evaluate === undefined ? trainAll(options) : evaluateFile(options.evaluate));
}

async function trainAll(options: Options): Promise<void> {
  prepareFolder(options.out);
  const data = await loadDigits(options.images);
  const runs: Run[] = [];
  for (const name of options.optimizers) {
    const run = await train(name, data, options, (m, speed) =>
      console.log(epochLine(name, options.epochs, m, speed)),
    );
    console.log(
      `${name}: test accuracy ${percent(run.test.accuracy)}, loss ${run.test.loss.toFixed(4)}, in ${run.seconds.toFixed(1)} s`,
    );
    console.log(confusionReport(data.test, run.test.predictions));
    runs.push(run);
  }
  if (runs.length > 1) console.log(`\n${comparisonTable(runs)}\n`);
  await writeResults(options, runs);
}

/** The weights are those of the first run: Neumann's when optimizers are compared. */
async function writeResults({ out, seed }: Options, runs: readonly Run[]): Promise<void> {
  const [first] = runs as readonly [Run];
  await writeAtomically(join(out, 'metrics.csv'), metricsCsv(runs));
  await writeAtomically(join(out, 'curves.svg'), curvesSvg(runs));
  await saveWeights(join(out, 'weights.safetensors'), first.params, {
    optimizer: first.optimizer,
    seed: String(seed),
  });
  console.log(`wrote metrics.csv, curves.svg and weights.safetensors to ${out}`);
}

async function evaluateFile(path: string): Promise<void> {
  const params = loadWeights(path);
  const { test } = await loadDigits();
  const result = await evaluate(params, test);
  console.log(`${path}: test accuracy ${percent(result.accuracy)}, loss ${result.loss.toFixed(4)}`);
  console.log(confusionReport(test, result.predictions));
}

await runCommand('mnist', main);
