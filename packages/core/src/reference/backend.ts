import { type DType, dtypeInfo, dtypes, hostArray, type TypedArray } from '../dtype.ts';
import { InternalError } from '../errors.ts';
import type { Backend, Buffer, Executable } from '../ir/backend.ts';
import { checkPlan } from '../ir/check.ts';
import type { Plan, Step } from '../ir/plan.ts';
import { sizeOf } from '../shape.ts';
import { type InterpretOptions, prepare } from './interpret.ts';

/**
 * The backend that defines what every kernel means: plain JavaScript, slow and obvious, nothing to set up.
 *
 * Every plan is checked before it runs. Places are ignored: each value gets memory of its own.
 */
export function reference(options: InterpretOptions = {}): Backend {
  return {
    name: 'reference',
    dtypes: new Set(dtypes),
    multipleOutputs: true,
    upload: (dtype, values) => new HostBuffer(dtype, copyOf(dtype, values)),
    download: async (buffer) => memoryOf(buffer).slice(),
    downloadSync: (buffer) => memoryOf(buffer).slice(),
    compile: (plan) => compile(plan, options),
  };
}

/** Host memory, until it is donated. */
class HostBuffer implements Buffer {
  readonly dtype: DType;
  readonly size: number;
  memory: TypedArray | undefined;

  constructor(dtype: DType, memory: TypedArray) {
    this.dtype = dtype;
    this.size = memory.length;
    this.memory = memory;
  }
}

function compile(plan: Plan, options: InterpretOptions): Executable {
  checkPlan(plan);
  const steps = plan.steps.map((step) => ({
    run: runOf(step, options),
    inputs: step.inputs,
    outputs: step.outputs,
  }));
  const donated = new Set(plan.slots.flatMap(({ place }) => (place.kind === 'donated' ? [place.index] : [])));
  return {
    run(inputs) {
      checkArguments(plan, inputs, donated);
      const buffers: Buffer[] = [];
      for (const [i, slot] of plan.inputs.entries()) buffers[slot] = inputs[i] as Buffer;
      for (const step of steps) {
        const results = step.run(step.inputs.map((slot) => memoryOf(buffers[slot])));
        for (const [i, slot] of step.outputs.entries())
          buffers[slot] = new HostBuffer(plan.slots[slot]?.dtype as DType, results[i] as TypedArray);
      }
      for (const i of donated) (inputs[i] as HostBuffer).memory = undefined;
      return plan.outputs.map((slot) => buffers[slot] as Buffer);
    },
  };
}

/** A step as a function of its operands. */
function runOf(step: Step, options: InterpretOptions): (inputs: readonly TypedArray[]) => TypedArray[] {
  switch (step.kind) {
    case 'kernel':
      return prepare(step.kernel, options);
    case 'host': {
      const { host } = step;
      return (inputs) => {
        const outputs = host.outputs.map(({ dtype, shape }) => hostArray(dtype, sizeOf(shape)));
        host.run(inputs, outputs, host);
        return outputs;
      };
    }
    default:
      return step satisfies never;
  }
}

function checkArguments(plan: Plan, inputs: readonly Buffer[], donated: ReadonlySet<number>): void {
  if (inputs.length !== plan.inputs.length)
    throw new InternalError(
      `reference: the plan takes ${plan.inputs.length} buffers, but got ${inputs.length}.`,
    );
  for (const [i, slot] of plan.inputs.entries()) {
    const [want, got] = [plan.slots[slot], inputs[i]];
    if (want?.dtype !== got?.dtype || want?.size !== got?.size)
      throw new InternalError(
        `reference: argument ${i} must be ${want?.size} of ${want?.dtype}, but is ${got?.size} of ${got?.dtype}.`,
      );
    memoryOf(got);
    if (donated.has(i) && inputs.indexOf(got as Buffer) !== inputs.lastIndexOf(got as Buffer))
      throw new InternalError(`reference: argument ${i} is donated but is also another argument.`);
  }
}

function memoryOf(buffer: Buffer | undefined): TypedArray {
  if (!(buffer instanceof HostBuffer))
    throw new InternalError('reference: this buffer belongs to another backend.');
  if (!buffer.memory)
    throw new InternalError(
      `reference: a donated buffer (${buffer.size} of ${buffer.dtype}) was used again.`,
    );
  return buffer.memory;
}

function copyOf(dtype: DType, values: TypedArray): TypedArray {
  if (!(values instanceof dtypeInfo(dtype).array))
    throw new InternalError(`reference: upload of ${dtype} from a ${(values as object).constructor.name}.`);
  const memory = hostArray(dtype, values.length);
  memory.set(values);
  return memory;
}
