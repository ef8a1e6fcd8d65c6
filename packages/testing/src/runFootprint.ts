/** Whether long loops hold their memory. */
import * as nm from '@neumann/core';
import { describe, expect, test } from 'vitest';
import type { Backend, Tensor } from './core.ts';
import { garbageCollector } from './garbage.ts';

/** Bytes that JavaScript can reach, with the memory outside of its heap. */
function reachable(collect: () => void): { heap: number; external: number } {
  collect();
  collect(); // finishes what the first one left to sweep
  const { heapUsed, external } = process.memoryUsage();
  return { heap: heapUsed, external };
}

const steps = 10_000;
/** A third of the loop, after which nothing may grow any more. */
const settled = 3000;
const MB = 2 ** 20;

/** A leak of one object of 200 bytes a step would be 1.4 MB; compiled code and statistics of V8 are less than half of it. */
const slack = 0.7 * MB;

/**
 * 10,000 steps in one synchronous loop, in which no finalizer runs: eager ones, and jitted ones that donate. After the
 * first third, the JavaScript heap, the memory outside of it and what the backend says it holds stay as they are.
 *
 * @param elements Size of the tensors; large enough that they do not all fit.
 * @param held Bytes that the backend holds, if it can tell.
 */
export function runFootprint(
  backend: Backend,
  { elements, held = () => 0 }: { readonly elements: number; readonly held?: () => number },
): void {
  const loss = (w: Tensor, x: Tensor): Tensor => nm.sum(nm.square(nm.subtract(nm.multiply(w, x), 1)));
  const step = (w: Tensor, x: Tensor): Tensor => nm.subtract(w, nm.multiply(0.01, nm.grad(loss)(w, x)));

  describe(`memory on ${backend.name}`, () => {
    test.each([
      ['eager', step],
      ['jitted', nm.jit(step)],
      ['jitted and donated', nm.jit(step, { donate: [0] })],
    ] as const)(
      '10,000 %s steps in one synchronous loop hold a flat footprint',
      { timeout: 120_000 },
      async (_, f) => {
        const collect = await garbageCollector();
        nm.setBackend(backend);
        const x = nm.linspace(0, 1, elements);
        let w = nm.zeros([elements]);
        let before = { heap: 0, external: 0, held: 0 };
        for (let i = 0; i < steps; i++) {
          if (i === settled) before = { ...reachable(collect), held: held() };
          w = f(w, x);
        }
        const after = { ...reachable(collect), held: held() };
        expect(w.dataSync()[elements - 1]).toBeGreaterThan(0.9);
        expect(after.heap - before.heap).toBeLessThan(slack);
        expect(after.external - before.external).toBeLessThan(slack);
        expect(after.held - before.held).toBeLessThan(slack);
      },
    );
  });
}
