/**
 * The laws: sentences about every row of the table, each a function of one sample.
 *
 * Laws about results take any values and compare on the backend's dtypes; laws about derivatives take float64 samples
 * from where the function is smooth, and are left out where a backend has no float64.
 */
import fc from 'fast-check';
import { checkGradients, inner } from './checkGradients.ts';
import { difference, type ErrorModel } from './compare.ts';
import {
  arithmetic,
  type Backend,
  checkKernel,
  checkProgram,
  currentTrace,
  getBackend,
  grad,
  isFloat,
  jit,
  jvp,
  Linear,
  linearize,
  makeProgram,
  movement,
  type Program,
  reduce,
  reference,
  sameAval,
  scalar,
  setBackend,
  showAval,
  showProgram,
  Tensor,
  type Trace,
  transposeProgram,
  vjp,
  vmap,
  withTrace,
} from './core.ts';
import { download, type HostTensor, showHost, stack, upload } from './host.ts';
import { directions } from './random.ts';
import { draw, drawOperand, type Form, type Operand, type Row, Sample } from './row.ts';

/** A sentence that holds for the samples of every row that it says something about. */
export interface Law {
  readonly name: string;
  /** Samples drawn for each row. */
  readonly runs: number;
  /** `undefined` if the law says nothing about the row. */
  readonly samples: (row: Row, backend: Backend) => fc.Arbitrary<Sample> | undefined;
  /** @throws if the law does not hold. */
  readonly holds: (sample: Sample, row: Row, backend: Backend) => void | Promise<void>;
}

const yardstick = reference();

/* ---- samples ---- */

/** Forms with any values, of the dtypes that row and backend share. */
function anyForms(row: Row, backend: Backend): fc.Arbitrary<Form> | undefined {
  const dtypes = row.dtypes.filter((d) => backend.dtypes.has(d));
  return dtypes.length === 0 ? undefined : fc.constantFrom(...dtypes).chain((dtype) => row.values(dtype));
}

function anySamples(row: Row, backend: Backend): fc.Arbitrary<Sample> | undefined {
  const forms = anyForms(row, backend);
  return forms && draw(forms);
}

function smoothSamples({ smooth }: Row, backend: Backend): fc.Arbitrary<Sample> | undefined {
  return smooth && backend.dtypes.has('float64') ? draw(smooth) : undefined;
}

/** A form of the row: whether it has operands, or a definition, is the same for all. */
function exampleOf(forms: fc.Arbitrary<Form>): Form {
  return fc.sample(forms, { numRuns: 1, seed: 1 })[0] as Form;
}

/* ---- running ---- */

type Results = Tensor | readonly Tensor[];

const list = (results: Results): Tensor[] => (results instanceof Tensor ? [results] : [...results]);

/** Runs `f` with `backend` as the current one. */
function on<T>(backend: Backend, f: () => T): T {
  const before = getBackend();
  setBackend(backend);
  try {
    return f();
  } finally {
    setBackend(before);
  }
}

function run(backend: Backend, f: (...xs: Tensor[]) => Results, inputs: readonly HostTensor[]): Promise<HostTensor[]> {
  return download(on(backend, () => list(f(...upload(backend, inputs)))));
}

async function expectEqual(
  actual: readonly HostTensor[],
  expected: readonly HostTensor[],
  model: ErrorModel,
  sample: Sample,
): Promise<void> {
  const scale = model === 'sum' ? await scaleOf(sample) : undefined;
  const found = difference(actual, expected, model, scale);
  if (found !== undefined) throw new Error(found);
}

/** The same function of absolute values, and a bound for the number of terms in one element of the result. */
async function scaleOf({ form, inputs }: Sample): Promise<{ of: HostTensor[]; terms: number }> {
  const absolute = inputs.map((x) => (isFloat(x.dtype) ? { ...x, values: x.values.map(Math.abs) } : x));
  return { of: await run(yardstick, form.f, absolute), terms: 2 + Math.max(...inputs.map((x) => x.values.length)) };
}

/** Directions as large as `like`; the same for the same numbers. */
function directionsLike(like: readonly HostTensor[], seed: number): HostTensor[] {
  const random = directions(seed);
  return like.map((x) => (isFloat(x.dtype) ? { ...x, values: x.values.map(() => random()) } : x));
}

/** Near the results of one computation in float64, made in another order. */
const sameMath: ErrorModel = { relative: 2 ** -36 };

/* ---- laws about results ---- */

/** The result is what plain loops give. */
const definition: Law = {
  name: 'result ≡ its definition',
  runs: 20,
  samples: (row, backend) => {
    const forms = anyForms(row, backend);
    return forms && exampleOf(forms).define ? draw(forms) : undefined;
  },
  async holds(sample, row, backend) {
    const { define, f } = sample.form;
    if (!define) return;
    const actual = await run(backend, f, sample.inputs);
    const expected = define(...sample.inputs).map((values, i) => {
      const { dtype, shape, values: got } = actual[i] as HostTensor;
      const typed = got.constructor as new (xs: ArrayLike<number>) => HostTensor['values'];
      return { dtype, shape, values: new typed(values) };
    });
    await expectEqual(actual, expected, row.error, sample);
  },
};

/** The result is that of the reference backend. */
const sameAsReference: Law = {
  name: 'result ≡ reference',
  runs: 30,
  samples: (row, backend) => (backend.name === yardstick.name ? undefined : anySamples(row, backend)),
  async holds(sample, row, backend) {
    const expected = await run(yardstick, sample.form.f, sample.inputs);
    await expectEqual(await run(backend, sample.form.f, sample.inputs), expected, row.error, sample);
  },
};

/** The shape rule tells the result, and every kernel computes what its shape rule says. */
const shapes: Law = {
  name: 'shape rule ≡ result',
  runs: 15,
  samples: anySamples,
  async holds({ form, inputs }, _, backend) {
    const actual = await run(backend, form.f, inputs);
    const program = on(backend, () => makeProgram(asTuple(form.f), ...upload(backend, inputs)));
    for (const [i, output] of program.outputs.entries()) {
      const got = actual[i] as HostTensor;
      const size = got.shape.reduce((n, extent) => n * extent, 1);
      if (!sameAval(output.aval, got) || got.values.length !== size)
        throw new Error(`result ${i} is ${showHost(got)}, but its shape rule says ${showAval(output.aval)}`);
    }
    for (const { primitive, inputs: atoms, params, outputs } of program.equations) {
      const kernel = primitive.lower?.(atoms.map((a) => a.aval), params);
      if (!kernel) continue;
      checkKernel(kernel);
      const avals = kernel.outputs.map(({ dtype }) => ({ shape: kernel.axes, dtype }));
      if (!outputs.every((v, i) => avals[i] && sameAval(v.aval, avals[i])))
        throw new Error(`${primitive.name}: its kernel gives ${avals.map(showAval)}, its shape rule ${outputs.map((v) => showAval(v.aval))}`);
    }
  },
};

/** `f` for `makeProgram` and `jit`: always a tuple. */
const asTuple =
  (f: Form['f']) =>
  (...xs: Tensor[]): Tensor[] =>
    list(f(...xs));

/** Staging changes nothing. */
const jitIsEager: Law = {
  name: 'jit ≡ eager',
  runs: 15,
  samples: anySamples,
  async holds(sample, row, backend) {
    const { f } = sample.form;
    const eager = await run(backend, f, sample.inputs);
    await expectEqual(await run(backend, jit(asTuple(f)), sample.inputs), eager, row.error, sample);
  },
};

/** Giving arguments away changes nothing, and what was not taken is intact. */
const donation: Law = {
  name: 'donated ≡ not donated',
  runs: 8,
  samples: (row, backend) => {
    const forms = anyForms(row, backend);
    return forms && exampleOf(forms).operands.length > 0 ? draw(forms) : undefined;
  },
  async holds(sample, _, backend) {
    const { form, inputs } = sample;
    const kept = await run(backend, jit(asTuple(form.f)), inputs);
    const args = upload(backend, inputs);
    const donated = jit(asTuple(form.f), { donate: args.map((_, i) => i) });
    await expectEqual(await download(on(backend, () => donated(...args))), kept, 'exact', sample);
    for (const [i, x] of args.entries()) {
      let after: HostTensor[];
      try {
        after = await download(x);
      } catch (error) {
        if (error instanceof Error && error.name === 'DonatedError') continue;
        throw error;
      }
      await expectEqual(after, [inputs[i] as HostTensor], 'exact', sample);
    }
  },
};

/* ---- vmap ---- */

/** Where one `vmap` finds its batch: the size, an axis or null for each operand, and the axis of the results. */
interface Level {
  readonly size: number;
  readonly inAxes: readonly (number | null)[];
  readonly outAxis: 0 | -1;
}

/** A form one level up: each mapped operand holds `size` examples. */
class BatchedForm implements Form {
  readonly text: string;
  readonly operands: readonly Operand[];
  readonly inner: Form;
  readonly level: Level;

  constructor(inner: Form, level: Level) {
    const { size, inAxes } = level;
    this.inner = inner;
    this.level = level;
    this.text = `vmap[${inAxes.map(String)} of ${size} -> ${level.outAxis}] ${inner.text}`;
    this.operands = inner.operands.map((operand, i) => {
      const axis = inAxes[i] ?? null;
      if (axis === null) return operand;
      const { dtype, shape } = operand;
      const place = axis < 0 ? axis + shape.length + 1 : axis;
      return {
        dtype,
        shape: [...shape.slice(0, place), size, ...shape.slice(place)],
        values: fc
          .array(drawOperand(operand), { minLength: size, maxLength: size })
          .map((examples) => stack(examples, place).values),
      };
    });
  }

  readonly f = (...xs: Tensor[]): Tensor[] => {
    const { inAxes, outAxis } = this.level;
    return vmap(asTuple(this.inner.f), { inAxes, outAxes: outAxis })(...xs);
  };

  /** The operands of example `b`. */
  example(inputs: readonly HostTensor[], b: number): HostTensor[] {
    return inputs.map((x, i) => {
      const { dtype, shape } = this.inner.operands[i] as Operand;
      const axis = this.level.inAxes[i] ?? null;
      if (axis === null) return x;
      return { dtype, shape, values: take(x, axis < 0 ? axis + x.shape.length : axis, b) };
    });
  }
}

/** The elements at position `b` along an axis. */
function take({ shape, values }: HostTensor, axis: number, b: number): HostTensor['values'] {
  const size = shape[axis] as number;
  const inner = shape.slice(axis + 1).reduce((n, extent) => n * extent, 1);
  return values.filter((_, place) => Math.floor(place / inner) % size === b);
}

/** The form under one level of vmap, over a subset of its operands that is not empty. */
function batched(form: Form): fc.Arbitrary<BatchedForm> {
  const axes = form.operands.map(({ shape }) => {
    const rank = shape.length;
    return fc.option(fc.oneof(fc.integer({ min: 0, max: rank }), fc.integer({ min: -rank - 1, max: -1 })), { freq: 3 });
  });
  return fc
    .record({
      size: fc.integer({ min: 1, max: 3 }),
      drawn: fc.tuple(...axes),
      outAxis: fc.constantFrom(0 as const, -1 as const),
      first: fc.nat(),
    })
    .map(({ size, drawn, outAxis, first }) => {
      const inAxes = drawn.every((axis) => axis === null)
        ? drawn.map((_, i) => (i === first % drawn.length ? 0 : null))
        : drawn;
      return new BatchedForm(form, { size, inAxes, outAxis });
    });
}

/** A batch at once gives what its examples give one by one; also under another vmap. */
const vmapIsLoop: Law = {
  name: 'vmap ≡ loop',
  runs: 25,
  samples: (row, backend) => {
    const forms = anyForms(row, backend);
    if (!forms || exampleOf(forms).operands.length === 0) return undefined;
    return draw(forms.chain((form) => fc.boolean().chain((twice) => (twice ? batched(form).chain(batched) : batched(form)))));
  },
  async holds(sample, row, backend) {
    const form = sample.form as BatchedForm;
    const { size, outAxis } = form.level;
    const whole = await run(backend, form.f, sample.inputs);
    const examples = await Promise.all(
      Array.from({ length: size }, (_, b) => run(backend, form.inner.f, form.example(sample.inputs, b))),
    );
    const stacked = whole.map((_, i) => {
      const results = examples.map((results) => results[i] as HostTensor);
      return stack(results, outAxis === 0 ? 0 : (results[0] as HostTensor).shape.length);
    });
    await expectEqual(whole, stacked, row.error, sample);
  },
};

/* ---- derivatives ---- */

/** `jvp`, `vjp` and `linearize` are one linear map: `⟨J v, u⟩ = ⟨v, Jᵀ u⟩`. */
const adjoint: Law = {
  name: '⟨Jv, u⟩ = ⟨v, Jᵀu⟩ and linearize ≡ jvp',
  runs: 10,
  samples: smoothSamples,
  async holds(sample, row, backend) {
    const { form, inputs } = sample;
    const f = asTuple(form.f);
    await onAsync(backend, async () => {
      const xs = upload(backend, inputs);
      const vs = upload(backend, directionsLike(inputs, 1));
      const value = await download(form.f(...xs));
      const [ys, dys] = jvp(f, xs, vs) as [Tensor[], Tensor[]];
      const [linearYs, df] = linearize(f, ...xs) as [Tensor[], (...t: Tensor[]) => Tensor[]];
      const [pulledYs, back] = vjp(f, ...xs) as [Tensor[], (cts: Tensor[]) => Tensor[]];
      for (const results of [ys, linearYs, pulledYs]) await expectEqual(await download(results), value, sameMath, sample);
      const tangents = await download(dys);
      await expectEqual(await download(df(...vs)), tangents, sameMath, sample);
      // The linear map can be applied again.
      await expectEqual(await download(df(...vs)), tangents, sameMath, sample);
      const us = upload(backend, directionsLike(value, 2));
      const cts = back(us);
      for (const [i, ct] of cts.entries())
        if (!sameAval(ct.aval, (xs[i] as Tensor).aval)) throw new Error(`the cotangent of operand ${i} is ${showAval(ct.aval)}`);
      const floatsOf = (some: readonly Tensor[], like: readonly Tensor[]): Tensor[] =>
        some.filter((_, i) => isFloat((like[i] as Tensor).dtype));
      const [left, leftScale] = inner(floatsOf(dys, ys), floatsOf(us, ys));
      const [right, rightScale] = inner(floatsOf(vs, xs), floatsOf(cts, xs));
      const allowed = (row.rounds ? 2 ** -20 : 2 ** -36) * Math.max(leftScale, rightScale);
      if (!(Math.abs(left - right) <= allowed)) throw new Error(`⟨Jv, u⟩ = ${left}, but ⟨v, Jᵀu⟩ = ${right}`);
    });
  },
};

/** {@link on} for what waits. */
async function onAsync(backend: Backend, f: () => Promise<void>): Promise<void> {
  const before = getBackend();
  setBackend(backend);
  try {
    await f();
  } finally {
    setBackend(before);
  }
}

/** The transpose of a function that is linear in some operands is its adjoint, and the transpose of that the function. */
const transposes: Law = {
  name: 'transpose is adjoint, twice',
  runs: 10,
  samples: (row, backend) => (row.linear ? smoothSamples(row, backend) : undefined),
  async holds(sample, row, backend) {
    const { form, inputs } = sample;
    const f = asTuple(form.f);
    await onAsync(backend, async () => {
      const xs = upload(backend, inputs);
      for (const set of row.linear ?? []) {
        const isLinear = (i: number): boolean => (form.operands.length === 1 ? true : set.includes(i));
        const zero = xs.map((x, i) => (isLinear(i) ? arithmetic.mul(x, scalar(0, x.dtype)) : x));
        // What is affine in the set is linear after its constant is taken away.
        const ys = f(...xs).map((y, i) => arithmetic.sub(y, f(...zero)[i] as Tensor));
        const us = upload(backend, directionsLike(await download(ys), 3));
        const cts = transposeAt(f, xs, isLinear, us);
        const active = xs.filter((_, i) => isLinear(i));
        const [left, scale] = inner(ys, us);
        const [right] = inner(active, cts);
        const tolerance = row.rounds ? 2 ** -20 : 2 ** -40;
        if (!(Math.abs(left - right) <= tolerance * scale))
          throw new Error(`operands ${set}: ⟨f(x), u⟩ = ${left}, but ⟨x, fᵀ(u)⟩ = ${right}`);
        const [, back] = vjp((...given: Tensor[]) => transposeAt(f, xs, isLinear, given), ...us);
        const twice = back(active) as Tensor[];
        await expectEqual(await download(twice), await download(ys), row.rounds ? { relative: 2 ** -20 } : sameMath, sample);
      }
    });
  },
};

/** Cotangents of the operands in which `f` is linear. */
function transposeAt(
  f: (...xs: Tensor[]) => Tensor[],
  xs: readonly Tensor[],
  isLinear: (i: number) => boolean,
  us: readonly Tensor[],
): Tensor[] {
  const operands = xs.map((x, i) => (isLinear(i) ? new Linear(x.aval) : x));
  const cts = transposeProgram(makeProgram(f, ...xs), operands, us);
  return cts.flatMap((ct, i) => {
    const { shape, dtype } = (xs[i] as Tensor).aval;
    return isLinear(i) ? [ct ?? movement.broadcastTo(scalar(0, dtype), shape)] : [];
  });
}

/** Derivatives are those of finite differences, and theirs too. */
const gradients: Law = {
  name: 'gradients to second order',
  runs: 5,
  samples: (row, backend) => (row.rounds ? undefined : smoothSamples(row, backend)),
  holds: ({ form, inputs }, _, backend) =>
    onAsync(backend, async () => {
      if (inputs.some((x) => isFloat(x.dtype))) checkGradients(asTuple(form.f), upload(backend, inputs));
    }),
};

/* ---- compositions ---- */

/** A smooth scalar of all results. */
function loss(f: Form['f'], xs: readonly Tensor[]): Tensor {
  const terms = list(f(...xs))
    .filter((y) => isFloat(y.dtype))
    .map((y) => reduce.reduceSum(arithmetic.elementary.sin(y), y.shape.map((_, i) => i)));
  return terms.reduce(arithmetic.add, scalar(0, 'float64'));
}

/** Transformations compose in any order. */
const compositions: Law = {
  name: 'transformations compose',
  runs: 4,
  samples: (row, backend) => {
    if (!row.smooth || !backend.dtypes.has('float64')) return undefined;
    return draw(
      row.smooth.filter((form) => form.operands.some(({ dtype }) => isFloat(dtype))).chain((form) => {
        const inAxes = form.operands.map(() => 0);
        return fc.constant(new BatchedForm(form, { size: 2, inAxes, outAxis: 0 }));
      }),
    );
  },
  async holds(sample, row, backend) {
    const form = sample.form as BatchedForm;
    const f = asTuple(form.inner.f);
    const argnums = form.operands.flatMap(({ dtype }, i) => (isFloat(dtype) ? [i] : []));
    const tolerance: ErrorModel = row.rounds ? { relative: 2 ** -20 } : sameMath;
    const agree = async (names: string, a: readonly Tensor[], b: readonly Tensor[]): Promise<void> => {
      const found = difference(await download(a), await download(b), tolerance);
      if (found !== undefined) throw new Error(`${names}: ${found}`);
    };
    await onAsync(backend, async () => {
      const gradientOf = (g: Form['f']) => grad((...xs: Tensor[]) => loss(g, xs), { argnums }) as (...xs: Tensor[]) => Tensor[];
      const one = upload(backend, form.example(sample.inputs, 0));
      const gradient = gradientOf(f);
      const expected = gradient(...one);
      await agree('jit(jit(f)) ≡ f', jit(jit(f))(...one), f(...one));
      await agree('jit(grad(f)) ≡ grad(f)', jit(gradient)(...one), expected);
      await agree('grad(jit(f)) ≡ grad(f)', gradientOf(jit(f))(...one), expected);
      await agree('jit(grad(jit(f))) ≡ grad(f)', jit(gradientOf(jit(f)))(...one), expected);

      const batch = upload(backend, sample.inputs);
      const each = Array.from({ length: form.level.size }, (_, b) => gradient(...upload(backend, form.example(sample.inputs, b))));
      const stacked = await Promise.all(argnums.map(async (_, k) => stack((await download(each.map((g) => g[k] as Tensor))), 0)));
      const loop = upload(backend, stacked);
      const many = vmap(f);
      await agree('vmap(grad(f)) ≡ grad of each', vmap(gradient)(...batch), loop);
      await agree('grad(vmap(f)) ≡ grad of each', gradientOf(many)(...batch), loop);
      await agree('vmap(grad(jit(f))) ≡ grad of each', vmap(gradientOf(jit(f)))(...batch), loop);
      await agree('jit(vmap(grad(f))) ≡ grad of each', jit(vmap(gradient))(...batch), loop);
      await agree('vmap(jit(grad(f))) ≡ grad of each', vmap(jit(gradient))(...batch), loop);
      await agree('vmap(jit(f)) ≡ vmap(f)', vmap(jit(f))(...batch), many(...batch));
      await agree('jit(vmap(f)) ≡ vmap(f)', jit(many)(...batch), many(...batch));
    });
  },
};

/** Programs are well-formed and print the same each time, also those of derivatives and batches. */
const programs: Law = {
  name: 'programs check and print',
  runs: 4,
  samples: (row, backend) => smoothSamples(row, backend) ?? anySamples(row, backend),
  holds({ form, inputs }, row, backend) {
    const f = asTuple(form.f);
    on(backend, () => {
      const xs = upload(backend, inputs);
      const made: (() => Program)[] = [() => makeProgram(f, ...xs)];
      if (row.smooth) {
        made.push(
          () => makeProgram((...all: Tensor[]) => jvp(f, all.slice(0, xs.length), all.slice(xs.length)), ...xs, ...xs),
          () => makeProgram((...all: Tensor[]) => vjp(f, ...all)[1](f(...all)), ...xs),
        );
      }
      if (xs.length > 0) {
        const pairs = upload(backend, inputs.map((x) => stack([x, x], 0)));
        made.push(() => makeProgram(vmap(f), ...pairs));
      }
      for (const make of made) {
        const [program, again] = [make(), make()];
        checkProgram(program);
        const text = showProgram(program);
        if (text !== showProgram(again)) throw new Error(`printed differently: ${text} and ${showProgram(again)}`);
        for (const { primitive } of program.equations)
          if (!text.includes(`= ${primitive.name}`)) throw new Error(`${primitive.name} is missing in: ${text}`);
      }
    });
  },
};

export const laws: readonly Law[] = [
  definition,
  sameAsReference,
  shapes,
  jitIsEager,
  donation,
  vmapIsLoop,
  adjoint,
  transposes,
  gradients,
  compositions,
  programs,
];

/* ---- which primitives a function uses ---- */

/** Sees every primitive on its way to the interpreter below. */
class Watch implements Trace {
  readonly name = 'watch';
  readonly names: Set<string>;
  readonly parent: Trace;

  constructor(names: Set<string>, parent: Trace) {
    this.names = names;
    this.parent = parent;
  }

  bind(...[primitive, inputs, params]: Parameters<Trace['bind']>): Tensor[] {
    this.names.add(primitive.name);
    return withTrace(this.parent, () => this.parent.bind(primitive, inputs, params));
  }
}

/** Names of the primitives that `f` applies, with its derivatives if it is transformed within. */
export function primitivesOf(f: () => unknown): Set<string> {
  const names = new Set<string>();
  withTrace(new Watch(names, currentTrace()), f);
  return names;
}
