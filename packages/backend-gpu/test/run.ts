/** Kernels alone, on a backend and on the reference interpreter. */
import {
  type Backend,
  checkKernel,
  type Expr,
  hostArray,
  interpret,
  type Kernel,
  type Plan,
  sizeOf,
  type TypedArray,
} from '@neumann/core/backend';
import { executable } from '../src/executable.ts';
import { loadGpuJs } from '../src/gpujs.ts';
import { gpu } from '../src/index.ts';
import { Kernels } from '../src/kernels.ts';
import { wasmMachine } from '../src/wasm.ts';

/** The source that shading languages get, run as WebAssembly, whose arithmetic is what they should have. */
export async function onDeviceSource(): Promise<Backend> {
  const { GPU } = await loadGpuJs();
  const machine = wasmMachine(new Kernels(new GPU({ mode: 'webasm' }), 'webasm'));
  return {
    ...(await gpu({ mode: 'webasm' })),
    compile: (plan) => executable(plan, { ...machine, dialect: 'device' }),
  };
}

export function kernel(parts: Partial<Kernel> & Pick<Kernel, 'outputs'>): Kernel {
  return { name: 'test', inputs: [], axes: [], reduceAxes: [], reductions: [], ...parts };
}

/** A pointwise kernel of 1-D inputs. */
export function pointwise(inputs: readonly TypedArrayInput[], output: Expr): Kernel {
  const size = inputs[0]?.values.length ?? 1;
  return kernel({
    inputs: inputs.map(({ dtype, values }) => ({ dtype, shape: [values.length] })),
    axes: [size],
    outputs: [output],
  });
}

export interface TypedArrayInput {
  readonly dtype: 'float32' | 'int32' | 'uint8' | 'bool';
  readonly values: TypedArray;
}

/** The plan with one step. */
export function planOf(kernel: Kernel): Plan {
  const inputs = kernel.inputs.map((_, i) => i);
  const outputs = kernel.outputs.map((_, i) => inputs.length + i);
  return {
    slots: [
      ...kernel.inputs.map(({ dtype, shape }, index) => ({
        dtype,
        size: sizeOf(shape),
        place: { kind: 'input', index } as const,
      })),
      ...kernel.outputs.map(({ dtype }) => ({
        dtype,
        size: sizeOf(kernel.axes),
        place: { kind: 'output' } as const,
      })),
    ],
    steps: [{ kind: 'kernel', kernel, inputs, outputs }],
    inputs,
    outputs,
    arenaBytes: 0,
  };
}

export function run(backend: Backend, kernel: Kernel, inputs: readonly TypedArray[]): TypedArray[] {
  checkKernel(kernel);
  const buffers = kernel.inputs.map(({ dtype }, i) => backend.upload(dtype, inputs[i] as TypedArray));
  return backend
    .compile(planOf(kernel))
    .run(buffers)
    .map((buffer) => backend.downloadSync(buffer));
}

/** The results of both, element by element. */
export function both(
  backend: Backend,
  kernel: Kernel,
  inputs: readonly TypedArray[],
): { got: readonly number[]; want: readonly number[] } {
  const flat = (arrays: readonly TypedArray[]): number[] => arrays.flatMap((array) => [...array]);
  return { got: flat(run(backend, kernel, inputs)), want: flat(interpret(kernel, inputs)) };
}

/** Distance in units of the last place of float32; a zero keeps its sign, and NaN is as far as can be. */
export function ulpsApart(x: number, y: number): number {
  if (Object.is(x, y)) return 0;
  const ordered = (value: number): number => {
    const bits = hostArray('float32', 1);
    bits[0] = value;
    const [raw = 0] = new Int32Array(bits.buffer);
    return raw < 0 ? -(2 ** 31) - raw : raw;
  };
  if (Number.isNaN(x) || Number.isNaN(y) || x === y) return Infinity;
  return Math.abs(ordered(x) - ordered(y));
}
