/** Saves one checkpoint after another into the folder in its argument, and prints the step of each that is complete. */
import process from 'node:process';
import { full, tensor } from '@neumann/core';
import { saveCheckpoint } from '@neumann/nn/node';

const [, , folder = '.'] = process.argv;
for (let step = 0; ; step++) {
  await saveCheckpoint(folder, { step: tensor(step, 'int32'), w: full([5000], step) }, { step, keep: 2 });
  process.stdout.write(`${step}\n`);
}
