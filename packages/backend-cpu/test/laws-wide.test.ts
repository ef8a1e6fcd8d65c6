/** The laws in 256-bit mode, where there is one. */
import process from 'node:process';
import { laws, operationRows, primitiveRows, runLaws } from '@neumann/testing';
import { expect, test } from 'vitest';
import { cpu } from '../src/index.ts';

const hasIt = Number.parseInt(process.versions.node, 10) >= 24;
const backend = await cpu({ revectorize: hasIt, threads: 1 });

test('the backend says whether it is in 256-bit mode', () => {
  expect(backend.features.revectorize).toBe(hasIt);
});
if (hasIt) {
  const chosen = laws.filter(({ name }) => ['result ≡ reference', 'jit ≡ eager'].includes(name));
  runLaws(backend, { rows: primitiveRows, laws: chosen, runs: 0.2 });
  runLaws(backend, { rows: operationRows, laws: chosen, runs: 0.02 });
}
