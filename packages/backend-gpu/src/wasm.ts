import { hostArray, type TypedArray } from '@neumann/core/backend';
import { fromFloats, GpuBuffer, memoryOf } from './buffer.ts';
import type { Machine } from './executable.ts';
import type { Kernels } from './kernels.ts';

/** Values are arrays of their dtype in JavaScript's own memory, which collects them. */
export function wasmMachine(kernels: Kernels): Machine<TypedArray> {
  return {
    dialect: 'exact',
    checksOutputs: false,
    limits: { maxInputs: 32, threads: 1, fold: Infinity },
    contractionGain: undefined,
    ofBuffer: memoryOf,
    start: (_, results, work) => {
      const { value } = work().next(); // nothing here has to wait
      return results.map(({ dtype }, i) => new GpuBuffer(dtype, (value as TypedArray[])[i] as TypedArray));
    },
    room: () => undefined,
    host: (value) => value,
    ofHost: (_, values) => values,
    rows: (dtype, length, size) => ({
      at: (stack, row) => stack.subarray(row * size, (row + 1) * size),
      join: (rows) => {
        const stack = hostArray(dtype, length * size);
        for (const [i, row] of rows.entries()) stack.set(row, i * size);
        return stack;
      },
    }),
    run: (program, operands, dtype) => fromFloats(dtype, kernels.run(program, operands), program.name),
    guard: (_, check, operands, error) => {
      if (kernels.run(check, operands).includes(1)) throw error();
    },
    release: () => undefined,
    donate: (buffer) => {
      (buffer as GpuBuffer).memory = undefined;
    },
  };
}
