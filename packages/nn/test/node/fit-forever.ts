/** Trains until it is interrupted; prints a line after the first step. */
import process from 'node:process';
import { subtract, type Tensor, tensor } from '@neumann/core';
import { fit } from '@neumann/nn';
import { batches, hostArray } from '@neumann/nn/data';
import { checkpoints, exitOnInterrupt } from '@neumann/nn/node';

const [, , folder = '.'] = process.argv;
await fit({
  state: tensor(0),
  step: (w: Tensor) => ({ state: subtract(w, 1), metrics: { loss: w } }),
  data: batches({ x: hostArray(new Float32Array(4), [4, 1]) }, { size: 1 }),
  callbacks: [
    { onStep: ({ step }) => void (step === 1 && process.stdout.write('started\n')) },
    checkpoints(folder, { everySteps: 1_000_000 }),
    exitOnInterrupt(),
  ],
});
