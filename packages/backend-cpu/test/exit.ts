/** A program that uses the pool and ends; run by threads.test.ts with the way in which it does. */
import process from 'node:process';
import { type Buffer, binary } from '@neumann/core/backend';
import { createCpu } from '../src/backend.ts';
import { noLimits } from '../src/emit/cost.ts';
import { elementwise, planOf } from './kernels.ts';

const backend = await createCpu({ threads: 2 }, noLimits);
const executable = backend.compile(
  planOf(elementwise([1000], ['float32', 'float32'], (x, y) => [binary('add', x, y)])),
);
let sum = backend.upload('float32', new Float32Array(1000));
for (let i = 0; i < 100; i++)
  [sum] = executable.run([sum, backend.upload('float32', new Float32Array(1000).fill(i))]) as [Buffer];
console.log(`${backend.threads} threads, ${backend.downloadSync(sum)[999]}`);
if (process.argv[2] === 'sleep') await new Promise((resolve) => setTimeout(resolve, 50));
if (process.argv[2] === 'exit') process.exit(0);
