/** A training loop as a function. It holds nothing that a hand-written loop would not; nobody has to use it. */
import { OptionError, type Tensor } from '@neumann/core';
import { checkOptions } from '@neumann/core/extend';
import type { Position } from './data/batches.ts';

/** Numbers of one step or epoch by name. */
export type Metrics = Readonly<Record<string, number>>;

/** A batch and where it is in the data: what `batches` of `@neumann/nn/data` gives. */
export interface FitItem<B> {
  readonly batch: B;
  /** From 0. */
  readonly epoch: number;
  /** Where to go on after this batch. */
  readonly next: Position;
}

/** What callbacks are told, after a step or an epoch. */
export interface FitEvent<S> {
  /** Steps done, over all runs of this training. */
  readonly step: number;
  /** The epoch that the step belonged to, from 0. */
  readonly epoch: number;
  /** Of this step; in `onEpoch` and `onEnd` the means over the epoch. Callbacks add to them for those after. */
  readonly metrics: Metrics;
  readonly state: S;
  /** Where to go on in the data. */
  readonly position: Position;
  /** Since the start of `fit`. */
  readonly seconds: number;
  /** Ends the training after this step or epoch. */
  readonly stop: (reason: string) => void;
}

// biome-ignore lint/suspicious/noConfusingVoidType: a callback that only listens returns nothing
type Added = void | Metrics;

/** Hears of what happens. A result is added to the metrics, for the callbacks after this one and for the history. */
export interface FitCallback<S = unknown> {
  onStep?(event: FitEvent<S>): Added | Promise<Added>;
  onEpoch?(event: FitEvent<S>): Added | Promise<Added>;
  /** Once, however the training ends; `reason` is `'done'`, `'failed'`, or what was given to `stop`. */
  onEnd?(event: FitEvent<S>, reason: string): void | Promise<void>;
}

/** What {@link fit} is told. */
export interface FitOptions<S, B> {
  readonly state: S;
  /** One step of training: pure, and best jitted with `{ donate: [0] }`. Metrics are scalars. */
  readonly step: (
    state: S,
    batch: B,
  ) => { readonly state: S; readonly metrics: Readonly<Record<string, Tensor>> };
  /** Batches in order; it decides where to start and, unless `epochs` does, where to end. */
  readonly data: AsyncIterable<FitItem<B>>;
  /** The training ends before an epoch of this number begins (counted from 0). */
  readonly epochs?: number;
  /** Steps done before, in a run that this one goes on from; 0 by default. */
  readonly stepsDone?: number;
  readonly callbacks?: readonly FitCallback<S>[];
}

/** What {@link fit} gives back. */
export interface FitResult<S> {
  readonly state: S;
  /** Steps done, over all runs of this training. */
  readonly step: number;
  readonly position: Position;
  /** The metrics of each epoch that was finished. */
  readonly history: readonly Metrics[];
  /** `'done'`, or what a callback said. */
  readonly reason: string;
}

/**
 * Steps through batches, and tells callbacks.
 *
 * A loss that is no finite number ends the training with an error: everything after it would be lost.
 *
 * @throws {OptionError} for unknown options, metrics that are no scalars, or a metric that is NaN or infinite.
 * @example
 * const data = { x: hostArray(new Float32Array(8).fill(1), [4, 2]) };
 * const step = (w: Tensor, { x }: { x: Tensor }) => ({ state: subtract(w, mean(x)), metrics: { loss: sum(w) } });
 * const { history } = await fit({ state: tensor(2), step, data: batches(data, { size: 2 }), epochs: 1 });
 * history[0].loss   // 1.5
 */
export async function fit<S, B>(options: FitOptions<S, B>): Promise<FitResult<S>> {
  checkOptions('fit', options, ['state', 'step', 'data', 'epochs', 'stepsDone', 'callbacks']);
  const { step, data, epochs = Number.POSITIVE_INFINITY, callbacks = [] } = options;
  let { state, stepsDone = 0 } = options;
  const start = performance.now();
  const history: Metrics[] = [];
  let reason: string | undefined;
  let position: Position = { epoch: 0, batch: 0 };
  let sums = new Map<string, { total: number; count: number }>();
  const eventOf = (epoch: number, metrics: Metrics): FitEvent<S> => ({
    step: stepsDone,
    epoch,
    metrics,
    state,
    position,
    seconds: (performance.now() - start) / 1000,
    stop: (why) => {
      reason ??= why;
    },
  });
  const tell = async (hook: 'onStep' | 'onEpoch', epoch: number, first: Metrics): Promise<Metrics> => {
    let metrics = first;
    for (const callback of callbacks)
      metrics = { ...metrics, ...(await callback[hook]?.(eventOf(epoch, metrics))) };
    return metrics;
  };
  const means = (): Metrics =>
    Object.fromEntries([...sums].map(([name, { total, count }]) => [name, total / count]));
  let epoch = 0;
  let turned = start;
  try {
    for await (const item of data) {
      if (item.epoch >= epochs) break;
      epoch = item.epoch;
      const result = step(state, item.batch);
      state = result.state;
      position = item.next;
      stepsDone++;
      const metrics = await tell('onStep', epoch, await readMetrics(result.metrics, stepsDone));
      for (const [name, value] of Object.entries(metrics)) {
        const { total, count } = sums.get(name) ?? { total: 0, count: 0 };
        sums.set(name, { total: total + value, count: count + 1 });
      }
      if (item.next.epoch > epoch) {
        history.push(await tell('onEpoch', epoch, means()));
        sums = new Map();
      }
      if (performance.now() - turned > turnEvery) {
        await eventLoopTurn();
        turned = performance.now();
      }
      if (reason !== undefined || item.next.epoch >= epochs) break;
    }
  } catch (error) {
    for (const callback of callbacks) await callback.onEnd?.(eventOf(epoch, means()), 'failed');
    throw error;
  }
  const ended = reason ?? 'done';
  const last = sums.size > 0 ? means() : (history.at(-1) ?? {});
  for (const callback of callbacks) await callback.onEnd?.(eventOf(epoch, last), ended);
  return { state, step: stepsDone, position, history, reason: ended };
}

/** Milliseconds after which signals, timers and pages get their turn: values that are ready do not wait for them. */
const turnEvery = 50;

const eventLoopTurn = (): Promise<void> =>
  new Promise((resolve) => {
    if (typeof setImmediate === 'function') setImmediate(resolve);
    else setTimeout(resolve);
  });

async function readMetrics(metrics: Readonly<Record<string, Tensor>>, step: number): Promise<Metrics> {
  const read = await Promise.all(
    Object.entries(metrics).map(async ([name, value]): Promise<[string, number]> => {
      if (value.size !== 1)
        throw new OptionError(
          `fit: metrics are scalars, but ${name} is ${value.aval.dtype}[${value.shape.join()}].`,
        );
      const [number = Number.NaN] = await value.data();
      if (!Number.isFinite(number))
        throw new OptionError(
          `fit: ${name} is ${number} after step ${step}; the training has diverged. Try a smaller learning rate, or clip the gradients.`,
        );
      return [name, number];
    }),
  );
  return Object.fromEntries(read);
}
