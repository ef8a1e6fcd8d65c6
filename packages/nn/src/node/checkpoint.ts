/**
 * Checkpoints: the whole state of a training, in files that are there or not, but never by half.
 *
 * A checkpoint is one safetensors file, `step-000001200.loss-0.25.<digest>.safetensors`. The digest of its content is
 * part of its name, so a damaged file is never taken for a checkpoint, and the file is complete before it has the name.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FileError, OptionError, type Tensors } from '@neumann/core';
import { checkOptions } from '@neumann/core/extend';
import { decodeSafetensors, encodeSafetensors, loadInto, safetensorsMetadata } from '../safetensors.ts';
import { readBytes, writeAtomically } from './files.ts';

/** What {@link loadCheckpoint} finds. */
export interface Checkpoint<T> {
  /** A tree like the template, with the saved values. */
  readonly state: Tensors<T>;
  readonly step: number;
  /** What was saved beside the tensors. */
  readonly info: unknown;
  readonly path: string;
}

/** Options of {@link saveCheckpoint}. */
export interface SaveOptions {
  /** Steps done so far. */
  readonly step: number;
  /** Anything that JSON can hold: the position in the data, the options of the run. */
  readonly info?: unknown;
  /** How many checkpoints are kept, 3 by default; older ones are deleted once the new one is complete. */
  readonly keep?: number;
  /** A number to choose the best checkpoint by, which is kept besides: smaller is better. */
  readonly loss?: number;
}

/** Options of {@link loadCheckpoint}. */
export interface LoadOptions {
  /** The newest (the default), the one with the smallest loss, or the one at a step. */
  readonly which?: 'newest' | 'best' | number;
  /** Hears of files whose content is not what was saved. */
  readonly onDamaged?: (message: string) => void;
}

interface Listed {
  readonly name: string;
  readonly step: number;
  /** Infinite if there is none. */
  readonly loss: number;
  readonly digest: string;
}

const FORMAT = 'neumann-checkpoint-1';
const pattern = /^step-(\d{9,})(?:\.loss-([-+.e\d]+))?\.([0-9a-f]{32})\.safetensors$/;

/**
 * Saves a tree of tensors (parameters, layer state, optimizer state, keys) as a checkpoint in a folder, which is made
 * if need be. When the promise is fulfilled, the checkpoint is on the disk; if the process dies before, the older ones
 * are untouched.
 *
 * @returns The path of the file.
 * @throws {OptionError} for bad options, or `info` that JSON cannot hold. {TreeError} if two leaves have one path.
 * @example
 * await saveCheckpoint('runs/a', { params, key }, { step: 100, info: { position: { epoch: 1, batch: 20 } }, loss: 0.5 });
 */
export async function saveCheckpoint(folder: string, state: unknown, options: SaveOptions): Promise<string> {
  const { step, info, keep, loss } = checkSaveOptions(options);
  const bytes = await encodeSafetensors(state, { format: FORMAT, step: String(step), info: jsonOf(info) });
  await mkdir(folder, { recursive: true });
  const score = Number.isFinite(loss) ? `.loss-${loss}` : '';
  const name = `step-${String(step).padStart(9, '0')}${score}.${digestOf(bytes)}.safetensors`;
  await writeAtomically(join(folder, name), bytes);
  await removeOld(folder, name, keep);
  return join(folder, name);
}

/**
 * The newest checkpoint of a folder that is whole, or the one at a given step, or the best.
 *
 * A damaged file is passed over in favour of the next one, which is what a crash asks for; `onDamaged` hears of it.
 *
 * @param template A tree of the same structure, shapes and dtypes: a fresh state, or its `evalShape`.
 * @returns The checkpoint, or `null` if there is none.
 * @throws {FileError} if the checkpoint does not fit the template: the model has changed since.
 * @example
 * const saved = await loadCheckpoint('runs/a', { params, key });
 * const state = saved ? saved.state : { params, key };
 */
export async function loadCheckpoint<T>(
  folder: string,
  template: T,
  options: LoadOptions = {},
): Promise<Checkpoint<T> | null> {
  checkOptions('loadCheckpoint', options, ['which', 'onDamaged']);
  const { which = 'newest', onDamaged } = options;
  for (const { name, step, digest } of candidates(await list(folder), which)) {
    const path = join(folder, name);
    const bytes = await readBytes(path);
    if (digestOf(bytes) !== digest) {
      onDamaged?.(`${path}: the content is not what was saved; it was damaged afterwards.`);
      continue;
    }
    const { format, info = 'null' } = safetensorsMetadata(bytes);
    if (format !== FORMAT)
      throw new FileError(`${path}: the format must be ${FORMAT}, but is ${JSON.stringify(format)}.`);
    return { state: loadInto(template, decodeSafetensors(bytes)), step, info: JSON.parse(info), path };
  }
  return null;
}

/** The checkpoints that are wanted, the most wanted first. */
function candidates(all: readonly Listed[], which: 'newest' | 'best' | number): Listed[] {
  if (typeof which === 'number') return all.filter(({ step }) => step === which);
  const newestFirst = all.toReversed();
  return which === 'best' ? newestFirst.sort((a, b) => a.loss - b.loss || 0) : newestFirst;
}

/** Deletes all but the one just written, the `keep` newest and the best; and what processes that died left behind. */
async function removeOld(folder: string, written: string, keep: number): Promise<void> {
  const all = await list(folder);
  const [best] = candidates(all, 'best').filter(({ loss }) => loss < Number.POSITIVE_INFINITY);
  const kept = new Set([written, best?.name, ...all.slice(-keep).map(({ name }) => name)]);
  const old = all.map(({ name }) => name).filter((name) => !kept.has(name));
  const unfinished = (await readdir(folder)).filter((name) => /^step-.*\.safetensors\.\d+\.tmp$/.test(name));
  await Promise.all([...old, ...unfinished].map((name) => rm(join(folder, name), { force: true })));
}

/** The checkpoints of a folder by step, the newest last. */
async function list(folder: string): Promise<Listed[]> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new FileError(`${folder}: ${(cause as Error).message}.`, { cause });
  }
  return names
    .flatMap((name) => {
      const [, step, loss, digest] = pattern.exec(name) ?? [];
      return step && digest
        ? [{ name, step: Number(step), loss: Number(loss ?? Number.POSITIVE_INFINITY), digest }]
        : [];
    })
    .sort((a, b) => a.step - b.step);
}

/** 128 bits of SHA-256. */
const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex').slice(0, 32);

function jsonOf(info: unknown): string {
  try {
    const text: string | undefined = JSON.stringify(info ?? null);
    if (text !== undefined) return text;
  } catch (cause) {
    throw new OptionError(`saveCheckpoint: info must be what JSON can hold: ${(cause as Error).message}.`, {
      cause,
    });
  }
  throw new OptionError(`saveCheckpoint: info must be what JSON can hold, but is a ${typeof info}.`);
}

function checkSaveOptions(options: SaveOptions) {
  checkOptions('saveCheckpoint', options, ['step', 'info', 'keep', 'loss']);
  const { step, info, keep = 3, loss = Number.NaN } = options;
  if (!Number.isSafeInteger(step) || step < 0)
    throw new OptionError(`saveCheckpoint: step must be an integer of at least 0, but is ${step}.`);
  if (!Number.isSafeInteger(keep) || keep < 1)
    throw new OptionError(`saveCheckpoint: keep must be an integer of at least 1, but is ${keep}.`);
  return { step, info, keep, loss };
}
