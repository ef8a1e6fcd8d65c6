/** Callbacks of `fit` that need a process: checkpoints, Ctrl-C, memory. */
import { getBackend } from '@neumann/core';
import { checkOptions } from '@neumann/core/extend';
import type { FitCallback, FitEvent } from '../fit.ts';
import { saveCheckpoint } from './checkpoint.ts';

/** Options of {@link checkpoints}. */
export interface CheckpointsOptions {
  /** Steps between two checkpoints; by default there is one after each epoch. */
  readonly everySteps?: number;
  /** How many are kept, besides the best; 3 by default. */
  readonly keep?: number;
  /** The metric of an epoch to choose the best by: smaller is better. */
  readonly metric?: string;
}

/**
 * Saves the state of `fit`, and at its end once more unless it failed; with the position in the data as `info`, so that
 * `batches({ from: info.position })` goes on where it stopped.
 *
 * @throws {OptionError} for bad options.
 * @example checkpoints('runs/a', { everySteps: 500, keep: 2 })
 */
export function checkpoints(folder: string, options: CheckpointsOptions = {}): FitCallback {
  checkOptions('checkpoints', options, ['everySteps', 'keep', 'metric']);
  const { everySteps, keep = 3, metric } = options;
  let saved = -1;
  const save = async ({ state, step, position, metrics }: FitEvent<unknown>) => {
    if (step === saved) return;
    saved = step;
    const loss = metric === undefined ? undefined : metrics[metric];
    await saveCheckpoint(folder, state, {
      step,
      keep,
      info: { position },
      ...(loss === undefined ? {} : { loss }),
    });
  };
  return {
    async onStep(event) {
      if (everySteps !== undefined && event.step % everySteps === 0) await save(event);
    },
    async onEpoch(event) {
      if (everySteps === undefined) await save(event);
    },
    async onEnd(event, reason) {
      if (reason !== 'failed') await save(event);
    },
  };
}

/**
 * Ends the training after the current step when the process is interrupted (Ctrl-C) or asked to end, and then the
 * process with code 130, or 143; list it last, so that the other callbacks have saved what they want to save. A second
 * Ctrl-C ends the process at once.
 *
 * @example
 * const options = { state: tensor(8), data: batches({ x: hostArray(new Float32Array(4), [4]) }, { size: 2, epochs: 1 }) };
 * const step = (w: Tensor) => ({ state: subtract(w, 1), metrics: { loss: w } });
 * await fit({ ...options, step, callbacks: [checkpoints('runs/b'), exitOnInterrupt()] });
 */
export function exitOnInterrupt(): FitCallback {
  let code: number | undefined;
  const interrupted = () => {
    code = 130;
    release(); // the next one is for Node, which ends the process
  };
  const terminated = () => {
    code = 143;
    release();
  };
  const release = () => {
    process.off('SIGINT', interrupted);
    process.off('SIGTERM', terminated);
  };
  process.on('SIGINT', interrupted);
  process.on('SIGTERM', terminated);
  return {
    onStep({ stop }) {
      if (code !== undefined) stop('interrupted');
    },
    onEnd() {
      release();
      if (code !== undefined) process.exit(code);
    },
  };
}

/**
 * Adds the memory of the process to the metrics of each epoch, in MB of 2^20 bytes: `rssMB`, `heapMB`, and `backendMB`
 * where the backend tells.
 *
 * @example const callbacks = [memoryUsage(), jsonlLog('log.jsonl', { each: 'epoch' })]; // the log has it, too
 */
export function memoryUsage(): FitCallback {
  const inMB = (bytes: number) => Math.round((bytes / 2 ** 20) * 10) / 10;
  return {
    onEpoch() {
      const { rss, heapUsed } = process.memoryUsage();
      const backend = getBackend() as { memory?: () => { residentBytes?: number } };
      const bytes = backend.memory?.().residentBytes;
      return {
        rssMB: inMB(rss),
        heapMB: inMB(heapUsed),
        ...(bytes === undefined ? {} : { backendMB: inMB(bytes) }),
      };
    },
  };
}
