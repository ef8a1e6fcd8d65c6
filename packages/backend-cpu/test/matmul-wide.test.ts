/** Matrix products in 256-bit mode, where there is one. */
import process from 'node:process';
import { createCpu } from '../src/backend.ts';
import { noLimits } from '../src/emit/cost.ts';
import { cpu } from '../src/index.ts';
import { testMatmul } from './matmul-cases.ts';

const revectorize = Number.parseInt(process.versions.node, 10) >= 24;
testMatmul(
  [await cpu({ revectorize, threads: 1 }), await createCpu({ revectorize, threads: 2 }, noLimits)],
  100,
);
