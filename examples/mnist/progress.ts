/** One line at the bottom of a terminal that is written again and again; nothing where there is no terminal. */
import { percent } from './report.ts';

const barWidth = 24;
const minPause = 80; // ms between two updates

export interface Details {
  readonly loss: number;
  readonly accuracy: number;
  readonly imagesPerSecond: number;
  readonly secondsLeft: number;
}

export interface Progress {
  /** Shows that `fraction` (0..1) is done. */
  update(label: string, fraction: number, details: Details): void;
  /** Removes the line, so that others can be printed. */
  clear(): void;
}

export function makeProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  if (!stream.isTTY) return { update() {}, clear() {} };
  let last = 0;
  return {
    update(label, fraction, details) {
      const now = performance.now();
      if (now - last < minPause) return;
      last = now;
      const done = Math.round(barWidth * fraction);
      const bar = `${'━'.repeat(done)}${'─'.repeat(barWidth - done)}`;
      const line = [
        label,
        bar,
        `loss ${details.loss.toFixed(4)}`,
        percent(details.accuracy),
        `${Math.round(details.imagesPerSecond)} images/s`,
        `${showTime(details.secondsLeft)} left`,
      ].join('  ');
      stream.write(`\r\x1b[K${line.slice(0, stream.columns - 1)}`); // a line that wraps could not be removed
    },
    clear() {
      last = 0;
      stream.write('\r\x1b[K');
    },
  };
}

/** Seconds as `0:07` or `12:34`. */
function showTime(seconds: number): string {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}
