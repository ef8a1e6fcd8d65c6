import { createCpu } from '../src/backend.ts';
import { noLimits } from '../src/emit/cost.ts';
import { cpu } from '../src/index.ts';
import { testMatmul } from './matmul-cases.ts';

const backends = [
  await cpu({ threads: 1 }),
  await cpu({ threads: 1, relaxedSimd: false }),
  await createCpu({ threads: 2 }, noLimits),
];
testMatmul(backends, 150);
