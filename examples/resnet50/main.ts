/** ResNet-50 at its full size: what it is made of, a few steps, and where the time goes. */
import { cpu } from '@neumann/backend-cpu';
import { getBackend, jit, random, setBackend, type Tensor, tensor } from '@neumann/core';
import { normalizeImages, randomFlip, summary } from '@neumann/nn';
import { hostArray, type LabelledImages } from '@neumann/nn/data';
import { resnet50 } from '@neumann/nn/models';
import { listImages, readImages } from '@neumann/nn/node';
import { integer, oneOf, parseCommand, runCommand } from '../shared/command.ts';
import { makeOptimizer, makeTraining, optimizerNames } from '../shared/training.ts';

const help = `Prints the layers of ResNet-50, trains a few steps at full size, and says what they take.

node scripts/up.mjs example resnet50 [options]

  --data <folder>       images as folder/class/image.jpg; random pixels by default
  --batch <n>           images in one step  (default: 8)
  --steps <n>           steps after the first, which compiles  (default: 3)
  --side <n>            pixels of the images' side  (default: 224)
  --optimizer <name>    ${optimizerNames.join(', ')}  (default: neumann)
  --help                show this
`;

await runCommand('resnet50', async (args) => {
  const values = parseCommand(args, {
    data: 'value',
    batch: 'value',
    steps: 'value',
    side: 'value',
    optimizer: 'value',
    help: 'flag',
  });
  if (values.help) return void process.stdout.write(help);
  const batch = integer('--batch', values.batch, 8, 1, 4096);
  const steps = integer('--steps', values.steps, 3, 1, 1_000_000);
  const side = integer('--side', values.side, 224, 32, 1024);
  const optimizerName = oneOf('--optimizer', values.optimizer, optimizerNames);
  setBackend(await cpu({ memoryMB: 3500 }));

  const { images, labels, classes } =
    values.data === undefined ? await noise(batch, side) : await read(values.data, batch, side);
  const model = resnet50({ classes });
  const table = summary(model, { shape: [1, side, side, 3], dtype: 'float32' });
  console.log(String(table));

  const optimizer = makeOptimizer(optimizerName, { examples: batch * (steps + 1), batch, epochs: 1 }, 0.01);
  const training = makeTraining(model, optimizer, (x, key) =>
    normalizeImages(key ? randomFlip(key, x) : x, {
      mean: [0.485, 0.456, 0.406],
      stddev: [0.229, 0.224, 0.225],
    }),
  );
  let state = training.init(random.key(0), [1, side, side, 3]);
  const examples = { images: tensor(images), labels: tensor(labels) };
  for (let i = 0; i <= steps; i++) {
    const start = performance.now();
    const result = training.step(state, examples);
    const loss = ((await result.metrics['loss']?.data()) ?? [Number.NaN])[0] as number;
    const seconds = (performance.now() - start) / 1000;
    state = result.state;
    const speed =
      i === 0
        ? 'with compilation'
        : `${(batch / seconds).toFixed(2)} images/s, ${((3 * table.flops * batch) / seconds / 1e9).toFixed(1)} GFLOP/s`;
    console.log(`step ${i}: loss ${loss.toFixed(4)}, ${seconds.toFixed(2)} s, ${speed}`);
  }
  const backend = getBackend() as { memory?(): { heapBytes: number } };
  const mb = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MB`;
  console.log(
    `memory: ${mb(process.memoryUsage().rss)} of the process, ${mb(backend.memory?.().heapBytes ?? 0)} of the backend`,
  );
});

interface Examples extends LabelledImages {
  readonly classes: number;
}

async function noise(batch: number, side: number): Promise<Examples> {
  const pixels = await jit((key: Tensor) => random.bits(key, [batch * side * side * 3]))(
    random.key(1),
  ).data();
  const labels = Uint8Array.from({ length: batch }, (_, i) => i % 10);
  return {
    images: hostArray(
      Uint8Array.from(pixels, (bits) => bits & 255),
      [batch, side, side, 3],
    ),
    labels: hostArray(labels, [batch]),
    classes: 1000,
  };
}

/** The first images of each class in turn. */
async function read(folder: string, batch: number, side: number): Promise<Examples> {
  const listed = await listImages(folder);
  const order = Array.from(listed.paths.keys()).sort((a, b) => rank(a) - rank(b));
  function rank(i: number): number {
    const label = listed.labels.get(i);
    return (i - listed.labels.data.indexOf(label)) * listed.classes.length + label;
  }
  const chosen = Array.from({ length: batch }, (_, i) => order[i % order.length] as number);
  const images = await readImages(
    chosen.map((i) => listed.paths[i] as string),
    { height: side, width: side },
  );
  const labels = Uint8Array.from(chosen, (i) => listed.labels.get(i));
  return { images, labels: hostArray(labels, [batch]), classes: Math.max(2, listed.classes.length) };
}
