import type { TypedArray } from '@neumann/core/backend';
import { fromFloats, GpuBuffer, memoryOf } from './buffer.ts';
import type { Machine } from './executable.ts';
import type { Kernels } from './kernels.ts';

/** Values are arrays of their dtype in JavaScript's own memory, which collects them. */
export function wasmMachine(kernels: Kernels): Machine<TypedArray> {
  return {
    dialect: 'exact',
    checksOutputs: false,
    ofBuffer: memoryOf,
    toBuffer: (dtype, value) => new GpuBuffer(dtype, value),
    host: (value) => value,
    ofHost: (_, values) => values,
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
