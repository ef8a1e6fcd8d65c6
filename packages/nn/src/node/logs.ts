/** Callbacks of `fit` that write what happened to files. */

import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { checkOptions } from '@neumann/core/extend';
import type { FitCallback, FitEvent, Metrics } from '../fit.ts';
import { oneOf } from '../options.ts';
import { crc32c } from './crc32c.ts';

/** When a log gets an entry. */
export interface LogOptions {
  /** `'step'` (the default) or `'epoch'`. */
  readonly each?: 'step' | 'epoch';
}

function eachOf(op: string, options: LogOptions): 'step' | 'epoch' {
  checkOptions(op, options, ['each']);
  const { each = 'step' } = options;
  oneOf(op, 'each', each, ['step', 'epoch']);
  return each;
}

/** A callback that writes down the metrics of each step or epoch. */
const logger = (each: 'step' | 'epoch', write: (event: FitEvent<unknown>) => void): FitCallback =>
  each === 'step' ? { onStep: (event) => write(event) } : { onEpoch: (event) => write(event) };

/**
 * Logs one JSON object a line: `{"step":1,"epoch":0,"seconds":0.1,"loss":2.3}`. An existing file is continued.
 *
 * @throws What the file system throws, if the file cannot be written.
 * @example jsonlLog('runs/a/log.jsonl', { each: 'epoch' })
 */
export function jsonlLog(path: string, options: LogOptions = {}): FitCallback {
  const each = eachOf('jsonlLog', options);
  mkdirSync(dirname(path), { recursive: true });
  return logger(each, ({ step, epoch, seconds, metrics }) =>
    appendFileSync(path, `${JSON.stringify({ step, epoch, seconds, ...metrics })}\n`),
  );
}

/**
 * Logs a table of comma-separated values, whose columns are those of the first entry. An existing file with
 * these columns is continued, any other one replaced.
 *
 * @throws What the file system throws, if the file cannot be written.
 * @example csvLog('runs/a/log.csv', { each: 'epoch' })
 */
export function csvLog(path: string, options: LogOptions = {}): FitCallback {
  const each = eachOf('csvLog', options);
  mkdirSync(dirname(path), { recursive: true });
  let columns: readonly string[] | undefined;
  const quoted = (name: string) => (/[",\n]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name);
  return logger(each, ({ step, epoch, seconds, metrics }) => {
    const row: Metrics = { step, epoch, seconds, ...metrics };
    if (!columns) {
      columns = Object.keys(row);
      const header = `${columns.map(quoted).join(',')}\n`;
      if (!existsSync(path) || !readFileSync(path, 'utf8').startsWith(header)) writeFileSync(path, header);
    }
    appendFileSync(path, `${columns.map((name) => row[name] ?? '').join(',')}\n`);
  });
}

/**
 * Logs scalars for TensorBoard: a new file `events.out.tfevents.…` in the folder.
 *
 * @throws What the file system throws, if the file cannot be written.
 * @example tensorboardLog('runs/a')
 */
export function tensorboardLog(folder: string, options: LogOptions = {}): FitCallback {
  const each = eachOf('tensorboardLog', options);
  mkdirSync(folder, { recursive: true });
  const now = () => Date.now() / 1000;
  const path = join(folder, `events.out.tfevents.${Math.floor(now())}.${process.pid}.neumann`);
  writeFileSync(path, record(eventMessage(now(), 0, [stringField(3, 'brain.Event:2')])));
  return logger(each, ({ step, metrics }) => {
    const values = Object.entries(metrics).map(([tag, value]) =>
      bytesField(1, Buffer.concat([stringField(1, tag), floatField(2, value)])),
    );
    appendFileSync(path, record(eventMessage(now(), step, [bytesField(5, Buffer.concat(values))])));
  });
}

/* ---- TFRecord: u64 length, its checksum, data, its checksum ---- */

function record(data: Buffer): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(data.length));
  return Buffer.concat([length, masked(length), data, masked(data)]);
}

function masked(bytes: Uint8Array): Buffer {
  const crc = crc32c(bytes);
  const rotated = ((crc >>> 15) | (crc << 17)) >>> 0;
  const result = Buffer.alloc(4);
  result.writeUInt32LE((rotated + 0xa282ead8) >>> 0);
  return result;
}

/* ---- Protocol buffers: Event { double wall_time = 1; int64 step = 2; string file_version = 3; Summary summary = 5 },
 * Summary { repeated Value value = 1 }, Value { string tag = 1; float simple_value = 2 } ---- */

function eventMessage(wallTime: number, step: number, fields: readonly Buffer[]): Buffer {
  const time = Buffer.alloc(8);
  time.writeDoubleLE(wallTime);
  return Buffer.concat([Buffer.of((1 << 3) | 1), time, Buffer.of(2 << 3), varint(step), ...fields]);
}

const stringField = (field: number, text: string): Buffer => bytesField(field, Buffer.from(text));

const bytesField = (field: number, bytes: Buffer): Buffer =>
  Buffer.concat([Buffer.of((field << 3) | 2), varint(bytes.length), bytes]);

function floatField(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return Buffer.concat([Buffer.of((field << 3) | 5), bytes]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
}
