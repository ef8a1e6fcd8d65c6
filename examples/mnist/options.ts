/** The command line: `npm start -- --optimizer adam --epochs 5`. */
import { parseArgs } from 'node:util';
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

/** The user wrote something that cannot be meant; one line says what. */
export class UsageError extends Error {}

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
  const values = parse(args);
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

type Values = Partial<
  Record<'optimizer' | 'epochs' | 'batch' | 'images' | 'seed' | 'backend' | 'out' | 'evaluate', string> &
    Record<'compare' | 'help', boolean>
>;

function parse(args: readonly string[]): Values {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        optimizer: text,
        compare: flag,
        epochs: text,
        batch: text,
        images: text,
        seed: text,
        backend: text,
        out: text,
        evaluate: text,
        help: { ...flag, short: 'h' },
      },
    }).values;
  } catch (error) {
    // Node's messages go on with advice about positional arguments, which do not exist here.
    throw new UsageError((error as Error).message.split(/\.\s|\n/)[0]);
  }
}

function oneOf<const T extends string>(
  option: string,
  value: string | undefined,
  allowed: readonly [T, ...T[]],
): T {
  if (value === undefined) return allowed[0];
  const found = allowed.find((name) => name === value);
  if (found === undefined)
    throw new UsageError(`${option} must be one of ${allowed.join(', ')}, but is ${JSON.stringify(value)}`);
  return found;
}

function integer(
  option: string,
  value: string | undefined,
  byDefault: number,
  least: number,
  most: number,
): number {
  if (value === undefined) return byDefault;
  const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
  if (!(number >= least && number <= most))
    throw new UsageError(
      `${option} must be an integer from ${least} to ${most}, but is ${JSON.stringify(value)}`,
    );
  return number;
}
