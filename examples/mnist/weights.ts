/** Parameters in a file, with the names of the layers. */
import { readFileSync } from 'node:fs';
import { evalShape, FileError, random } from '@neumann/core';
import { decodeSafetensors, encodeSafetensors, loadInto } from '@neumann/nn';
import { writeAtomically } from '@neumann/nn/node';
import { newParams, type Params } from './model.ts';

export async function saveWeights(
  path: string,
  params: Params,
  metadata: Record<string, string>,
): Promise<void> {
  await writeAtomically(path, await encodeSafetensors(params, metadata));
}

/** @throws {FileError} unless the file holds exactly the parameters of this network. */
export function loadWeights(path: string): Params {
  try {
    return loadInto(
      evalShape(() => newParams(random.key(0))),
      decodeSafetensors(readFileSync(path)),
    );
  } catch (cause) {
    throw new FileError(`${path}: ${(cause as Error).message}`, { cause });
  }
}
