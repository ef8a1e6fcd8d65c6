import { coord, dtypeInfo, type Kernel, load, sizeOf, substituteAll } from '@neumann/core/backend';
import type { Code, Local } from '../asm/code.ts';
import { kernelCode, rowsCode } from './kernel.ts';
import type { Part, StepCode } from './part.ts';
import type { EmitContext } from './plan.ts';
import { splitRows } from './splitRows.ts';

/** Writes the epilogue for the rows of a result from `first` up to `end`, which have just been computed. */
export type Finish = (code: Code, first: Local, end: Local) => void;

/** A kernel with a routine, in two: the routine alone, and what is made of its result. */
interface Halves {
  readonly plain: Kernel;
  /** From the kernel's inputs and then the result. */
  readonly epilogue: Kernel;
  /** The output that has the result's memory, if there is one. */
  readonly host: number | undefined;
}

/** How many operands a routine takes that can have an epilogue. */
const OPERANDS = 2;

/** The routine's kernel without its epilogue, if it has one. */
function halvesOf(kernel: Kernel): Halves | undefined {
  const { inputs, outputs, axes, reductions } = kernel;
  const [first] = outputs;
  const [reduction] = reductions;
  const takesEpilogue = kernel.routine?.name === 'matmul' || kernel.routine?.name === 'conv';
  if (!takesEpilogue || !reduction || (outputs.length === 1 && first?.kind === 'acc')) return undefined;
  const { dtype } = reduction.value;
  const point = axes.map((_, axis) => coord(axis));
  const result = load(inputs.length, dtype, point);
  const plainOutput = outputs.findIndex(({ kind }) => kind === 'acc');
  const host = plainOutput >= 0 ? plainOutput : outputs.findIndex((output) => output.dtype === dtype);
  const made = substituteAll(outputs, { acc: () => result });
  return {
    plain: { ...kernel, inputs: inputs.slice(0, OPERANDS), outputs: [{ kind: 'acc', dtype, index: 0 }] },
    epilogue: {
      name: `${kernel.name}, epilogue`,
      inputs: [...inputs, { shape: axes, dtype }],
      axes,
      reduceAxes: [],
      reductions: [],
      outputs: made.filter((_, i) => i !== plainOutput),
    },
    host: host >= 0 ? host : undefined,
  };
}

/**
 * The code of a kernel with a routine. Where `write` finds a tuned implementation, it may call `finish` for rows of the
 * result as soon as it has them, while they are in the cache; if it does not, the epilogue follows as steps of its own.
 */
export function withEpilogue(
  context: EmitContext,
  kernel: Kernel,
  write: (context: EmitContext, kernel: Kernel) => StepCode | undefined,
): StepCode | undefined {
  const halves = halvesOf(kernel);
  if (!halves) return write(context, kernel);
  const { plain, epilogue, host } = halves;
  const count = kernel.inputs.length;
  /** The addresses that the code being written was given. */
  let params: readonly Local[] = [];
  const finishRows = (rows: number): Finish | undefined => {
    const byRows = rows < sizeOf(epilogue.axes) ? splitRows(epilogue, rows) : undefined;
    const emit = byRows && rowsCode(context.functions, byRows);
    return emit && ((code, first, end) => emit(code, params, { first, end }));
  };
  const routine = write({ ...context, finishRows }, plain);
  if (!routine) return undefined;
  const resultAt = Math.ceil(routine.scratch / 64) * 64;
  const bytes =
    host === undefined ? sizeOf(kernel.axes) * dtypeInfo(plain.outputs[0]?.dtype ?? 'float32').bytes : 0;
  /** Parameters of the epilogue: inputs, result, and outputs but for a result that is one. */
  const arranged = (code: Code, given: readonly Local[], scratch: Local): readonly Local[] => {
    const outputs = given.slice(count);
    let result = host === undefined ? undefined : outputs[host];
    if (result === undefined) {
      result = code.local('i32');
      code.get(scratch).i32(resultAt).op('i32.add').set(result);
    }
    const isPlain = host !== undefined && kernel.outputs[host]?.kind === 'acc';
    return [...given.slice(0, count), result, ...outputs.filter((_, i) => !isPlain || i !== host)];
  };
  const parts = routine.parts.map(
    (part): Part => ({
      ...part,
      emit: (code, given, share) => {
        params = arranged(code, given, share.scratch);
        part.emit(code, [...given.slice(0, OPERANDS), params[count] ?? 0], share);
      },
    }),
  );
  const scratch = resultAt + bytes;
  if (routine.finishes) return { scratch, parts };
  const rest = kernelCode(context.functions, epilogue);
  const after = rest.parts.map(
    (part): Part => ({
      ...part,
      emit: (code, given, share) => part.emit(code, arranged(code, given, share.scratch), share),
    }),
  );
  return { scratch: Math.max(scratch, rest.scratch), parts: [...parts, ...after] };
}
