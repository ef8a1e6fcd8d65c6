/** Random programs: a recipe of numbers that any sequence of is a program, so that fast-check can shrink it. */
import fc from 'fast-check';
import { arrays, between } from './arbitrary.ts';
import {
  arithmetic,
  convolve,
  type DType,
  gather,
  matmul,
  movement,
  reduce,
  type Shape,
  scalar,
  sizeOf,
  type Tensor,
  type TypedArray,
  windowMax,
  windowSum,
} from './core.ts';
import { type HostTensor, showHost } from './host.ts';
import { type Loops, staged, writtenOut } from './randomLoops.ts';

/** One step: which operation, on which of the values so far, with which options. */
export interface Instruction {
  readonly op: number;
  readonly a: number;
  readonly b: number;
  readonly option: number;
}

/** A function of a few tensors, by its steps. */
export class RandomProgram {
  readonly inputs: readonly HostTensor[];
  readonly instructions: readonly Instruction[];
  readonly #loops: Loops;

  constructor(inputs: readonly HostTensor[], instructions: readonly Instruction[], loops: Loops = staged) {
    this.inputs = inputs;
    this.instructions = instructions;
    this.#loops = loops;
  }

  /** The same program with its loops and branches written out. */
  get withoutLoops(): RandomProgram {
    return new RandomProgram(this.inputs, this.instructions, writtenOut);
  }

  /** All values that no step used, so that nothing is dead, and some of the others: those of an odd step with an odd option. */
  readonly f = (...xs: Tensor[]): Tensor[] => {
    const values = [...xs];
    const used = new Set<number>();
    // Counted from the last value, so that small numbers make deep programs.
    const take = (back: number): Tensor => {
      const place = values.length - 1 - (back % values.length);
      used.add(place);
      return values[place] as Tensor;
    };
    const kept = new Set<number>();
    for (const { op, a, b, option } of this.instructions) {
      if (values.length % 2 === 1 && option % 2 === 1) kept.add(values.length);
      const { apply } = operations[op % operations.length] as Operation;
      values.push(apply(take(a), () => take(b), option, xs[0] as Tensor, this.#loops));
    }
    return values.filter((_, i) => kept.has(i) || !used.has(i));
  };

  /** One number that depends on every result. */
  readonly loss = (...xs: Tensor[]): Tensor => total(this.f(...xs));

  toString(): string {
    const steps = this.instructions.map(({ op, a, b, option }, i) => {
      const { name } = operations[op % operations.length] as Operation;
      const count = this.inputs.length + i;
      return `%${count} = ${name}(%${count - 1 - (a % count)}, %${count - 1 - (b % count)}; ${option})`;
    });
    return [...this.inputs.map((x, i) => `%${i} = ${showHost(x)}`), ...steps].join('\n');
  }

  [fc.toStringMethod](): string {
    return this.toString();
  }
}

const total = (ys: readonly Tensor[]): Tensor =>
  ys
    .map((y) => reduce.reduceSum(arithmetic.mul(y, arithmetic.elementary.sin(y)), allAxes(y)))
    .reduce(arithmetic.add);

const allAxes = (x: Tensor): number[] => x.shape.map((_, i) => i);

interface Operation {
  readonly name: string;
  /** `second` is asked for only by what has two operands; `input` is the first input, the same on every backend. */
  readonly apply: (x: Tensor, second: () => Tensor, option: number, input: Tensor, loops: Loops) => Tensor;
}

const { elementary } = arithmetic;
const like = (value: number, x: Tensor): Tensor => scalar(value, x.dtype);

/** `y` cut or stretched until it broadcasts against `x`: axes that do not fit keep their first element. */
function fit(y: Tensor, x: Tensor): Tensor {
  const dropped = Math.max(0, y.ndim - x.ndim);
  const start = y.shape.map(() => 0);
  const limit = y.shape.map((n, i) =>
    i < dropped || n !== x.shape[i - y.ndim + x.ndim] ? Math.min(1, n) : n,
  );
  const cut = movement.slice(
    y,
    start,
    limit,
    y.shape.map(() => 1),
  );
  return movement.reshape(cut, cut.shape.slice(dropped));
}

/** Keeps numbers of ordinary size, so that errors do not grow from step to step. */
const bound = (x: Tensor): Tensor => elementary.tanh(x);

const unary = (name: string, f: (x: Tensor) => Tensor): Operation => ({ name, apply: (x) => f(x) });
const binary = (name: string, f: (x: Tensor, y: Tensor) => Tensor): Operation => ({
  name,
  apply: (x, second) => f(x, fit(second(), x)),
});

const room = 64;

/** Nothing here jumps: comparisons are of inputs only, which are equal wherever a program runs. */
const operations: readonly Operation[] = [
  unary('sin', elementary.sin),
  unary('tanh', elementary.tanh),
  unary('sigmoid', elementary.sigmoid),
  unary('neg', arithmetic.neg),
  unary('exp(tanh)', (x) => elementary.exp(bound(x))),
  unary('sqrt(x² + 1)', (x) => elementary.sqrt(arithmetic.add(arithmetic.mul(x, x), like(1, x)))),
  unary('log1p(x²)', (x) => elementary.log1p(arithmetic.mul(x, x))),
  unary('erf', elementary.erf),
  { name: 'scale', apply: (x, _, option) => arithmetic.mul(x, like((option % 7) / 4 - 0.75, x)) },
  binary('add', arithmetic.add),
  binary('sub', arithmetic.sub),
  binary('mul', (x, y) => arithmetic.mul(bound(x), y)),
  binary('div', (x, y) => arithmetic.div(x, arithmetic.add(arithmetic.mul(y, y), like(1, y)))),
  binary('atan2', (x, y) => arithmetic.atan2(x, arithmetic.add(arithmetic.mul(y, y), like(1, y)))),
  {
    name: 'select',
    apply: (x, second, option, input) => {
      const cond = arithmetic.compare('lt', input, like(option / 16 - 1, input));
      return arithmetic.select(
        arithmetic.compare('eq', like(0, x), fit(arithmetic.convert(cond, x.dtype), x)),
        x,
        fit(second(), x),
      );
    },
  },
  {
    name: 'broadcastTo',
    apply: (x, _, option) => (x.size > room ? x : movement.broadcastTo(x, [1 + (option % 3), ...x.shape])),
  },
  {
    name: 'reduceSum',
    apply: (x, _, option) =>
      reduce.reduceSum(
        x,
        allAxes(x).filter((i) => ((option >> i) & 1) === 1),
      ),
  },
  {
    name: 'mean',
    apply: (x, _, option) => {
      const axes = x.ndim === 0 ? [] : [option % x.ndim];
      return arithmetic.mul(reduce.reduceSum(x, axes), like(1 / 3, x));
    },
  },
  {
    name: 'logSumExp',
    apply: (x, _, option) => {
      const axes = x.ndim === 0 ? [] : [option % x.ndim];
      return elementary.log(reduce.reduceSum(elementary.exp(bound(x)), axes));
    },
  },
  {
    name: 'transpose',
    apply: (x, _, option) => {
      const by = x.ndim === 0 ? 0 : option % x.ndim;
      return movement.transpose(x, [...allAxes(x).slice(by), ...allAxes(x).slice(0, by)]);
    },
  },
  {
    name: 'reshape',
    apply: (x, _, option) => {
      const [first = 1, ...rest] = x.shape;
      return movement.reshape(x, option % 2 === 0 ? [x.size] : [sizeOf(rest), first]);
    },
  },
  {
    name: 'slice',
    apply: (x, _, option) => {
      const start = x.shape.map((n, i) => (n > 1 ? (option >> i) & 1 : 0));
      return movement.slice(
        x,
        start,
        x.shape,
        x.shape.map((_, i) => 1 + ((option >> (i + 2)) & 1)),
      );
    },
  },
  {
    name: 'pad',
    apply: (x, _, option) => {
      if (x.size > room) return x;
      const some = (shift: number): number[] => x.shape.map((_, i) => (option >> (i + shift)) & 1);
      return movement.pad(x, some(0), some(1), some(2));
    },
  },
  {
    name: 'reverse',
    apply: (x, _, option) =>
      movement.reverse(
        x,
        allAxes(x).filter((i) => ((option >> i) & 1) === 1),
      ),
  },
  {
    name: 'concatenate',
    apply: (x, second, option) => {
      const y = second();
      if (x.ndim === 0 || x.size > room) return x;
      const axis = option % x.ndim;
      return movement.concatenate([x, movement.broadcastTo(fit(y, x), x.shape), x], axis);
    },
  },
  {
    name: 'matmul',
    apply: (x, second, option) => {
      const rows = rowsOf(x);
      const weights = movement.broadcastTo(rowLike(second(), rows), [
        1 + (option % 3),
        rows.shape[1] as number,
      ]);
      return bound(matmul(rows, weights, false, true));
    },
  },
  { name: 'conv', apply: (x, second, option) => convolution(x, second(), option) },
  { name: 'window', apply: (x, _, option) => windows(x, option) },
  { name: 'gather', apply: (x, _, option) => gathered(x, option) },
  {
    name: 'minus its max',
    apply: (x, _, option) => {
      const axes = allAxes(x).filter((i) => ((option >> i) & 1) === 1);
      const kept = x.shape.map((n, i) => (axes.includes(i) ? 1 : n));
      return axes.length === 0
        ? x
        : arithmetic.sub(x, movement.stop(movement.reshape(reduce.reduceMax(x, axes), kept)));
    },
  },
  {
    name: 'scan',
    apply: (x, second, option, _, loops) => {
      const y = second();
      if (x.ndim === 0 || x.shape[0] === 0) return x;
      const row = firstRow(x);
      return loops.scanRows(bound(x), movement.broadcastTo(fit(y, row), row.shape), option % 2 === 1);
    },
  },
  {
    name: 'forLoop of cond',
    apply: (x, second, option, _, loops) => loops.repeat(x, fit(second(), x), option % 5),
  },
  {
    name: 'switchCase',
    apply: (x, second, option, input, loops) => loops.choose(input, option / 16 - 1, x, fit(second(), x)),
  },
  {
    name: 'whileLoop',
    apply: (x, _, option, __, loops) => arithmetic.add(x, loops.until(x, option % 4)),
  },
];

/** The first row. */
function firstRow(x: Tensor): Tensor {
  const [, ...inner] = x.shape;
  const zeros = x.shape.map(() => 0);
  const cut = movement.slice(
    x,
    zeros,
    [1, ...inner],
    x.shape.map(() => 1),
  );
  return movement.reshape(cut, inner);
}

/** The elements as rows of the last axis. */
function rowsOf(x: Tensor): Tensor {
  const width = x.shape.at(-1) ?? 1;
  return movement.reshape(x, [x.size / width, width]);
}

/** Numbers of `y` that broadcast to one row of `rows`. */
function rowLike(y: Tensor, rows: Tensor): Tensor {
  const width = rows.shape[1] as number;
  return fit(y, movement.slice(rows, [0, 0], [1, width], [1, 1]));
}

function convolution(x: Tensor, y: Tensor, option: number): Tensor {
  const rows = rowsOf(x);
  const [length, c] = rows.shape as [number, number];
  const kernel = 1 + (option & 1);
  const stride = 1 + ((option >> 1) & 1);
  const padLow = (option >> 2) & 1;
  const f = 1 + ((option >> 3) & 3);
  const room = length + padLow + kernel - 1 - kernel;
  const geometry = {
    n: 1,
    c,
    f,
    groups: 1,
    x: [length],
    kernel: [kernel],
    y: [Math.floor(room / stride) + 1],
    stride: [stride],
    padLow: [padLow],
    dilateX: [1],
    dilateW: [1],
  };
  const row = movement.broadcastTo(rowLike(y, rows), [1, c]);
  const weights = movement.broadcastTo(movement.reshape(row, [1, c, 1]), [kernel, c, f]);
  return bound(convolve('y', geometry, movement.reshape(rows, [1, length, c]), weights));
}

/** Windows of two rows, one apart; `windowMax` without its derivative, which jumps where two numbers nearly meet. */
function windows(x: Tensor, option: number): Tensor {
  const rows = rowsOf(x);
  const [length, c] = rows.shape as [number, number];
  const window = {
    n: 1,
    c,
    x: [length],
    window: [2],
    y: [length],
    stride: [1],
    padLow: [option & 1],
    dilation: [1],
  };
  const image = movement.reshape(rows, [1, length, c]);
  return option & 2
    ? windowSum('y', window, image)
    : arithmetic.sub(image, movement.stop(windowMax(window, image)));
}

function gathered(x: Tensor, option: number): Tensor {
  const rows = rowsOf(x);
  const [length, inner] = rows.shape as [number, number];
  const count = 1 + (option % 5);
  const index = arithmetic.rem(
    arithmetic.mul(movement.iota(count, 'int32'), scalar(2, 'int32')),
    scalar(length, 'int32'),
  );
  return gather(movement.reshape(rows, [1, length, inner]), index, { outer: 1, rows: length, count, inner });
}

/** Extents that meet often. */
const inputShapes: fc.Arbitrary<Shape> = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 3 });

/** Programs of 3 to `steps` steps, mostly of less than 10, over one to three inputs of a dtype. */
export function randomPrograms(dtype: DType, steps: number = 30): fc.Arbitrary<RandomProgram> {
  const input = inputShapes.chain((shape) =>
    arrays(dtype, shape, between(-2, 2)).map((values: TypedArray): HostTensor => ({ dtype, shape, values })),
  );
  const instruction = fc.record({
    op: fc.nat({ max: operations.length - 1 }),
    a: fc.nat({ max: 7 }),
    b: fc.nat({ max: 17 }),
    option: fc.nat({ max: 31 }),
  });
  return fc
    .tuple(
      fc.array(input, { minLength: 1, maxLength: 3 }),
      fc.oneof(
        { weight: 9, arbitrary: fc.array(instruction, { minLength: 3, maxLength: 9, size: 'max' }) },
        { weight: 1, arbitrary: fc.array(instruction, { minLength: 3, maxLength: steps, size: 'max' }) },
      ),
    )
    .map(([inputs, instructions]) => new RandomProgram(inputs, instructions));
}
