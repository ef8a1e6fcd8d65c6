/** Stacks and their rows as kernels, for values that stay on a device. */
import {
  addIndex,
  compare,
  constant,
  coord,
  type DType,
  type Expr,
  inBounds,
  type Kernel,
  load,
  select,
} from '@neumann/core/backend';

const nest = { reduceAxes: [], reductions: [] };

/** The row of a stack `[length, size]` whose number is the only element of the second operand. */
export function rowKernel(dtype: DType, length: number, size: number): Kernel {
  const stack = { dtype, shape: [length, size] };
  const at = { dtype: 'int32', shape: [1] } as const;
  const row = load(1, at, [constant('int32', 0)]);
  return {
    ...nest,
    name: 'row',
    inputs: [stack, at],
    axes: [size],
    outputs: [load(0, stack, [row, coord(0)])],
  };
}

/** Arrays `[count, size]` one after the other. */
export function joinKernel(dtype: DType, counts: readonly number[], size: number): Kernel {
  const [row, column] = [coord(0), coord(1)];
  let start = 0;
  const parts = counts.map((count, input) => {
    const own = addIndex(row, -start);
    start += count;
    const value = load(input, dtype, [own, column], inBounds(own, count));
    return { value, isBefore: compare('lt', row, constant('int32', start)) };
  });
  const output = parts.reduceRight<Expr | undefined>(
    (rest, { value, isBefore }) => (rest ? select(isBefore, value, rest) : value),
    undefined,
  ) as Expr;
  return {
    ...nest,
    name: 'join',
    inputs: counts.map((count) => ({ dtype, shape: [count, size] })),
    axes: [start, size],
    outputs: [output],
  };
}
