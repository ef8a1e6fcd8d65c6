/** Means over an epoch, shown while it goes on: one line of a terminal that is written again and again. */
import { percent } from './report.ts';

/** Where in a training an epoch is. */
export interface Stage {
  readonly name: string;
  /** Counted from 1. */
  readonly epoch: number;
  readonly epochs: number;
  readonly stepsPerEpoch: number;
  readonly batch: number;
}

interface EpochMeans {
  readonly loss: number;
  readonly accuracy: number;
  readonly seconds: number;
}

export interface Meter {
  /** Adds the numbers of one step. */
  add(loss: number, accuracy: number): void;
  /** Removes the line, and gives the means over the steps so far. */
  finish(): EpochMeans;
}

const barWidth = 16; // the whole line fits into 80 columns
const pause = 80; // ms between two updates of the line

/** Where the stream is no terminal, nothing is shown. */
export function makeMeter(stage: Stage, stream: NodeJS.WriteStream = process.stderr): Meter {
  const start = performance.now();
  let [loss, accuracy, steps, shown] = [0, 0, 0, 0];
  const means = (): EpochMeans => ({
    loss: loss / steps,
    accuracy: accuracy / steps,
    seconds: (performance.now() - start) / 1000,
  });
  return {
    add(stepLoss, stepAccuracy) {
      loss += stepLoss;
      accuracy += stepAccuracy;
      steps++;
      if (!stream.isTTY || performance.now() - shown < pause) return;
      shown = performance.now();
      // A line that wraps could not be removed.
      stream.write(`\r\x1b[K${progressLine(stage, steps, means()).slice(0, stream.columns - 1)}`);
    },
    finish() {
      if (stream.isTTY) stream.write('\r\x1b[K');
      return means();
    },
  };
}

function progressLine(
  { name, epoch, epochs, stepsPerEpoch, batch }: Stage,
  steps: number,
  means: EpochMeans,
): string {
  const done = Math.round((barWidth * steps) / stepsPerEpoch);
  const stepsLeft = (epochs - epoch + 1) * stepsPerEpoch - steps;
  return [
    `${name} ${epoch}/${epochs}`,
    `${'━'.repeat(done)}${'─'.repeat(barWidth - done)}`,
    `loss ${means.loss.toFixed(4)}`,
    percent(means.accuracy),
    `${Math.round((steps * batch) / means.seconds)} images/s`,
    `${showTime((stepsLeft / steps) * means.seconds)} left`,
  ].join('  ');
}

/** Seconds as `0:07` or `12:34`. */
function showTime(seconds: number): string {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}
