/** The command line: `npm start -- --optimizer adam --epochs 5`. */
import { integer, oneOf, parseCommand, UsageError } from '../shared/command.ts';
import { totalImages, trainingImages } from './data.ts';

const optimizerNames = ['neumann', 'sgd', 'adam', 'rmsprop'] as const;
export type OptimizerName = (typeof optimizerNames)[number];

const backendNames = ['cpu', 'reference', 'gpu'] as const;
export type BackendName = (typeof backendNames)[number];

export interface Options {
  readonly optimizers: readonly OptimizerName[];
  readonly batch: number;
  readonly epochs: number;
  readonly seed: number;
  readonly images: number;
  readonly backend: BackendName;
  readonly out: string;
  /** A weights file to evaluate instead of training. */
  readonly evaluate?: string;
}

export const help = `Trains a small convolutional network on ${totalImages.toLocaleString('en')} MNIST digits with the Neumann optimizer.

npm start -- [options]

  --optimizer <name>    ${optimizerNames.join(', ')}  (default: neumann)
  --compare             train with all four and compare them
  --epochs <n>          passes over the training images  (default: 12)
  --batch <n>           images in one step  (default: 64)
  --images <n>          use n of the ${totalImages.toLocaleString('en')} images, eight tenths of them for training  (default: all)
  --seed <n>            of the initial weights and the order of images  (default: 0)
  --backend <name>      ${backendNames.join(', ')}  (default: cpu; reference takes a second for each image)
  --out <folder>        for metrics.csv, curves.svg, weights.safetensors  (default: runs/mnist)
  --evaluate <file>     test the weights in a .safetensors file instead of training
  --help                show this

The same seed gives the same numbers, bit for bit.
`;

/**
 * @returns `'help'` if help is asked for.
 * @throws {UsageError} naming the option that is unknown, or whose value is not allowed.
 */
export function parseOptions(args: readonly string[]): Options | 'help' {
  const values = parseCommand(args, {
    optimizer: 'value',
    compare: 'flag',
    epochs: 'value',
    batch: 'value',
    images: 'value',
    seed: 'value',
    backend: 'value',
    out: 'value',
    evaluate: 'value',
    help: 'flag',
  });
  if (values.help) return 'help';
  if (values.compare && values.optimizer !== undefined)
    throw new UsageError('--compare trains with all optimizers; leave out --optimizer');
  if (values.compare && values.evaluate !== undefined)
    throw new UsageError('--evaluate does not train; leave out --compare');
  const images = integer('--images', values.images, totalImages, 10, totalImages);
  const training = trainingImages(images);
  return {
    optimizers: values.compare ? optimizerNames : [oneOf('--optimizer', values.optimizer, optimizerNames)],
    batch: integer('--batch', values.batch, Math.min(64, training), 1, training),
    epochs: integer('--epochs', values.epochs, 12, 1, 10_000),
    seed: integer('--seed', values.seed, 0, 0, 2 ** 32 - 1),
    images,
    backend: oneOf('--backend', values.backend, backendNames),
    out: values.out ?? 'runs/mnist',
    ...(values.evaluate !== undefined && { evaluate: values.evaluate }),
  };
}
