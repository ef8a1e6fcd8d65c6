import { describe, expect, test } from 'vitest';
import { planProgram } from '../../src/ir/execute.ts';
import type { Kernel, WindowGeometry } from '../../src/ir/kernel.ts';
import type { Plan } from '../../src/ir/plan.ts';
import { showKernel } from '../../src/ir/show.ts';
import { toTensor } from '../../src/ops/convert.ts';
import { add, compare, elementary, mul, select, sub } from '../../src/primitives/arithmetic.ts';
import { matmul } from '../../src/primitives/matmul.ts';
import { broadcastTo, reshape, slice, transpose } from '../../src/primitives/movement.ts';
import { scalar } from '../../src/primitives/pointwise.ts';
import { reduceMax, reduceSum } from '../../src/primitives/reduce.ts';
import { windowArgmax, windowMax } from '../../src/primitives/window.ts';
import type { Tensor } from '../../src/tensor.ts';
import { makeProgram } from '../../src/transforms/jit.ts';

const of = (...shape: number[]): Tensor => broadcastTo(scalar(0, 'float32'), shape);

/** The kernels that a function becomes, as text. */
function kernels(f: (...xs: Tensor[]) => unknown, ...args: Tensor[]): string {
  return `\n${kernelsOf(planProgram(makeProgram(f, ...args)))
    .map(showKernel)
    .join('\n')}\n`;
}

const kernelsOf = (plan: Plan): Kernel[] =>
  plan.steps.flatMap((step) => (step.kind === 'kernel' ? [step.kernel] : []));

describe('inlining', () => {
  test('a chain of pointwise operations is one kernel', () => {
    expect(kernels((x, y) => elementary.exp(mul(add(x, y), x)), of(8), of(8))).toMatchInlineSnapshot(`
      "
      kernel add+mul+exp [8] (f32[8], f32[8])
        %0 = in0[i]
        out f32 = exp((%0 + in1[i]) * %0)
      "
    `);
  });

  test('movement is index arithmetic in its reader', () => {
    expect(
      kernels((x) => elementary.exp(slice(transpose(x, [1, 0]), [1, 0], [3, 2], [1, 1])), of(2, 4)),
    ).toMatchInlineSnapshot(`
      "
      kernel transpose+slice+exp [2,2] (f32[2,4])
        out f32 = exp(in0[j, i + 1])
      "
    `);
  });

  test('a reduction takes in its operand and the work on its result', () => {
    expect(
      kernels((x, y) => elementary.sqrt(reduceSum(mul(x, y), [1])), of(4, 8), of(4, 8)),
    ).toMatchInlineSnapshot(`
      "
      kernel mul+reduceSum+sqrt [4] over [8] (f32[4,8], f32[4,8])
        acc0 f32 = add in0[i, r] * in1[i, r]
        out f32 = sqrt(acc0)
      "
    `);
  });

  test('a difference from row means is computed where it is read, in the sum and after it', () => {
    const normalise = (x: Tensor, mean: Tensor) => {
      const centered = sub(x, reshape(mean, [64, 1]));
      return mul(centered, elementary.rsqrt(reshape(reduceSum(mul(centered, centered), [1]), [64, 1])));
    };
    expect(kernels(normalise, of(64, 8), of(64))).toMatchInlineSnapshot(`
      "
      kernel sub+mul+reduceSum+rsqrt [64] over [8] (f32[64,8], f32[64])
        %0 = in0[i, r] - in1[i]
        acc0 f32 = add %0 * %0
        out f32 = rsqrt(acc0)
      kernel sub+mul [64,8] (f32[64,8], f32[64], f32[64])
        out f32 = (in0[i, j] - in1[i]) * in2[i]
      "
    `);
  });

  test('an elementary function with two readers is stored', () => {
    const f = (x: Tensor) => {
      const e = elementary.exp(x);
      return [reduceSum(e, [0]), reduceMax(e, [1])];
    };
    expect(kernels(f, of(4, 8))).toMatchInlineSnapshot(`
      "
      kernel exp [4,8] (f32[4,8])
        out f32 = exp(in0[i, j])
      kernel reduceSum [8] over [4] (f32[4,8])
        acc0 f32 = add in0[r, i]
        out f32 = acc0
      kernel reduceMax [4] over [8] (f32[4,8])
        acc0 f32 = max in0[i, r]
        out f32 = acc0
      "
    `);
  });
});

describe('what is not fused, and why', () => {
  test('repeatsWork: a sum used at every point of a larger nest is computed once', () => {
    const softmax = (x: Tensor) => {
      const e = elementary.exp(sub(x, reshape(reduceMax(x, [1]), [4, 1])));
      return mul(e, elementary.rsqrt(reshape(reduceSum(e, [1]), [4, 1])));
    };
    expect(kernels(softmax, of(4, 8))).toMatchInlineSnapshot(`
      "
      kernel reduceMax [4] over [8] (f32[4,8])
        acc0 f32 = max in0[i, r]
        out f32 = acc0
      kernel sub+exp [4,8] (f32[4,8], f32[4])
        out f32 = exp(in0[i, j] - in1[i])
      kernel reduceSum+rsqrt [4] over [8] (f32[4,8])
        acc0 f32 = add in0[i, r]
        out f32 = rsqrt(acc0)
      kernel mul [4,8] (f32[4,8], f32[4])
        out f32 = in0[i, j] * in1[i]
      "
    `);
  });

  test('a routine reads buffers', () => {
    expect(
      kernels((x, y) => matmul(elementary.exp(x), y, false, false), of(4, 8), of(8, 2)),
    ).toMatchInlineSnapshot(`
      "
      kernel exp [4,8] (f32[4,8])
        out f32 = exp(in0[i, j])
      kernel matmul [4,2] over [8] (f32[4,8], f32[8,2]) as matmul
        acc0 f32 = add in0[i, r] * in1[r, j]
        out f32 = acc0
      "
    `);
  });

  test('readsReshaped: a reshape of more than unit axes is another view of a stored value', () => {
    expect(kernels((x) => elementary.exp(reshape(elementary.sin(x), [6])), of(2, 3))).toMatchInlineSnapshot(`
      "
      kernel sin [2,3] (f32[2,3])
        out f32 = sin(in0[i, j])
      kernel exp [6] (f32[6])
        out f32 = exp(in0[i])
      "
    `);
  });

  test('outlivesItsPhase: a mask for the backward pass is stored, not recomputed from a larger operand', () => {
    const f = (x: Tensor, w: Tensor) => {
      const mask = compare('le', x, scalar(0, 'float32'));
      const y = matmul(select(mask, scalar(0, 'float32'), x), w, false, false);
      return [y, select(mask, scalar(0, 'float32'), y)];
    };
    expect(kernels(f, of(4, 4), of(4, 4))).toMatchInlineSnapshot(`
      "
      kernel le+select [4,4] (f32[4,4])
        %0 = in0[i, j]
        %1 = %0 <= 0
        out0 bool = %1
        out1 f32 = select(%1, 0, %0)
      kernel matmul [4,4] over [4] (f32[4,4], f32[4,4]) as matmul
        acc0 f32 = add in0[i, r] * in1[r, j]
        out f32 = acc0
      kernel select [4,4] (bool[4,4], f32[4,4])
        out f32 = select(in0[i, j], 0, in1[i, j])
      "
    `);
  });
});

describe('merging', () => {
  test('an optimizer update of three tensors is one kernel that reads and writes each once', () => {
    const momentum = (w: Tensor, m: Tensor, g: Tensor) => {
      const next = sub(mul(m, scalar(0.5, 'float32')), g);
      return [add(w, next), next];
    };
    expect(kernels(momentum, of(100), of(100), of(100))).toMatchInlineSnapshot(`
      "
      kernel mul+sub+add [100] (f32[100], f32[100], f32[100])
        %0 = (in0[i] * 0.5) - in1[i]
        out0 f32 = %0
        out1 f32 = in2[i] + %0
      "
    `);
  });

  test('two reductions of one operand share a nest', () => {
    expect(kernels((x) => [reduceSum(x, [1]), reduceSum(mul(x, x), [1])], of(4, 8))).toMatchInlineSnapshot(`
      "
      kernel reduceSum+mul [4] over [8] (f32[4,8])
        %0 = in0[i, r]
        acc0 f32 = add %0
        acc1 f32 = add %0 * %0
        out0 f32 = acc0
        out1 f32 = acc1
      "
    `);
  });

  test('a backend with one output a kernel gets each reduction by itself', () => {
    const program = makeProgram((x: Tensor) => [reduceSum(x, [1]), reduceSum(mul(x, x), [1])], of(4, 8));
    const plan = planProgram(program, [], { multipleOutputs: false });
    expect(kernelsOf(plan).map((kernel) => kernel.reductions.length)).toEqual([1, 1]);
  });

  test('unrelated work of the same shape stays apart', () => {
    expect(
      planProgram(makeProgram((x: Tensor, y: Tensor) => [elementary.exp(x), elementary.exp(y)], of(4), of(4)))
        .steps,
    ).toHaveLength(2);
  });
});

describe('simplification', () => {
  test('equal work is done once, unused work never, and multiplying by one is free', () => {
    const f = (x: Tensor) => {
      elementary.tanh(x);
      return mul(add(elementary.exp(x), elementary.exp(x)), broadcastTo(scalar(1, 'float32'), [4]));
    };
    expect(kernels(f, of(4))).toMatchInlineSnapshot(`
      "
      kernel exp+add [4] (f32[4])
        %0 = exp(in0[i])
        out f32 = %0 + %0
      "
    `);
  });

  test('x + 0 is kept: it turns -0 into 0', () => {
    expect(kernels((x) => add(x, toTensor(0)), of(2))).toMatchInlineSnapshot(`
      "
      kernel add [2] (f32[2])
        out f32 = in0[i] + 0
      "
    `);
  });
});

describe('epilogues of routines', () => {
  const ofBackend = (f: (...xs: Tensor[]) => unknown, ...args: Tensor[]) => {
    const fusesEpilogue = ({ routine }: Kernel) => routine?.name === 'matmul';
    return kernelsOf(planProgram(makeProgram(f, ...args), [], { multipleOutputs: true, fusesEpilogue }));
  };
  const dense = (x: Tensor, w: Tensor, b: Tensor) => add(matmul(x, w, false, false), broadcastTo(b, [4, 5]));

  test('are fused where the backend says so, and the operands keep their places', () => {
    const [kernel, ...others] = ofBackend(dense, of(4, 3), of(3, 5), of(5));
    expect(others).toEqual([]);
    expect(kernel?.routine).toMatchObject({ name: 'matmul', m: 4, n: 5, k: 3 });
    expect(kernel?.inputs.map(({ shape }) => shape)).toEqual([[4, 3], [3, 5], [5]]);
    expect(kernelsOf(planProgram(makeProgram(dense, of(4, 3), of(3, 5), of(5))))).toHaveLength(2);
  });

  test('leave an operand that occurs twice two places', () => {
    const [kernel] = ofBackend((x) => elementary.exp(matmul(x, x, false, false)), of(4, 4));
    expect(kernel?.inputs).toHaveLength(2);
    expect(kernel?.routine?.name).toBe('matmul');
  });

  test('take no reductions in', () => {
    expect(
      ofBackend(
        (x, y) => reduceSum(elementary.exp(matmul(x, y, false, false)), [0, 1]),
        of(4, 4),
        of(4, 4),
      ).at(0)?.routine,
    ).toBeDefined();
  });
});

test('the greatest elements of windows and their positions are found together', () => {
  const window = {
    n: 1,
    c: 2,
    x: [4],
    window: [2],
    y: [2],
    stride: [2],
    padLow: [0],
    dilation: [1],
  } satisfies WindowGeometry;
  const both = (x: Tensor) => [windowArgmax(window, x), elementary.exp(windowMax(window, x))];
  const [pair, ...others] = kernelsOf(
    planProgram(makeProgram(both, of(1, 4, 2)), [], { multipleOutputs: true }),
  );
  expect(pair?.routine).toEqual({ name: 'windowMax', window });
  expect(pair?.reductions.map(({ op }) => op)).toEqual(['argmax', 'max']);
  expect(others.map(({ name }) => name)).toEqual(['exp']);
  const differ = (x: Tensor) => [windowArgmax(window, x), windowMax({ ...window, stride: [1] }, x)];
  expect(kernelsOf(planProgram(makeProgram(differ, of(1, 4, 2))))).toHaveLength(2);
});

test('kernels with common operands become one, however many others stand between them', () => {
  const f = (...xs: Tensor[]) => [...xs.map((x) => mul(x, x)), ...xs.map((x) => add(x, x))];
  const found = kernelsOf(planProgram(makeProgram(f, ...Array.from({ length: 100 }, () => of(8)))));
  expect(found.map(({ inputs, outputs }) => [inputs.length, outputs.length])).toEqual(
    found.map(() => [1, 2]),
  );
  expect(found).toHaveLength(100);
});

test('a matrix product reads transposed operands where they stand', () => {
  const swap = (x: Tensor) => transpose(x, [0, 2, 1]);
  const product = (x: Tensor, y: Tensor) => matmul(swap(x), swap(y), true, false);
  const [kernel, ...others] = kernelsOf(planProgram(makeProgram(product, of(2, 4, 3), of(2, 5, 3))));
  expect(others).toEqual([]);
  expect(kernel?.routine).toMatchObject({ m: 4, n: 5, k: 3, transposeX: false, transposeY: true });
  const moved = (x: Tensor, y: Tensor) => matmul(transpose(x, [1, 0, 2]), y, false, false);
  expect(kernelsOf(planProgram(makeProgram(moved, of(3, 2, 4), of(2, 4, 5))))).toHaveLength(2);
});
