import { checkOptions } from '@neumann/core/extend';
import type { FitCallback, FitEvent, Metrics } from '../fit.ts';
import { positiveInteger } from '../options.ts';

/** A stream that may be a terminal, such as `process.stderr`. */
export interface TextStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Options of {@link progress}. */
export interface ProgressOptions {
  /** How many steps an epoch has, for the bar. */
  readonly stepsPerEpoch: number;
  /** How many epochs there will be, for the time left. */
  readonly epochs?: number;
  /** Examples of a batch, for the speed. */
  readonly batchSize?: number;
  /** Where to; the error stream by default, as the output belongs to results. */
  readonly stream?: TextStream;
}

const barWidth = 16;
const pause = 80; // ms between two updates of the line

/**
 * A callback of `fit` that shows how far it is: on a terminal one line that is written again and again, elsewhere one
 * line for each epoch.
 *
 * @example progress({ stepsPerEpoch: 100, epochs: 10, batchSize: 64 })
 */
export function progress(options: ProgressOptions): FitCallback {
  checkOptions('progress', options, ['stepsPerEpoch', 'epochs', 'batchSize', 'stream']);
  const { epochs, batchSize = 1, stream = process.stderr } = options;
  const stepsPerEpoch = positiveInteger('progress', 'stepsPerEpoch', options.stepsPerEpoch);
  let shown = 0;
  let before: number | undefined; // steps of the runs that this one goes on from
  const line = ({ step, epoch, metrics, seconds, position }: FitEvent<unknown>, isWhole: boolean): string => {
    const done = isWhole || position.epoch > epoch ? stepsPerEpoch : position.batch;
    const filled = Math.min(barWidth, Math.round((barWidth * done) / stepsPerEpoch));
    const rate = (step - (before ?? 0)) / seconds;
    const left = epochs === undefined ? undefined : ((epochs - epoch) * stepsPerEpoch - done) / rate;
    return [
      `epoch ${epoch + 1}${epochs === undefined ? '' : `/${epochs}`}`,
      ...(isWhole ? [] : [`${'━'.repeat(filled)}${'─'.repeat(barWidth - filled)}`]),
      ...showMetrics(metrics),
      `${showRate(rate * batchSize)}/s`,
      ...(left === undefined || isWhole ? [] : [`${showTime(left)} left`]),
    ].join('  ');
  };
  return {
    onStep(event) {
      before ??= event.step - 1;
      if (!stream.isTTY || performance.now() - shown < pause) return;
      shown = performance.now();
      // A line that wraps could not be removed.
      stream.write(`\r\x1b[K${line(event, false).slice(0, (stream.columns || 80) - 1)}`);
    },
    onEpoch(event) {
      stream.write(`${stream.isTTY ? '\r\x1b[K' : ''}${line(event, true)}\n`);
    },
    onEnd() {
      if (stream.isTTY) stream.write('\r\x1b[K');
    },
  };
}

const showMetrics = (metrics: Metrics): string[] =>
  Object.entries(metrics).map(([name, value]) => `${name} ${Number(value.toPrecision(4))}`);

const showRate = (perSecond: number): string =>
  perSecond < 10 ? perSecond.toFixed(1) : String(Math.round(perSecond));

/** Seconds as `0:07`, `12:34` or `1:02:03`. */
function showTime(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (n: number) => String(n).padStart(2, '0');
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}
