import { type Aval, dtypeInfo, type HostRoutine, sizeOf, type TypedArray } from '@neumann/core/backend';

/**
 * What a module imports to run its host steps: routine number `routine` on views of the memory, nothing copied.
 * At `table` stand the addresses of its inputs, then of its outputs.
 */
export function hostImport(
  hosts: readonly HostRoutine[],
  memory: WebAssembly.Memory,
): (routine: number, table: number) => void {
  const calls = hosts.map((host) => ({ host, operands: [...host.inputs, ...host.outputs].map(operandOf) }));
  return (routine, table) => {
    const { host, operands } = calls[routine] as (typeof calls)[number];
    const addresses = new Uint32Array(memory.buffer, table, operands.length);
    const views = operands.map(({ view, size }, i) => new view(memory.buffer, addresses[i], size));
    host.run(views.slice(0, host.inputs.length), views.slice(host.inputs.length), host);
  };
}

/** How a view of an operand is made. */
interface Operand {
  readonly view: new (buffer: ArrayBufferLike, byteOffset?: number, length?: number) => TypedArray;
  readonly size: number;
}

const operandOf = ({ dtype, shape }: Aval): Operand => ({ view: dtypeInfo(dtype).view, size: sizeOf(shape) });
