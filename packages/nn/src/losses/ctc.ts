import {
  add,
  arange,
  astype,
  broadcastTo,
  concatenate,
  DTypeError,
  equal,
  expandDims,
  full,
  greaterEqual,
  less,
  logAddExp,
  logicalAnd,
  moveaxis,
  multiply,
  negative,
  notEqual,
  reshape,
  ShapeError,
  scan,
  showAval,
  slice,
  stack,
  subtract,
  sum,
  type Tensor,
  takeAlong,
  where,
} from '@neumann/core';
import { checkOptions, isFloat, isInteger } from '@neumann/core/extend';
import { logSoftmax } from '../functions.ts';
import { checkTensors } from '../options.ts';

/** Options of {@link ctcLoss}. */
export interface CtcOptions {
  /** The class that stands for no label; 0. */
  readonly blank?: number;
  /** How many frames each example has: `i32[N]`; all by default. */
  readonly logitLengths?: Tensor;
  /** How many labels each example has: `i32[N]`; all by default. */
  readonly labelLengths?: Tensor;
}

/** The logarithm of nothing: finite, so that derivatives are numbers. */
const none = -1e30;

/**
 * Connectionist temporal classification (Graves et al. 2006, https://doi.org/10.1145/1143844.1143891): minus the logarithm of
 * the probability that the classes of the frames, once repetitions are merged and blanks dropped, spell the labels. One
 * `scan` over the frames sums over all alignments.
 *
 * @param logits `[N, T, K]`
 * @param labels integers `[N, L]`, no blanks among those that count.
 * @returns `[N]`, in nats; 1e30 where the frames are too few to spell the labels.
 * @throws {ShapeError} {DTypeError} for other shapes and dtypes.
 * @example
 * ctcLoss(zeros([1, 2, 3]), tensor([[1]], 'int32'))   // [1.0986]
 */
export function ctcLoss(logits: Tensor, labels: Tensor, options: CtcOptions = {}): Tensor {
  checkOptions('ctcLoss', options, ['blank', 'logitLengths', 'labelLengths']);
  checkTensors('ctcLoss', { logits, labels });
  check(logits, labels, options);
  const { blank = 0 } = options;
  const [n, t] = logits.shape as readonly [number, number, number];
  const l = labels.shape[1] as number;
  const lengthOf = (x: Tensor | undefined, all: number) => (x ? astype(x, 'int32') : full([n], all, 'int32'));
  const [frames, words] = [lengthOf(options.logitLengths, t), lengthOf(options.labelLengths, l)];

  // blank, label, blank, label, …, blank
  const ids = astype(labels, 'int32');
  const pairs = reshape(stack([full([n, l], blank, 'int32'), ids], { axis: 2 }), [n, 2 * l]);
  const states = concatenate([pairs, full([n, 1], blank, 'int32')], { axis: 1 }); // [N, S]
  const s = 2 * l + 1;
  const scores = takeAlong(logSoftmax(logits), broadcastTo(expandDims(states, 1), [n, t, s]), 2); // [N, T, S]
  const canSkip = logicalAnd(notEqual(states, blank), notEqual(states, shifted(states, 2, blank)));

  const place = arange(s);
  const start = where(less(place, 2), slice(scores, [null, 0]), none); // [N, S]
  const step = ({ alpha }: { alpha: Tensor }, { score, time }: { score: Tensor; time: Tensor }) => {
    const stay = logAddExp(alpha, shifted(alpha, 1, none));
    const moved = logAddExp(stay, where(canSkip, shifted(alpha, 2, none), none));
    const isFrame = expandDims(less(time, frames), 1);
    return [{ alpha: where(isFrame, add(moved, score), alpha) }, null] as const;
  };
  const rows = { score: slice(moveaxis(scores, 1, 0), [[1, null]]), time: arange(1, Math.max(t, 1)) };
  const [{ alpha }] = scan(step as never, { alpha: start }, rows) as unknown as [{ alpha: Tensor }];
  const last = expandDims(multiply(2, words), 1);
  const at = (end: Tensor) => sum(where(equal(place, end), alpha, 0), { axis: 1 });
  const beforeLast = where(greaterEqual(words, 1), at(subtract(last, 1)), none);
  return negative(logAddExp(at(last), beforeLast));
}

/** Each row moved by some places to the right. */
function shifted(x: Tensor, by: number, fill: number): Tensor {
  const [n, s] = x.shape as readonly [number, number];
  const front = full([n, Math.min(by, s)], fill, x.dtype);
  return concatenate([front, slice(x, [null, [0, Math.max(0, s - by)]])], { axis: 1 });
}

function check(logits: Tensor, labels: Tensor, { logitLengths, labelLengths }: CtcOptions): void {
  const [ls, ys] = [showAval(logits.aval), showAval(labels.aval)];
  if (!isFloat(logits.dtype)) throw new DTypeError(`ctcLoss: logits must be floats, but are ${ls}.`);
  if (!isInteger(labels.dtype))
    throw new DTypeError(`ctcLoss: labels must be integer classes, but are ${ys}.`);
  if (logits.ndim !== 3 || logits.shape[1] === 0 || labels.ndim !== 2 || labels.shape[0] !== logits.shape[0])
    throw new ShapeError(
      `ctcLoss: logits are [N, T, K] with T ≥ 1 and labels [N, L], but are ${ls} and ${ys}.`,
    );
  for (const [name, x] of [
    ['logitLengths', logitLengths],
    ['labelLengths', labelLengths],
  ] as const)
    if (x && (x.ndim !== 1 || x.shape[0] !== logits.shape[0] || !isInteger(x.dtype)))
      throw new ShapeError(
        `ctcLoss: ${name} are integers [N], but are ${showAval(x.aval)}, with logits ${ls}.`,
      );
}
