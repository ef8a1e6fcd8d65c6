import { describe, expect, test } from 'vitest';
import type { Aval } from '../../src/aval.ts';
import type { DType } from '../../src/dtype.ts';
import { InternalError } from '../../src/errors.ts';
import { checkKernel } from '../../src/ir/check.ts';
import { checkPlan } from '../../src/ir/checkPlan.ts';
import { acc, addIndex, binary, constant, coord, load, unary } from '../../src/ir/expr.ts';
import type { ConvGeometry, Expr, Kernel, Routine, WindowGeometry } from '../../src/ir/kernel.ts';
import type { Place, Plan, Slot, Step } from '../../src/ir/plan.ts';

const i = coord(0);
const f32 = (...shape: number[]): Aval => ({ dtype: 'float32', shape });
const i32 = (...shape: number[]): Aval => ({ dtype: 'int32', shape });
const x = load(0, 'float32', [i]);

function kernel(parts: Partial<Kernel> = {}): Kernel {
  return { name: 'k', inputs: [f32(4)], axes: [4], reduceAxes: [], reductions: [], outputs: [x], ...parts };
}

const output = (expr: Expr): Partial<Kernel> => ({ outputs: [expr] });

describe('checkKernel', () => {
  test('lets well-formed kernels pass', () => {
    const reductions = [{ op: 'add', value: x }] as const;
    const sum = kernel({ axes: [], reduceAxes: [4], reductions, outputs: [acc('float32', 0)] });
    const overNoAxes = kernel({ reductions, outputs: [acc('float32', 0), x] });
    const empty = kernel({ inputs: [], axes: [0], outputs: [constant('bool', true)] });
    for (const wellFormed of [kernel(), sum, overNoAxes, empty])
      expect(() => checkKernel(wellFormed)).not.toThrow();
  });

  const bool = constant('bool', true);
  const raw = (node: unknown): Partial<Kernel> => output(node as Expr);
  const refused: readonly (readonly [what: string, parts: Partial<Kernel>, message: string])[] = [
    ['no output', { outputs: [] }, 'it has no output'],
    ['a negative extent', { axes: [-4] }, 'axes [-4] must hold non-negative integers'],
    ['a fractional extent', { reduceAxes: [1.5] }, 'reduceAxes [1.5] must hold non-negative integers'],
    [
      'a bad input shape',
      { inputs: [f32(NaN)] },
      'the shape of input 0 [NaN] must hold non-negative integers',
    ],
    ['reduceAxes without a reduction', { reduceAxes: [2] }, 'it has reduceAxes but no reduction'],
    ['an unknown input', output(load(1, 'float32', [i])), 'load 1: there are 1 inputs'],
    [
      'too few indices',
      output(load(0, 'float32', [])),
      'load 0 f32[4] has 0 indices; it needs one for each axis',
    ],
    ['too many indices', output(load(0, 'float32', [i, i])), 'load 0 f32[4] has 2 indices'],
    ['a load of another dtype', output(load(0, 'int32', [i])), 'load 0 f32[4] must be float32, but is int32'],
    [
      'a float index',
      output(load(0, 'float32', [x])),
      'load 0 f32[4]: index 0 must be int32, but is float32',
    ],
    [
      'a guard that is no bool',
      output(load(0, 'float32', [i], i)),
      'load 0 f32[4]: the guard must be bool, but is int32',
    ],
    ['a missing axis', output(coord(1)), 'coord 1 is out of range: there are 1 axes'],
    ['a negative axis', output(coord(-1)), 'coord -1 is out of range: there are 1 axes'],
    ['a float coordinate', raw({ ...i, dtype: 'float32' }), 'coord 0 must be int32, but is float32'],
    [
      'an output that reads a reduce coordinate',
      { axes: [], reduceAxes: [4], reductions: [{ op: 'add', value: x }] },
      'an output reads coord 0, which is a reduce axis; only reductions may',
    ],
    ['acc without reductions', output(acc('float32', 0)), 'acc 0: there are 0 reductions'],
    [
      'acc in a reduction',
      {
        reductions: [
          { op: 'add', value: x },
          { op: 'max', value: acc('float32', 0) },
        ],
      },
      'reduction 1 reads acc, which only outputs may',
    ],
    [
      'acc of another dtype',
      { reductions: [{ op: 'add', value: x }], outputs: [acc('float64', 0)] },
      'acc 0 must be float32, but is float64',
    ],
    [
      'acc of a position that is no int32',
      { reductions: [{ op: 'argmax', value: x }], outputs: [acc('float32', 0)] },
      'acc 0 must be int32, but is float32',
    ],
    [
      'argmin over nothing',
      { reduceAxes: [0], reductions: [{ op: 'argmin', value: x }] },
      'reduction 0: argmin over no elements',
    ],
    [
      'a sum of bool',
      { reductions: [{ op: 'add', value: bool }] },
      'reduction 0: add is not defined for bool',
    ],
    ['a float function of integers', output(unary('exp', i)), 'exp is not defined for int32'],
    ['a bitwise function of floats', output(binary('xor', x, x)), 'xor is not defined for float32'],
    ['arithmetic of bool', output(binary('add', bool, bool)), 'add is not defined for bool'],
    [
      'unary of two dtypes',
      raw({ kind: 'unary', dtype: 'float32', op: 'neg', x: i }),
      'neg: the operand must be float32',
    ],
    [
      'binary, left',
      raw({ kind: 'binary', dtype: 'int32', op: 'add', x, y: i }),
      'add: the left operand must be int32',
    ],
    [
      'binary, right',
      raw({ kind: 'binary', dtype: 'int32', op: 'add', x: i, y: x }),
      'add: the right operand must be int32',
    ],
    [
      'compare of two dtypes',
      raw({ kind: 'compare', dtype: 'bool', op: 'lt', x, y: i }),
      'lt: the right operand must be float32',
    ],
    [
      'compare to no bool',
      raw({ kind: 'compare', dtype: 'int32', op: 'lt', x, y: x }),
      'lt: the result must be bool',
    ],
    [
      'an unknown comparison',
      raw({ kind: 'compare', dtype: 'bool', op: 'gt', x, y: x }),
      'gt is no comparison',
    ],
    [
      'select, condition',
      raw({ kind: 'select', dtype: 'float32', cond: i, x, y: x }),
      'select: the condition must be bool',
    ],
    [
      'select, first',
      raw({ kind: 'select', dtype: 'float32', cond: bool, x: i, y: x }),
      'select: the first branch must be float32',
    ],
    [
      'select, second',
      raw({ kind: 'select', dtype: 'float32', cond: bool, x, y: i }),
      'select: the second branch must be float32',
    ],
    [
      'bitcast of 8 bytes',
      raw({ kind: 'bitcast', dtype: 'float64', x }),
      'bitcast is not defined for float64',
    ],
    [
      'bitcast of a byte',
      raw({ kind: 'bitcast', dtype: 'int32', x: bool }),
      'bitcast is not defined for bool',
    ],
    [
      'an unrounded float32',
      raw({ kind: 'const', dtype: 'float32', value: 0.1 }),
      'the constant 0.1 is not a number of float32',
    ],
    [
      'a fractional integer',
      raw({ kind: 'const', dtype: 'int32', value: 0.5 }),
      'the constant 0.5 is not a number of int32',
    ],
    [
      'a bool of 2',
      raw({ kind: 'const', dtype: 'bool', value: 2 }),
      'the constant 2 is not a number of bool',
    ],
  ];
  test.each(refused)('refuses %s', (_, parts, message) => {
    expect(() => checkKernel(kernel(parts))).toThrow(InternalError);
    expect(() => checkKernel(kernel(parts))).toThrow(`kernel k: ${message}`);
  });
});

describe('checkKernel: routines', () => {
  const conv: ConvGeometry = {
    n: 2,
    c: 4,
    f: 6,
    groups: 2,
    x: [5, 5],
    kernel: [3, 3],
    y: [3, 3],
    stride: [1, 1],
    padLow: [0, 0],
    dilateX: [1, 1],
    dilateW: [1, 1],
  };
  const window: WindowGeometry = {
    n: 2,
    c: 3,
    x: [4, 4],
    window: [2, 2],
    y: [2, 2],
    stride: [2, 2],
    padLow: [0, 0],
    dilation: [1, 1],
  };
  const [cx, cw, cy] = [f32(2, 5, 5, 4), f32(3, 3, 2, 6), f32(2, 3, 3, 6)];
  const [wx, wy, positions] = [f32(2, 4, 4, 3), f32(2, 2, 2, 3), i32(2, 2, 2, 3)];
  const table: readonly (readonly [Routine, inputs: Aval[], result: Aval])[] = [
    [
      { name: 'matmul', batch: 5, m: 2, n: 3, k: 4, transposeX: false, transposeY: false },
      [f32(5, 2, 4), f32(5, 4, 3)],
      f32(5, 2, 3),
    ],
    [
      { name: 'matmul', batch: 6, m: 2, n: 3, k: 4, transposeX: true, transposeY: true },
      [f32(2, 3, 4, 2), f32(6, 3, 4)],
      f32(2, 3, 2, 3),
    ],
    [{ name: 'conv', target: 'y', conv }, [cx, cw], cy],
    [{ name: 'conv', target: 'x', conv }, [cw, cy], cx],
    [{ name: 'conv', target: 'w', conv }, [cx, cy], cw],
    [{ name: 'windowSum', target: 'y', window }, [wx], wy],
    [{ name: 'windowSum', target: 'x', window }, [wy], wx],
    [{ name: 'windowMax', window }, [wx], wy],
    [{ name: 'windowGather', target: 'y', window }, [wx, positions], wy],
    [{ name: 'windowGather', target: 'x', window }, [wy, positions], wx],
    [{ name: 'gather', outer: 2, rows: 10, count: 3, inner: 4 }, [f32(2, 10, 4), i32(3)], f32(2, 3, 4)],
    [{ name: 'scatterAdd', outer: 2, rows: 10, count: 3, inner: 4 }, [f32(2, 3, 4), i32(3)], f32(2, 10, 4)],
  ];
  const routineKernel = (routine: Routine, inputs: Aval[], result: Aval): Kernel =>
    kernel({ routine, inputs, axes: result.shape, outputs: [constant(result.dtype, 0)] });

  test('windowMax gives the greatest elements, their positions, or both', () => {
    const [value] = [load(0, wx, [0, 1, 2, 3].map(coord))];
    const maxKernel = (outputs: Kernel['outputs']): Kernel =>
      kernel({
        routine: { name: 'windowMax', window },
        inputs: [wx],
        axes: wy.shape,
        reduceAxes: [2, 2],
        reductions: [
          { op: 'max', value },
          { op: 'argmax', value },
        ],
        outputs,
      });
    const [greatest, position] = [acc('float32', 0), acc('int32', 1)];
    for (const outputs of [[greatest], [position], [greatest, position]])
      expect(() => checkKernel(maxKernel(outputs))).not.toThrow();
    expect(() => checkKernel(maxKernel([constant('int32', 0)]))).toThrow('windowMax: the result must be');
  });

  test.each(table)('%o takes its operands and no others', (routine, inputs, result) => {
    const check = (inputs: Aval[], result: Aval) => () => checkKernel(routineKernel(routine, inputs, result));
    expect(check(inputs, result)).not.toThrow();
    expect(check([], result)).toThrow(`${routine.name} takes ${inputs.length} inputs, but there are 0`);
    for (const [i, aval] of inputs.entries()) {
      const larger = inputs.with(i, { ...aval, shape: [...aval.shape, 2] });
      expect(check(larger, result)).toThrow(`${routine.name}: input ${i} must be`);
    }
    const wider = inputs.map((aval, i) => (i === 1 ? ({ ...aval, dtype: 'float64' } as const) : aval));
    expect(inputs.length === 1 ? check([], result) : check(wider, result)).toThrow(routine.name);
    const larger = { ...result, shape: [...result.shape, 2] };
    expect(check(inputs, larger)).toThrow(`${routine.name}: the result must be`);
    expect(check(inputs, { ...result, dtype: 'float64' })).toThrow(`${routine.name}: the result must be`);
    if (routine.name === 'windowMax') return; // may have two
    const single = routineKernel(routine, inputs, result);
    expect(() => checkKernel({ ...single, outputs: [...single.outputs, ...single.outputs] })).toThrow(
      `${routine.name} has 2 outputs; a routine has one`,
    );
  });
});

describe('checkPlan', () => {
  const slot = (place: Place, size = 16, dtype: DType = 'float32'): Slot => ({ dtype, size, place });
  const input = (index: number): Place => ({ kind: 'input', index });
  const donated = (index: number): Place => ({ kind: 'donated', index });
  const arena = (offset: number): Place => ({ kind: 'arena', offset });
  const out: Place = { kind: 'output' };
  const at = load(0, 'float32', [i]);
  const copy: Kernel = { ...kernel(), name: 'copy', inputs: [f32(16)], axes: [16], outputs: [at] };
  const reverse: Kernel = {
    ...copy,
    name: 'reverse',
    outputs: [load(0, 'float32', [addIndex(binary('mul', i, constant('int32', -1)), 15)])],
  };
  const add: Kernel = {
    ...copy,
    name: 'add',
    inputs: [f32(16), f32(16)],
    outputs: [binary('add', at, load(1, 'float32', [i]))],
  };
  const step = (kernel: Kernel, inputs: number[], outputs: number[]): Step => ({
    kind: 'kernel',
    kernel,
    inputs,
    outputs,
  });

  /** x -> s1 -> s2 -> out, with s1 and s2 in the arena. */
  function chain(parts: Partial<Plan> = {}): Plan {
    return {
      slots: [slot(input(0)), slot(arena(0)), slot(arena(64)), slot(out)],
      steps: [step(copy, [0], [1]), step(reverse, [1], [2]), step(copy, [2], [3])],
      inputs: [0],
      outputs: [3],
      arenaBytes: 128,
      ...parts,
    };
  }

  test('lets well-formed plans pass', () => {
    const none: Plan = { slots: [slot(input(0))], steps: [], inputs: [0], outputs: [0], arenaBytes: 0 };
    const one: Kernel = { ...copy, inputs: [], outputs: [constant('float32', 1)] };
    const source: Plan = { ...none, slots: [slot(out)], steps: [step(one, [], [0])], inputs: [] };
    for (const plan of [chain(), chain({ outputs: [3, 0, 3] }), none, source])
      expect(() => checkPlan(plan)).not.toThrow();
  });

  test('a place is free again once its value is not needed any more', () => {
    const slots = [slot(input(0)), slot(arena(0)), slot(arena(64)), slot(arena(0)), slot(out)];
    const steps = [
      step(reverse, [0], [1]),
      step(reverse, [1], [2]),
      step(reverse, [2], [3]),
      step(copy, [3], [4]),
    ];
    expect(() => checkPlan(chain({ slots, steps, outputs: [4] }))).not.toThrow();
  });

  test('a pointwise step may write into the place of its input, another may not', () => {
    const slots = [slot(input(0)), slot(arena(0)), slot(arena(0)), slot(out)];
    const steps = (middle: Kernel): Step[] => [
      step(copy, [0], [1]),
      step(middle, [1], [2]),
      step(copy, [2], [3]),
    ];
    checkPlan(chain({ slots, steps: steps(copy) }));
    expect(() => checkPlan(chain({ slots, steps: steps(reverse) }))).toThrow(
      'plan: slots 1 and 2 share memory (arena at 0, arena at 0) while both are needed at step 1 (reverse).',
    );
  });

  test('in place needs elements of one size and the same start', () => {
    const narrow: Kernel = {
      ...copy,
      name: 'narrow',
      outputs: [{ kind: 'compare', dtype: 'bool', op: 'lt', x: at, y: at }],
    };
    const wide: Kernel = {
      ...copy,
      name: 'wide',
      inputs: [{ dtype: 'bool', shape: [16] }],
      outputs: [{ kind: 'cast', dtype: 'float32', x: load(0, 'bool', [i]) }],
    };
    const slots = [slot(input(0)), slot(arena(0)), slot(arena(0), 16, 'bool'), slot(out)];
    const steps = [step(copy, [0], [1]), step(narrow, [1], [2]), step(wide, [2], [3])];
    expect(() => checkPlan(chain({ slots, steps }))).toThrow('slots 1 and 2 share memory');
  });

  test('in place is refused if the input is read elsewhere too', () => {
    const both: Kernel = {
      ...add,
      name: 'both',
      outputs: [binary('add', at, load(1, 'float32', [constant('int32', 0)]))],
    };
    const slots = [slot(input(0)), slot(arena(0)), slot(arena(0)), slot(out)];
    const steps = (inputs: number[]): Step[] => [
      step(copy, [0], [1]),
      step(both, inputs, [2]),
      step(copy, [2], [3]),
    ];
    checkPlan(chain({ slots, steps: steps([1, 0]) }));
    expect(() => checkPlan(chain({ slots, steps: steps([1, 1]) }))).toThrow('slots 1 and 2 share memory');
  });

  test('a donated argument may be written once it is not needed any more', () => {
    const slots = [slot(input(0)), slot(arena(0)), slot(donated(0))];
    checkPlan(chain({ slots, steps: [step(reverse, [0], [1]), step(reverse, [1], [2])], outputs: [2] }));
    checkPlan(
      chain({ slots: [slot(input(0)), slot(donated(0))], steps: [step(copy, [0], [1])], outputs: [1] }),
    );
    const early = chain({
      slots: [slot(input(0)), slot(donated(0))],
      steps: [step(reverse, [0], [1])],
      outputs: [1],
    });
    expect(() => checkPlan(early)).toThrow(
      'slots 0 and 1 share memory (input 0, donated 0) while both are needed at step 0 (reverse)',
    );
    const result = chain({
      slots: [slot(input(0)), slot(donated(0))],
      steps: [step(copy, [0], [1])],
      outputs: [0, 1],
    });
    expect(() => checkPlan(result)).toThrow('slots 0 and 1 share memory');
    const twice = chain({
      slots: [slot(input(0)), slot(donated(0)), slot(donated(0))],
      steps: [step(copy, [0], [1]), step(copy, [1], [2])],
      outputs: [1, 2],
    });
    expect(() => checkPlan(twice)).toThrow('slots 1 and 2 share memory');
  });

  const [s0, s1, s2, s3] = chain().slots as [Slot, Slot, Slot, Slot];
  const [t0, t1, t2] = chain().steps as [Step, Step, Step];
  const refused: readonly (readonly [what: string, parts: Partial<Plan>, message: string])[] = [
    [
      'an ill-formed kernel',
      { steps: [step({ ...copy, outputs: [coord(3)] }, [0], [1]), t1, t2] },
      'kernel copy: coord 3',
    ],
    ['a size that is no count', { slots: [slot(input(0), -1), s1, s2, s3] }, 'plan: slot 0 has -1 elements'],
    [
      'an offset off the grid',
      { slots: [s0, slot(arena(32)), s2, s3] },
      'plan: slot 1 is at 32 of the arena, no multiple of 64',
    ],
    ['a slot beyond the arena', { arenaBytes: 100 }, 'plan: slot 2 ends at 128 of an arena of 100 bytes'],
    [
      'an input place of another slot',
      { slots: [s0, slot(input(0)), s2, s3] },
      'plan: slot 1 has place input 0, but that argument is slot 0',
    ],
    [
      'an argument in the arena',
      { inputs: [1] },
      'plan: slot 0 has place input 0, but that argument is slot 1',
    ],
    [
      'an argument without an input place',
      { inputs: [0, 3] },
      'plan: argument 1 is slot 3, whose place is output, not input 1',
    ],
    ['a missing argument slot', { inputs: [0, 9] }, 'plan: argument 1: slot 9 does not exist'],
    ['a missing result slot', { outputs: [9] }, 'plan: result 0: slot 9 does not exist'],
    ['a result that is never written', { steps: [t0, t1] }, 'plan: result 0: slot 3 is never written'],
    [
      'a result in the arena',
      { outputs: [3, 2] },
      'plan: result 1: slot 2 lies in the arena and cannot be handed out',
    ],
    ['an output place that is no result', { outputs: [0] }, 'plan: slot 3 has place output but is no result'],
    [
      'donation of no argument',
      { slots: [s0, s1, s2, slot(donated(1))] },
      'plan: slot 3 takes the memory of argument 1 of 1',
    ],
    [
      'donation of other bytes',
      { slots: [slot(input(0), 8), s1, s2, slot(donated(0))] },
      'plan: slot 3 of 64 bytes takes the memory of argument 0, which has 32',
    ],
    [
      'a missing step slot',
      { steps: [step(copy, [9], [1]), t1, t2] },
      'plan: step 0 (copy) input 0: slot 9 does not exist',
    ],
    [
      'too few inputs',
      { steps: [step(add, [0], [1]), t1, t2] },
      'plan: step 0 (add) has 1 inputs, its kernel 2',
    ],
    [
      'too many outputs',
      { steps: [step(copy, [0], [1, 2]), t1, t2] },
      'plan: step 0 (copy) has 2 outputs, its kernel 1',
    ],
    [
      'reading before writing',
      { steps: [step(copy, [2], [1]), t1, t2] },
      'plan: step 0 (copy) input 0: slot 2 is read before it is written',
    ],
    [
      'a step that reads its own result',
      { steps: [step(copy, [1], [1]), t1, t2] },
      'plan: step 0 (copy) input 0: slot 1 is read before it is written',
    ],
    [
      'writing twice',
      { steps: [t0, t1, step(copy, [2], [1]), t2] },
      'plan: step 2 (copy) output 0: slot 1 is written a second time',
    ],
    [
      'writing an argument',
      { steps: [step(copy, [0], [0]), t1, t2] },
      'plan: step 0 (copy) output 0: slot 0 is written a second time',
    ],
    [
      'another size',
      { slots: [s0, slot(arena(0), 8), s2, s3] },
      'plan: step 0 (copy) output 0: slot 1 holds 8 of float32, but the kernel has f32[16]',
    ],
    [
      'another dtype',
      { slots: [slot(input(0), 16, 'int32'), s1, s2, s3] },
      'plan: step 0 (copy) input 0: slot 0 holds 16 of int32, but the kernel has f32[16]',
    ],
    [
      'overlap in part',
      { slots: [s0, slot(arena(0)), slot(arena(0)), s3], steps: [t0, t1, t2] },
      'plan: slots 1 and 2 share memory',
    ],
    [
      'two outputs of a step in one place',
      {
        steps: [step({ ...copy, outputs: [at, at] }, [0], [1, 2]), step(add, [1, 2], [3])],
        slots: [s0, s1, slot(arena(0)), s3],
      },
      'plan: slots 1 and 2 share memory (arena at 0, arena at 0) while both are needed at step 0 (copy)',
    ],
  ];
  test.each(refused)('refuses %s', (_, parts, message) => {
    expect(() => checkPlan(chain(parts))).toThrow(InternalError);
    expect(() => checkPlan(chain(parts))).toThrow(message);
  });
});
