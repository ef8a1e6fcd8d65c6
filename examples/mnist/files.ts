import { accessSync, constants, mkdirSync } from 'node:fs';
import { UsageError } from '../shared/command.ts';

/** Makes the folder for results, so that a mistake shows before the training and not after it. */
export function prepareFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
    accessSync(path, constants.W_OK);
  } catch (error) {
    throw new UsageError(`--out must be a folder that can be written to: ${(error as Error).message}`);
  }
}
