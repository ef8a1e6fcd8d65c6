/**
 * The interpreter at the bottom: every primitive becomes a plan (of one step, unless it is a loop or branch), compiled
 * once for each structure.
 */
import { type Aval, showAval } from './aval.ts';
import { ConcreteTensor, LiteralTensor } from './concrete.ts';
import { TracerError } from './errors.ts';
import type { Backend, Executable } from './ir/backend.ts';
import { bufferOf, checkDType, commonBackend } from './ir/device.ts';
import { controlPlan, executeProgram, singleStepPlan } from './ir/execute.ts';
import { identityOf, idOf } from './ir/identity.ts';
import type { Params, Primitive } from './primitive.ts';
import type { CallParams } from './primitives/call.ts';
import { checkShape } from './shape.ts';
import type { Tensor } from './tensor.ts';

const executables = new WeakMap<Backend, Map<string, Executable>>();
/** Beyond it the oldest goes; moving an entry to the end at each use would make V8's Map slow. */
const maxExecutables = 4096;

export function evaluate(primitive: Primitive, inputs: readonly Tensor[], params: Params): Tensor[] {
  for (const x of inputs)
    if (!(x instanceof ConcreteTensor || x instanceof LiteralTensor))
      throw new TracerError(
        `${primitive.name}: got ${x}, which has no value here; it escaped from the function that is being traced: ` +
          `return it from there, or, where it is used inside a custom rule or another traced function, pass it as an argument.`,
      );
  if (primitive.kind === 'call') return executeProgram(params as CallParams, inputs);
  const backend = commonBackend(inputs);
  const avals = inputs.map((x) => x.aval);
  const outputs = primitive.shape(avals, params);
  if (primitive.kind === 'alias')
    return outputs.map((aval, i) => concrete(inputs[i] as Tensor, backend).withShape(aval.shape));
  const executable = lookUp(backend, primitive, avals, params, outputs);
  const buffers = executable.run(inputs.map((x) => bufferOf(x, backend)));
  return outputs.map((aval, i) => new ConcreteTensor(aval, backend, buffers[i] as never));
}

function concrete(x: Tensor, backend: Backend): ConcreteTensor {
  return x instanceof ConcreteTensor ? x : new ConcreteTensor(x.aval, backend, bufferOf(x, backend));
}

function lookUp(
  backend: Backend,
  primitive: Primitive,
  avals: readonly Aval[],
  params: Params,
  outputs: readonly Aval[],
): Executable {
  const cache = executables.get(backend) ?? new Map<string, Executable>();
  executables.set(backend, cache);
  const key = `${idOf(primitive)} ${avals.map(showAval).join(' ')} ${identityOf(params)}`;
  const known = cache.get(key);
  if (known) return known;
  for (const { shape } of outputs) checkShape(primitive.name, shape);
  for (const { dtype } of [...avals, ...outputs]) checkDType(backend, dtype);
  const plan =
    primitive.kind === 'control'
      ? controlPlan(primitive, avals, params, outputs, backend)
      : singleStepPlan(primitive, avals, params, outputs);
  const executable = backend.compile(plan);
  if (cache.size >= maxExecutables) cache.delete(cache.keys().next().value as string);
  cache.set(key, executable);
  return executable;
}
