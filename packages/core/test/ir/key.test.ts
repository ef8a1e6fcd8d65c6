import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  acc,
  binary,
  bitcast,
  cast,
  compare,
  constant,
  coord,
  load,
  select,
  unary,
} from '../../src/ir/expr.ts';
import type { Expr, Kernel, Routine } from '../../src/ir/kernel.ts';
import { kernelKey, planKey } from '../../src/ir/key.ts';
import type { Plan } from '../../src/ir/plan.ts';
import { shareEqual } from '../../src/ir/share.ts';

const x = load(0, 'float32', [coord(0)]);
const one = constant('float32', 1);
const matmul: Routine = { name: 'matmul', batch: 1, m: 2, n: 3, k: 4, transposeX: false, transposeY: false };

function kernel(parts: Partial<Kernel> = {}): Kernel {
  const inputs = [{ dtype: 'float32' as const, shape: [4] }];
  return { name: 'k', inputs, axes: [4], reduceAxes: [], reductions: [], outputs: [x], ...parts };
}

const output = (expr: Expr): Kernel => kernel({ outputs: [expr] });

describe('kernelKey', () => {
  test('kernels that differ in anything but the name have different keys', () => {
    const different: Kernel[] = [
      kernel(),
      kernel({ axes: [5] }),
      kernel({ axes: [2, 2] }),
      kernel({ axes: [22] }),
      kernel({ axes: [] }),
      kernel({ reduceAxes: [4] }),
      kernel({ inputs: [{ dtype: 'float32', shape: [4, 1] }] }),
      kernel({ inputs: [{ dtype: 'float64', shape: [4] }] }),
      kernel({ inputs: [...kernel().inputs, ...kernel().inputs] }),
      kernel({ outputs: [x, x] }),
      kernel({ outputs: [] }),
      kernel({ reductions: [{ op: 'add', value: x }] }),
      kernel({ reductions: [{ op: 'max', value: x }] }),
      kernel({ reductions: [{ op: 'add', value: one }] }),
      kernel({ routine: matmul }),
      kernel({ routine: { ...matmul, transposeX: true } }),
      kernel({ routine: { ...matmul, k: 5 } }),
      ...[0, -0, NaN, 1, 1 + 2 ** -52, Infinity, -Infinity].map((n) => output(constant('float64', n))),
      output(one),
      output(constant('int32', 1)),
      output(constant('bool', true)),
      output(coord(0)),
      output(coord(1)),
      output(acc('float32', 0)),
      output(acc('float32', 1)),
      output(acc('int32', 0)),
      output(load(1, 'float32', [coord(0)])),
      output(load(0, 'float64', [coord(0)])),
      output(load(0, 'float32', [coord(0), coord(0)])),
      output(load(0, 'float32', [])),
      output(load(0, 'float32', [], constant('bool', true))),
      output(load(0, 'float32', [constant('bool', true)])),
      output(unary('exp', x)),
      output(unary('log', x)),
      output(unary('exp', unary('exp', x))),
      output(binary('sub', x, one)),
      output(binary('sub', one, x)),
      output(binary('add', x, one)),
      output(compare('lt', x, one)),
      output(compare('le', x, one)),
      output(select(compare('lt', x, one), x, one)),
      output(select(compare('lt', x, one), one, x)),
      output(cast('int32', x)),
      output(cast('uint32', x)),
      output(bitcast('int32', x)),
    ];
    const keys = different.map(kernelKey);
    expect(new Set(keys).size).toBe(keys.length);
  });

  test('the name and the identity of nodes are not part of it', () => {
    const copy = load(0, 'float32', [coord(0)]);
    expect(kernelKey(kernel({ name: 'other' }))).toBe(kernelKey(kernel()));
    expect(kernelKey(output(binary('mul', x, copy)))).toBe(kernelKey(output(binary('mul', x, x))));
    expect(kernelKey(output(constant('float64', NaN)))).toBe(kernelKey(output(constant('float64', 0 / 0))));
  });

  test('the order of a routine’s fields makes no difference', () => {
    const reordered: Routine = {
      transposeY: false,
      transposeX: false,
      k: 4,
      n: 3,
      m: 2,
      batch: 1,
      name: 'matmul',
    };
    expect(kernelKey(kernel({ routine: reordered }))).toBe(kernelKey(kernel({ routine: matmul })));
  });

  test('is linear in shared nodes', () => {
    const chain = (length: number): Expr => {
      let e: Expr = x;
      for (let n = 0; n < length; n++) e = binary('add', e, e);
      return e;
    };
    const [short, long] = [kernelKey(output(chain(100))), kernelKey(output(chain(200)))];
    expect(long.length).toBeLessThan(3 * short.length);
  });

  test('float64 constants are told apart exactly when they are different numbers', () => {
    fc.assert(
      fc.property(fc.double(), fc.double(), (a, b) => {
        const same = kernelKey(output(constant('float64', a))) === kernelKey(output(constant('float64', b)));
        expect(same).toBe(Object.is(a, b));
      }),
    );
  });
});

describe('planKey', () => {
  const plan = (parts: Partial<Plan> = {}): Plan => ({
    slots: [
      { dtype: 'float32', size: 4, place: { kind: 'input', index: 0 } },
      { dtype: 'float32', size: 4, place: { kind: 'arena', offset: 0 } },
      { dtype: 'float32', size: 4, place: { kind: 'output' } },
    ],
    steps: [
      { kind: 'kernel', kernel: kernel(), inputs: [0], outputs: [1] },
      { kind: 'kernel', kernel: output(unary('exp', x)), inputs: [1], outputs: [2] },
    ],
    inputs: [0],
    outputs: [2],
    arenaBytes: 64,
    ...parts,
  });
  const [first, second] = plan().steps;
  const [input, scratch, result] = plan().slots;

  test('plans that differ have different keys', () => {
    if (!first || second?.kind !== 'kernel' || !input || !scratch || !result) throw new Error('unreachable');
    const different: Plan[] = [
      plan(),
      plan({ arenaBytes: 128 }),
      plan({ outputs: [2, 2] }),
      plan({ outputs: [0] }),
      plan({ inputs: [] }),
      plan({ steps: [first] }),
      plan({ steps: [first, { ...second, inputs: [0] }] }),
      plan({ steps: [first, { ...second, kernel: output(unary('log', x)) }] }),
      plan({ steps: [first, { ...second, kernel: kernel() }] }),
      plan({ slots: [input, { ...scratch, size: 5 }, result] }),
      plan({ slots: [input, { ...scratch, dtype: 'int32' }, result] }),
      plan({ slots: [input, { ...scratch, place: { kind: 'arena', offset: 64 } }, result] }),
      plan({ slots: [input, scratch, { ...result, place: { kind: 'donated', index: 0 } }] }),
      plan({ slots: [input, scratch, { ...result, place: { kind: 'input', index: 0 } }] }),
    ];
    const keys = different.map(planKey);
    expect(new Set(keys).size).toBe(keys.length);
  });

  test('equal kernels count as one, by structure', () => {
    const twice = (second: Kernel): Plan =>
      plan({
        steps: [
          { kind: 'kernel', kernel: kernel(), inputs: [0], outputs: [1] },
          { kind: 'kernel', kernel: second, inputs: [1], outputs: [2] },
        ],
      });
    expect(planKey(twice(kernel({ name: 'other' })))).toBe(planKey(twice(kernel())));
  });
});

test('shareEqual makes equal nodes one', () => {
  const copy = (): Expr => unary('exp', load(0, 'float32', [coord(0)]));
  const [sum, again] = shareEqual([binary('add', copy(), copy()), copy()]);
  expect(sum).toEqual(binary('add', copy(), copy()));
  expect(sum?.kind === 'binary' && sum.x === sum.y && sum.x === again).toBe(true);
});
