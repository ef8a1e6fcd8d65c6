/** Functions whose derivative is given with them. The rules are functions, so they batch and differentiate themselves. */
import type { Aval } from '../aval.ts';
import { isFloat } from '../dtype.ts';
import { RuleError } from '../errors.ts';
import { evaluateProgram } from '../ir/interpret.ts';
import type { Program } from '../ir/program.ts';
import { record } from '../ir/record.ts';
import type { BlockRules, Params, Primitive, Zero } from '../primitive.ts';
import type { Tensor } from '../tensor.ts';
import { bind } from '../trace.ts';
import { instantiate } from '../transforms/jvp.ts';
import { batchingAxis, placeBatch, vmapFlat } from '../transforms/vmap.ts';
import { reduceSum } from './reduce.ts';

type Flat = (xs: readonly Tensor[]) => Tensor[];
type Axes = readonly (number | null)[];

interface Custom {
  /** `customVjp(f)`, for messages. */
  readonly name: string;
  /** The function. Its first `captured` inputs are values from outside, which have no derivative. */
  readonly f: Flat;
  readonly captured: number;
  /** `f`, once it has been written into a program. */
  readonly program?: Program;
}

/** A function and its forward derivative. */
export interface CustomJvpParams extends Custom, Params {
  /** (primals, tangents) -> [results, tangents of the results] */
  readonly rule: (primals: readonly Tensor[], tangents: readonly Tensor[]) => [Tensor[], Tensor[]];
}

/** A function and its reverse derivative. */
export interface CustomVjpParams extends Custom, Params {
  /** primals -> [results, residuals] */
  readonly forward: (primals: readonly Tensor[]) => [Tensor[], Tensor[]];
  readonly backward: Backward;
}

/** (residuals, cotangents) -> cotangents of the primals */
type Backward = (residuals: readonly Tensor[], cotangents: readonly Tensor[]) => (Tensor | Zero)[];

export const customJvpPrimitive: Primitive<CustomJvpParams> & BlockRules<CustomJvpParams> = {
  name: 'customJvp',
  kind: 'block',
  shape: shapeOf,
  apply: (inputs, { f }) => f(inputs),
  stage: stageFunction,
  jvp: (inputs, given, params) => {
    const [primals, tangents] = withoutCaptured(inputs, given, params);
    const dxs = tangents.map((t, i) => instantiate(t, (primals[i] as Tensor).aval));
    const [ys, dys] = params.rule(primals, dxs);
    return [ys, dys.map((dy) => (isFloat(dy.dtype) ? dy : null))];
  },
  batch: (inputs, axes, size, params) => {
    const { rule, captured } = params;
    const own = axes.slice(captured);
    const axisName = batchingAxis();
    const batchedRule: CustomJvpParams['rule'] = (primals, tangents) => {
      const both = batched(
        (xs) => rule(xs.slice(0, own.length), xs.slice(own.length)).flat(),
        [...own, ...own],
        size,
        axisName,
      );
      const results = both([...primals, ...tangents]);
      return [results.slice(0, results.length / 2), results.slice(results.length / 2)];
    };
    const results = bind(customJvpPrimitive, inputs, {
      ...batchedFunction(params, axes, size),
      rule: batchedRule,
    });
    return [results, results.map(() => 0)];
  },
};

export const customVjpPrimitive: Primitive<CustomVjpParams> & BlockRules<CustomVjpParams> = {
  name: 'customVjp',
  kind: 'block',
  shape: shapeOf,
  apply: (inputs, { f }) => f(inputs),
  stage: stageFunction,
  jvp: (inputs, given, params) => {
    const [primals, tangents] = withoutCaptured(inputs, given, params);
    const [ys, residuals] = params.forward(primals);
    const dys = bind(tangentPrimitive, [...residuals, ...tangents.filter((t) => t !== null)], {
      name: params.name,
      backward: params.backward,
      residuals: residuals.length,
      active: tangents.map((t) => t !== null),
      outputs: ys.map((y) => y.aval),
    });
    let next = 0;
    return [ys, ys.map((y) => (isFloat(y.dtype) ? (dys[next++] as Tensor) : null))];
  },
  batch: (inputs, axes, size, params) => {
    const own = axes.slice(params.captured);
    const axisName = batchingAxis();
    const forward: CustomVjpParams['forward'] = (primals) => {
      let count = 0;
      const whole = batched(
        (xs) => {
          const [ys, residuals] = params.forward(xs);
          count = ys.length;
          return [...ys, ...residuals];
        },
        own,
        size,
        axisName,
      )(primals);
      return [whole.slice(0, count), whole.slice(count)];
    };
    const results = bind(customVjpPrimitive, inputs, {
      ...batchedFunction(params, axes, size),
      forward,
      backward: batchedBackward(params.backward, own, size),
    });
    return [results, results.map(() => 0)];
  },
};

interface TangentParams extends Params {
  readonly name: string;
  readonly backward: Backward;
  /** How many of the inputs are residuals; the others are tangents, of the primals that are active. */
  readonly residuals: number;
  readonly active: readonly boolean[];
  readonly outputs: readonly Aval[];
}

/** The derivative of a {@link customVjpPrimitive}: a linear map of which only the transpose is known. */
const tangentPrimitive: Primitive<TangentParams> = {
  name: 'customVjpTangent',
  kind: 'kernel',
  shape: (_, { outputs }) => outputs.filter(({ dtype }) => isFloat(dtype)),
  jvp: (_, __, { name }) => noForward(name),
  lower: (_, { name }) => noForward(name),
  transpose: (given, inputs, { backward, residuals, active, outputs }) => {
    let next = 0;
    const cts = outputs.map((aval) =>
      instantiate(isFloat(aval.dtype) ? (given[next++] ?? null) : null, aval),
    );
    const found = backward(inputs.slice(0, residuals) as Tensor[], cts);
    return [...inputs.slice(0, residuals).map(() => null), ...found.filter((_, i) => active[i])];
  },
  batch: (inputs, axes, size, params) => {
    const { residuals, active, outputs, backward } = params;
    const front = inputs.map((x, i) => placeBatch(x, axes[i] ?? null, 0, size));
    const results = bind(tangentPrimitive, front, {
      ...params,
      backward: batchedBackward(
        backward,
        active.map(() => 0),
        size,
      ),
      residuals,
      outputs: outputs.map(({ shape, dtype }) => ({ shape: [size, ...shape], dtype })),
    });
    return [results, results.map(() => 0)];
  },
};

function noForward(name: string): never {
  throw new RuleError(
    `${name}: has only a reverse derivative, but jvp, jacfwd, hvp or hessian asked for the forward one; ` +
      `use vjp, grad or jacrev, or define the function with customJvp, which serves both.`,
  );
}

function shapeOf(inputs: readonly Aval[], { name, f, program }: Custom): Aval[] {
  const written = program ?? record(name, inputs, f).program;
  return written.outputs.map((a) => a.aval);
}

function stageFunction<P extends Custom & Params>(
  inputs: readonly Tensor[],
  params: P,
): [readonly Tensor[], P] {
  if (params.program) return [inputs, params];
  const { program, captured } = record(
    params.name,
    inputs.map((x) => x.aval),
    params.f,
  );
  const f: Flat = (xs) => evaluateProgram(program, xs);
  return [[...captured, ...inputs], { ...params, program, f, captured: captured.length }];
}

/** @throws {RuleError} if a captured value has a tangent: the rules do not know of it. */
function withoutCaptured(
  primals: readonly Tensor[],
  tangents: readonly (Tensor | Zero)[],
  { name, captured }: Custom,
): [readonly Tensor[], readonly (Tensor | Zero)[]] {
  if (tangents.slice(0, captured).some((t) => t !== null))
    throw new RuleError(
      `${name}: the function uses a value from outside that is being differentiated, and its rule cannot know of it; ` +
        `pass the value as an argument, or through stopGradient().`,
    );
  return [primals.slice(captured), tangents.slice(captured)];
}

/** A function over a batch; every result has its batch in front. */
function batched(f: Flat, axes: Axes, size: number, axisName: string | null = batchingAxis()): Flat {
  return (inputs) => {
    const [ys, found] = vmapFlat((...xs) => f(xs), inputs, axes, size, axisName);
    return ys.map((y, i) => placeBatch(y, found[i] ?? null, 0, size));
  };
}

/** The function over a batch, not yet written into a program. */
function batchedFunction<P extends Custom>(params: P, axes: Axes, size: number): P {
  const { program: _, ...rest } = params;
  return { ...(rest as P), f: batched(params.f, axes, size) };
}

/** Cotangents of a batch: those of what all examples share are summed. Residuals and cotangents have the batch in front. */
function batchedBackward(backward: Backward, axes: Axes, size: number): Backward {
  const axisName = batchingAxis();
  return (residuals, cotangents) => {
    const count = residuals.length;
    let given: boolean[] = [];
    const all = [...residuals, ...cotangents];
    const found = batched(
      (xs) => {
        const cts = backward(xs.slice(0, count), xs.slice(count));
        given = cts.map((ct) => ct !== null);
        return cts.filter((ct) => ct !== null);
      },
      all.map(() => 0),
      size,
      axisName,
    )(all);
    let next = 0;
    return given.map((is, i) => {
      if (!is) return null;
      const ct = found[next++] as Tensor;
      const axis = axes[i] ?? null;
      return axis === null ? reduceSum(ct, [0]) : placeBatch(ct, 0, axis, size);
    });
  };
}
