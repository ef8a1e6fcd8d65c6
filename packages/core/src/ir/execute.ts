/** Compiles and runs programs. */
import { type Aval, showAval } from '../aval.ts';
import { ConcreteTensor } from '../concrete.ts';
import { Lru } from '../lru.ts';
import type { Params, Primitive } from '../primitive.ts';
import type { CallParams } from '../primitives/call.ts';
import { sizeOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { allocate } from './allocate.ts';
import type { Backend, Buffer, Executable } from './backend.ts';
import { bufferOf, checkDType, commonBackend, isShared } from './device.ts';
import { fuse } from './fuse.ts';
import { launchCopy } from './launch.ts';
import { hostRoutine, lower } from './lower.ts';
import { splitOutputs } from './outputs.ts';
import type { Plan, Slot, Step } from './plan.ts';
import { type Program, programsIn, Var } from './program.ts';
import { simplify } from './simplify.ts';

/** A plan with one step: how primitives run one at a time. */
export function singleStepPlan(
  primitive: Primitive,
  inputs: readonly Aval[],
  params: Params,
  outputs: readonly Aval[],
): Plan {
  const slot = ({ dtype, shape }: Aval, place: Slot['place']): Slot => ({
    dtype,
    size: sizeOf(shape),
    place,
  });
  const ends = {
    inputs: inputs.map((_, i) => i),
    outputs: outputs.map((_, i) => inputs.length + i),
  };
  const step: Step =
    primitive.kind === 'host'
      ? { kind: 'host', host: hostRoutine(primitive, inputs, params, outputs), ...ends }
      : {
          kind: 'kernel',
          kernel: (primitive.lower as NonNullable<typeof primitive.lower>)(inputs, params),
          ...ends,
        };
  return {
    slots: [
      ...inputs.map((aval, index) => slot(aval, { kind: 'input', index })),
      ...outputs.map((aval) => slot(aval, { kind: 'output' })),
    ],
    steps: [step],
    ...ends,
    arenaBytes: 0,
  };
}

/** The kernels of a program, fused, and a place for every value. */
export function planProgram(
  program: Program,
  donate: readonly boolean[] = [],
  { multipleOutputs, fusesEpilogue }: Pick<Backend, 'multipleOutputs' | 'fusesEpilogue'> = {
    multipleOutputs: true,
  },
): Plan {
  const donated = new Set(program.inputs.filter((_, i) => donate[i]));
  const fused = fuse(lower(simplify(program)), fusesEpilogue, donated);
  return allocate(multipleOutputs ? fused : splitOutputs(fused), donate);
}

const compiled = new WeakMap<Program, Map<Backend, Map<string, Executable>>>();

function compile(program: Program, backend: Backend, donate: readonly boolean[]): Executable {
  const byBackend = compiled.get(program) ?? new Map<Backend, Map<string, Executable>>();
  compiled.set(program, byBackend);
  const byDonation = byBackend.get(backend) ?? new Map<string, Executable>();
  byBackend.set(backend, byDonation);
  const key = donate.map(Number).join('');
  const known = byDonation.get(key);
  if (known) return known;
  checkDTypes(program, backend);
  const executable = backend.compile(planProgram(program, donate, backend));
  byDonation.set(key, executable);
  return executable;
}

/** @throws {DTypeError} if the backend lacks a dtype that occurs in the program, or in a program inside of it. */
function checkDTypes({ inputs, equations }: Program, backend: Backend): void {
  for (const v of [...inputs, ...equations.flatMap((e) => e.outputs)]) checkDType(backend, v.aval.dtype);
  for (const { params } of equations) for (const inner of programsIn(params)) checkDTypes(inner, backend);
}

/** A plan for one primitive that contains programs: how loops and branches run outside of `jit`. */
export function controlPlan(
  primitive: Primitive,
  avals: readonly Aval[],
  params: Params,
  outputs: readonly Aval[],
  backend: Backend,
): Plan {
  const inputs = avals.map((aval) => new Var(aval));
  const made = outputs.map((aval) => new Var(aval));
  const program: Program = {
    inputs,
    equations: [{ primitive, inputs, params, outputs: made }],
    outputs: made,
  };
  checkDTypes(program, backend);
  return planProgram(program, [], backend);
}

/** Runs a staged program on tensors that have values. */
export function executeProgram({ name, program, donate }: CallParams, inputs: readonly Tensor[]): Tensor[] {
  const backend = commonBackend(inputs);
  const executable = compile(program, backend, donate);
  const buffers = inputs.map((x) => bufferOf(x, backend));
  const repeated = repeatedIn(buffers);
  // Memory that another argument or scalar constants share cannot be given away.
  const args = buffers.map((buffer, i) =>
    donate[i] && (repeated.has(buffer) || isShared(buffer)) ? copy(backend, buffer) : buffer,
  );
  const results = executable.run(args);
  const returned = new Set(results);
  for (const [i, buffer] of args.entries()) if (donate[i] && !returned.has(buffer)) buffer.donatedTo = name;
  return program.outputs.map(({ aval }, i) => new ConcreteTensor(aval, backend, results[i] as Buffer));
}

/** What occurs more than once. */
function repeatedIn<T>(items: readonly T[]): ReadonlySet<T> {
  const [once, repeated] = [new Set<T>(), new Set<T>()];
  for (const item of items) (once.has(item) ? repeated : once).add(item);
  return repeated;
}

const maxCopiers = 64;
/** What copies buffers, by dtype and size. */
const copiers = new WeakMap<Backend, Lru<Executable>>();

/** The same elements in memory of their own, by a kernel, because not every backend can be read at once. */
function copy(backend: Backend, buffer: Buffer): Buffer {
  const known = copiers.get(backend) ?? new Lru<Executable>(maxCopiers);
  copiers.set(backend, known);
  const { dtype, size } = buffer;
  const key = showAval({ dtype, shape: [size] });
  const copier = known.get(key) ?? backend.compile(copyPlan({ dtype, shape: [size] }));
  known.set(key, copier);
  return copier.run([buffer])[0] as Buffer;
}

function copyPlan(aval: Aval): Plan {
  const [source, made] = [new Var(aval), new Var(aval)];
  return allocate({ inputs: [source], launches: [launchCopy(source, made)], outputs: [made] }, []);
}
