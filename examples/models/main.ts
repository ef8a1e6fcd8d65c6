/** One training step of each network at its full size: the table of docs/models.md. `node scripts/up.mjs example models`. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { cpu } from '@neumann/backend-cpu';
import {
  type Aval,
  add,
  getBackend,
  jit,
  multiply,
  random,
  setBackend,
  type Tensor,
  valueAndGrad,
} from '@neumann/core';
import { crossEntropy, type Layer, summary } from '@neumann/nn';
import * as models from '@neumann/nn/models';
import { applyUpdates, sgd } from '@neumann/optim';
import { integer, oneOf, parseCommand, runCommand } from '../shared/command.ts';

interface Entry {
  readonly make: () => Layer<object, object, Tensor, Tensor | models.WithAuxiliary>;
  readonly side: number;
}

const entries = {
  'ResNet-18': { make: models.resnet18, side: 224 },
  'ResNet-34': { make: models.resnet34, side: 224 },
  'ResNet-50': { make: models.resnet50, side: 224 },
  'ResNet-101': { make: models.resnet101, side: 224 },
  'ResNet-152': { make: models.resnet152, side: 224 },
  'ResNet-50 v2': { make: () => models.resnet50({ version: 2 }), side: 224 },
  'Inception-V3': { make: models.inceptionV3, side: 299 },
  'Inception-V3 with auxiliary head': { make: models.inceptionV3WithAuxiliary, side: 299 },
  'Inception-ResNet-V2': { make: models.inceptionResnetV2, side: 299 },
} satisfies Record<string, Entry>;

const names = Object.keys(entries) as [keyof typeof entries, ...(keyof typeof entries)[]];

const help = `Trains steps of each network at full size, each in a process of its own, and prints a table.

node scripts/up.mjs example models [options]

  --model <name>    only one: ${names.join(', ')}
  --batch <n>       images in a step  (default: 2)
  --steps <n>       steps that are timed, after the first, which compiles  (default: 3)
  --help            show this
`;

await runCommand('models', async (args) => {
  const values = parseCommand(args, { model: 'value', batch: 'value', steps: 'value', help: 'flag' });
  if (values.help) return void process.stdout.write(help);
  const batch = integer('--batch', values.batch, 2, 1, 1024);
  const steps = integer('--steps', values.steps, 3, 1, 1000);
  if (values.model !== undefined) return measure(oneOf('--model', values.model, names), batch, steps);
  console.log(
    '| network | parameters | GFLOP forward, an image | s an image | compile and first step, s | memory, MB | loss |\n|---|---|---|---|---|---|---|',
  );
  for (const name of names) {
    const options = ['--model', name, '--batch', String(batch), '--steps', String(steps)];
    const { status } = spawnSync(
      process.execPath,
      [...process.execArgv, fileURLToPath(import.meta.url), ...options],
      {
        stdio: 'inherit',
      },
    );
    if (status !== 0) process.exitCode = 1;
  }
});

async function measure(name: keyof typeof entries, batch: number, steps: number): Promise<void> {
  setBackend(await cpu({ memoryMB: 3900 }));
  const { make, side } = entries[name] as Entry;
  const model = make();
  const aval: Aval = { shape: [batch, side, side, 3], dtype: 'float32' };
  const optimizer = sgd({ learningRate: 0.01, momentum: 0.9 });
  const key = random.key(0);
  const { params, state } = model.init(random.foldIn(key, 0), aval);
  const x = random.normal(random.foldIn(key, 1), aval.shape);
  const labels = random.randint(random.foldIn(key, 2), [batch], { max: 1000 });
  const lossOf = (y: Tensor | models.WithAuxiliary): Tensor =>
    'logits' in y
      ? add(crossEntropy(y.logits, labels), multiply(0.4, crossEntropy(y.auxiliary, labels)))
      : crossEntropy(y, labels);
  type Training = { params: object; layers: object; memory: object };
  const step = jit(
    (s: Training) => {
      const loss = (p: object): [Tensor, object] => {
        const [y, layers] = model.apply(p, s.layers, x, { training: true, key });
        return [lossOf(y), layers];
      };
      const [[value, layers], grads] = valueAndGrad(loss, { hasAux: true })(s.params);
      const [updates, memory] = optimizer.update(grads, s.memory as never, s.params);
      return { s: { params: applyUpdates(s.params, updates), layers, memory }, value };
    },
    { donate: [0] },
  );
  let training: Training = { params, layers: state, memory: optimizer.init(params) };
  const times: number[] = [];
  let loss = Number.NaN;
  for (let i = 0; i <= steps; i++) {
    const start = performance.now();
    const result = step(training) as unknown as { s: Training; value: Tensor };
    loss = (await result.value.data())[0] as number;
    times.push((performance.now() - start) / 1000);
    training = result.s;
  }
  if (!Number.isFinite(loss)) throw new Error(`${name}: the loss is ${loss}`);
  const [first = 0, ...rest] = times;
  const median = rest.sort((a, b) => a - b)[rest.length >> 1] as number;
  const { parameters, flops } = summary(model as never, { ...aval, shape: [1, side, side, 3] });
  const heap = (getBackend() as { memory?(): { heapBytes: number } }).memory?.().heapBytes ?? 0;
  const cells = [
    name,
    parameters.toLocaleString('en'),
    (flops / 1e9).toFixed(1),
    (median / batch).toFixed(2),
    first.toFixed(1),
    Math.round(heap / 2 ** 20),
    loss.toFixed(3),
  ];
  console.log(`| ${cells.join(' | ')} |`);
}
