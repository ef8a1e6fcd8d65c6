/** The arena of a plan against the most that is alive in it at one time. */
import { law, type RandomProgram, randomPrograms, upload } from '@neumann/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as nm from '../../src/index.ts';
import { planProgram } from '../../src/ir/execute.ts';
import { type Block, mostHeld, packBlocks } from '../../src/ir/packBlocks.ts';
import type { Plan } from '../../src/ir/plan.ts';
import { aliveAtOnce } from '../ir/aliveAtOnce.ts';

type Tensor = nm.Tensor;

const most = 1.15;

const expectTight = (plan: Plan): void =>
  expect(plan.arenaBytes).toBeLessThanOrEqual(most * aliveAtOnce(plan));

type AnyFunction = (...args: never[]) => unknown;
const planOf = (f: AnyFunction, ...args: unknown[]): Plan =>
  planProgram(nm.makeProgram(f as (...xs: Tensor[]) => unknown, ...(args as Tensor[])));

describe('the arena', () => {
  law(
    'is at most 1.15 times what is alive at once, for random programs and their gradients',
    randomPrograms('float32'),
    (program: RandomProgram) => {
      const xs = upload(nm.reference(), program.inputs);
      const gradient = nm.grad((...inputs: Tensor[]) => program.loss(...inputs), {
        argnums: xs.map((_, i) => i),
      });
      expectTight(planOf(program.f, ...xs));
      expectTight(planOf(gradient, ...xs));
    },
    { runs: 300 },
  );

  law(
    'packs random blocks without overlaps, nearly as tight as can be',
    fc.array(fc.tuple(fc.integer({ min: 1, max: 40 }), fc.nat({ max: 30 }), fc.nat({ max: 8 })), {
      maxLength: 40,
      size: 'max',
    }),
    (drawn) => {
      const blocks: Block[] = drawn.map(([bytes, from, length]) => ({
        bytes: 64 * bytes,
        from,
        to: from + length,
        offset: 0,
      }));
      const top = packBlocks(blocks);
      for (const [i, a] of blocks.entries()) {
        expect(a.offset + a.bytes).toBeLessThanOrEqual(top);
        for (const b of blocks.slice(i + 1))
          if (a.from <= b.to && b.from <= a.to)
            expect(a.offset + a.bytes <= b.offset || b.offset + b.bytes <= a.offset).toBe(true);
      }
      expect(top).toBeGreaterThanOrEqual(mostHeld(blocks));
      expect(top).toBeLessThanOrEqual(1.3 * mostHeld(blocks)); // intervals of random lengths are harder than programs
    },
    { runs: 300 },
  );

  const step =
    <P>(loss: (p: P, x: Tensor, y: Tensor) => Tensor) =>
    (p: P, x: Tensor, y: Tensor): unknown => {
      const [value, gradient] = nm.valueAndGrad(loss)(p as never, x, y);
      return [nm.treeMap((w, g) => nm.subtract(w, nm.multiply(0.1, g)), p, gradient), value];
    };
  const crossEntropy = (logits: Tensor, y: Tensor): Tensor => {
    const chosen = nm.sum(nm.multiply(logits, nm.oneHot(y, 10)), { axis: 1 });
    return nm.mean(nm.subtract(nm.logSumExp(logits, { axis: 1 }), chosen));
  };

  test('is as tight for a training step of a small convolutional network', () => {
    const layer = (x: Tensor, k: Tensor, b: Tensor): Tensor =>
      nm.windowMax(nm.maximum(nm.add(nm.conv(x, k, { padding: 'same' }), b), 0), { window: 2 });
    const loss = (p: Record<string, Tensor>, x: Tensor, y: Tensor): Tensor => {
      const { k1, b1, k2, b2, w, b } = p as Record<'k1' | 'b1' | 'k2' | 'b2' | 'w' | 'b', Tensor>;
      const features = nm.reshape(layer(layer(x, k1, b1), k2, b2), [128, -1]);
      return crossEntropy(nm.add(nm.matmul(features, w), b), y);
    };
    const p = {
      k1: nm.ones([3, 3, 1, 16]),
      b1: nm.zeros([16]),
      k2: nm.ones([3, 3, 16, 32]),
      b2: nm.zeros([32]),
      w: nm.ones([1568, 10]),
      b: nm.zeros([10]),
    };
    expectTight(planOf(step(loss), p, nm.ones([128, 28, 28, 1]), nm.zeros([128], 'int32')));
  });

  test('is as tight for a training step of a residual network', () => {
    const normalize = (h: Tensor): Tensor => {
      const centred = nm.subtract(h, nm.mean(h, { axis: [0, 1, 2] }));
      return nm.multiply(centred, nm.rsqrt(nm.add(nm.mean(nm.square(centred), { axis: [0, 1, 2] }), 1e-5)));
    };
    interface Block {
      readonly first: Tensor;
      readonly second: Tensor;
      readonly skip: Tensor | null;
    }
    const loss = (p: { blocks: Block[]; w: Tensor }, x: Tensor, y: Tensor): Tensor => {
      let h = x;
      for (const { first, second, skip } of p.blocks) {
        const options = { padding: 'same', stride: skip ? 2 : 1 } as const;
        const inner = nm.maximum(normalize(nm.conv(h, first, options)), 0);
        const outer = normalize(nm.conv(inner, second, { padding: 'same' }));
        h = nm.maximum(nm.add(outer, skip ? nm.conv(h, skip, options) : h), 0);
      }
      return crossEntropy(nm.matmul(nm.mean(h, { axis: [1, 2] }), p.w), y);
    };
    const blocks = [16, 16, 16, 32, 32, 32, 64, 64, 64].map((width, i, widths): Block => {
      const before = widths[i - 1] ?? 16;
      return {
        first: nm.ones([3, 3, before, width]),
        second: nm.ones([3, 3, width, width]),
        skip: before === width ? null : nm.ones([1, 1, before, width]),
      };
    });
    const p = { blocks, w: nm.ones([64, 10]) };
    expectTight(planOf(step(loss as never), p, nm.ones([8, 32, 32, 16]), nm.zeros([8], 'int32')));
  });
});
