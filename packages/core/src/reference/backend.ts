import { type DType, dtypeInfo, dtypes, hostArray, type TypedArray } from '../dtype.ts';
import { InternalError } from '../errors.ts';
import type { Backend, Buffer, Executable } from '../ir/backend.ts';
import { checkPlan } from '../ir/checkPlan.ts';
import type { Place, Plan, Slot, Step, WorkStep } from '../ir/plan.ts';
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
  const run = runAll(plan.steps, plan, options);
  const donated = new Set(plan.slots.flatMap(({ place }) => (place.kind === 'donated' ? [place.index] : [])));
  return {
    run(inputs) {
      checkArguments(plan, inputs, donated);
      const values: Values = [];
      for (const [i, slot] of plan.inputs.entries()) values[slot] = memoryOf(inputs[i]);
      run(values);
      for (const i of donated) (inputs[i] as HostBuffer).memory = undefined;
      const made = new Map<number, Buffer>(plan.inputs.map((slot, i) => [slot, inputs[i] as Buffer]));
      return plan.outputs.map((slot) => {
        const buffer =
          made.get(slot) ?? new HostBuffer(plan.slots[slot]?.dtype as DType, values[slot] as TypedArray);
        made.set(slot, buffer);
        return buffer;
      });
    },
  };
}

/** The elements of each slot; those of a row are a view. */
type Values = (TypedArray | undefined)[];
type Run = (values: Values) => void;

function runAll(steps: readonly Step[], plan: Plan, options: InterpretOptions): Run {
  const runs = steps.map((step) => runOf(step, plan, options));
  return (values) => {
    for (const run of runs) run(values);
  };
}

/** A step as a function that changes the values. */
function runOf(step: Step, plan: Plan, options: InterpretOptions): Run {
  switch (step.kind) {
    case 'kernel':
      return runWork(step, prepare(step.kernel, options), plan);
    case 'host': {
      const { host } = step;
      const compute = (inputs: readonly TypedArray[]): TypedArray[] => {
        const outputs = host.outputs.map(({ dtype, shape }) => hostArray(dtype, sizeOf(shape)));
        host.run(inputs, outputs, host);
        return outputs;
      };
      return runWork(step, compute, plan);
    }
    case 'loop': {
      const body = runAll(step.body, plan, options);
      return (values) => {
        for (const row of step.rows) makeStack(values, row, plan);
        for (let pass = 0; pass < step.length; pass++) {
          for (const row of step.rows) values[row] = rowAt(values, row, pass, step.length, plan);
          body(values);
        }
      };
    }
    case 'while': {
      const [condition, body] = [step.condition, step.body].map((steps) => runAll(steps, plan, options)) as [
        Run,
        Run,
      ];
      return (values) => {
        for (;;) {
          condition(values);
          if (values[step.predicate]?.[0] === 0) return;
          body(values);
        }
      };
    }
    case 'branch': {
      const branches = step.branches.map((steps) => runAll(steps, plan, options));
      return (values) => branches[values[step.index]?.[0] as number]?.(values);
    }
    default:
      return step satisfies never;
  }
}

function runWork(
  { inputs, outputs }: WorkStep,
  compute: (inputs: readonly TypedArray[]) => TypedArray[],
  { slots }: Plan,
): Run {
  return (values) => {
    const results = compute(inputs.map((slot) => values[slot] as TypedArray));
    for (const [i, slot] of outputs.entries()) {
      if (slots[slot]?.place.kind === 'row') values[slot]?.set(results[i] as TypedArray);
      else values[slot] = results[i] as TypedArray;
    }
  };
}

function rowPlace(row: number, { slots }: Plan): { place: Extract<Place, { kind: 'row' }>; size: number } {
  const { place, size } = slots[row] as Slot;
  if (place.kind !== 'row') throw new InternalError(`reference: slot ${row} is no row.`);
  return { place, size };
}

/** Memory for the rows that a loop writes. */
function makeStack(values: Values, row: number, plan: Plan): void {
  const { of } = rowPlace(row, plan).place;
  const { dtype, size } = plan.slots[of] as Slot;
  values[of] ??= hostArray(dtype, size);
}

function rowAt(values: Values, row: number, pass: number, length: number, plan: Plan): TypedArray {
  const { place, size } = rowPlace(row, plan);
  const i = place.reverse ? length - 1 - pass : pass;
  return values[place.of]?.subarray(i * size, (i + 1) * size) as TypedArray;
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
