/**
 * The one interception point. Every operation is `bind(primitive, inputs, params)`, and the current interpreter
 * decides what that means: evaluate, push tangents, record, batch. Interpreters form a stack; each hands what it does
 * not care about to its parent, and the last one evaluates.
 */
import { showAval } from './aval.ts';
import type { TypedArray } from './dtype.ts';
import { RuleError, TracerError } from './errors.ts';
import { evaluate } from './evaluate.ts';
import { type BlockRules, Linear, type Params, type Primitive } from './primitive.ts';
import { Tensor } from './tensor.ts';

/** A batch axis that collectives such as `psum` can name. */
export interface NamedAxis {
  readonly name: string;
  readonly size: number;
}

/** An interpreter of primitives. */
export interface Trace {
  /** What the user called: `grad`, `jit`, `vmap`; for messages. */
  readonly name: string;
  /** The name and size of the batch axis that collectives find here. */
  readonly axis?: NamedAxis | undefined;
  bind(primitive: Primitive, inputs: readonly Tensor[], params: Params): Tensor[];
}

/** A value that only one interpreter knows what to do with. */
export abstract class Tracer extends Tensor {
  abstract readonly trace: Trace;

  override data(): Promise<TypedArray> {
    return Promise.reject(this.#unreadable('data()'));
  }

  override dataSync(): TypedArray {
    throw this.#unreadable('dataSync()');
  }

  override [Symbol.toPrimitive](hint: 'string' | 'number' | 'default'): string | number {
    if (hint === 'string') return this.toString();
    throw this.#unreadable('conversion to a number');
  }

  override toString(): string {
    return `${showAval(this.aval)} traced by ${this.trace.name}`;
  }

  #unreadable(what: string): TracerError {
    return new TracerError(
      `${this.trace.name}: ${what} needs a value, but ${showAval(this.aval)} is being traced; ` +
        `return it from the function and read it there, or use where(), cond() or whileLoop() in place of a JavaScript condition.`,
    );
  }
}

const root: Trace = {
  name: 'eval',
  bind(primitive, inputs, params) {
    if (primitive.kind === 'block')
      return withTrace(root, () => (primitive as Primitive & BlockRules).apply(inputs, params));
    return evaluate(primitive, inputs, params);
  },
};

let current: Trace = root;
const open = new Set<Trace>();

export function currentTrace(): Trace {
  return current;
}

/** Runs `f` with `trace` as the interpreter. */
export function withTrace<T>(trace: Trace, f: () => T): T {
  const before = current;
  current = trace;
  try {
    return f();
  } finally {
    current = before;
  }
}

/**
 * Runs a user's function under a new interpreter; when it returns, the interpreter is closed, and tracers of it that
 * the function let out are refused wherever they turn up.
 */
export function runTraced<T>(trace: Trace, f: () => T): T {
  open.add(trace);
  try {
    return withTrace(trace, f);
  } finally {
    open.delete(trace);
  }
}

/** The innermost open axis of that name. */
export function findAxis(name: string): NamedAxis | undefined {
  return [...open].findLast((trace) => trace.axis?.name === name)?.axis;
}

/** The names of open axes. */
export function namedAxes(): string[] {
  return [...open].flatMap(({ axis }) => (axis ? [JSON.stringify(axis.name)] : []));
}

/** The named axes around a call, as text: part of the signature of what is traced inside. */
export function axisEnvironment(): string {
  let text = '';
  for (const { axis } of open) if (axis) text += `${JSON.stringify(axis.name)}:${axis.size} `;
  return text;
}

/** @throws {TracerError} if what a user's function returned is a promise. */
export function refusePromise(result: unknown): void {
  if (!(result instanceof Promise)) return;
  result.catch(() => undefined); // what fails in there is a consequence of being traced
  throw new TracerError(
    `${current.name}: the function returned a promise, but traced functions are synchronous; ` +
      `await data before the call and pass it in.`,
  );
}

/** @throws {TracerError} if `x` outlived the function that made it. */
export function checkOpen(x: Tensor): void {
  if (x instanceof Tracer && !open.has(x.trace))
    throw new TracerError(
      `${x.trace.name}: a traced value ${showAval(x.aval)} was used after its function had returned; ` +
        `it was kept in an outer variable. Return it from the function instead.`,
    );
}

/** Applies a primitive in the current interpreter. */
export function bind(primitive: Primitive, inputs: readonly Tensor[], params: Params = {}): Tensor[] {
  for (const x of inputs) {
    checkOpen(x);
    if ((x as unknown) instanceof Linear)
      throw new RuleError(
        `${primitive.name}: cannot be transposed, because it is not linear: its operands depend on what it is transposed with ` +
          `respect to in more than one place; differentiate with grad() or vjp() instead.`,
      );
  }
  return current.bind(primitive, inputs, params);
}

/** `bind` of a primitive with one result. */
export function bind1(primitive: Primitive, inputs: readonly Tensor[], params: Params = {}): Tensor {
  return bind(primitive, inputs, params)[0] as Tensor;
}
