/** Laws about results: any values, compared on every dtype of a backend. */
import {
  checkKernel,
  checkProgram,
  evalShape,
  jit,
  jvp,
  makeProgram,
  type Program,
  sameAval,
  showAval,
  showProgram,
  sizeOf,
  type Tensor,
  vjp,
  vmap,
} from '../core.ts';
import { download, type HostTensor, showHost, stack, upload } from '../host.ts';
import { draw } from '../row.ts';
import {
  anyForms,
  anySamples,
  asTuple,
  exampleOf,
  expectEqual,
  type Law,
  on,
  run,
  smoothSamples,
  yardstick,
} from './common.ts';

/** The result is what plain loops give. */
export const definition: Law = {
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
export const sameAsReference: Law = {
  name: 'result ≡ reference',
  runs: 30,
  samples: (row, backend) => (backend.name === yardstick.name ? undefined : anySamples(row, backend)),
  async holds(sample, row, backend) {
    const expected = await run(yardstick, sample.form.f, sample.inputs);
    await expectEqual(await run(backend, sample.form.f, sample.inputs), expected, row.error, sample);
  },
};

/** The shape rule tells the result, and every kernel computes what its shape rule says. */
export const shapes: Law = {
  name: 'shape rule ≡ result',
  runs: 15,
  samples: anySamples,
  async holds({ form, inputs }, _, backend) {
    const actual = await run(backend, form.f, inputs);
    const program = on(backend, () => makeProgram(asTuple(form.f), ...upload(backend, inputs)));
    const predicted = on(backend, () => evalShape(asTuple(form.f), ...upload(backend, inputs)));
    for (const [i, aval] of predicted.entries()) {
      const got = actual[i] as HostTensor;
      if (!sameAval(aval, got) || got.values.length !== sizeOf(got.shape))
        throw new Error(`result ${i} is ${showHost(got)}, but its shape rule says ${showAval(aval)}`);
    }
    for (const { primitive, inputs: atoms, params, outputs } of program.equations) {
      const kernel = primitive.lower?.(
        atoms.map((a) => a.aval),
        params,
      );
      if (!kernel) continue;
      checkKernel(kernel);
      const avals = kernel.outputs.map(({ dtype }) => ({ shape: kernel.axes, dtype }));
      if (!outputs.every((v, i) => avals[i] && sameAval(v.aval, avals[i])))
        throw new Error(
          `${primitive.name}: its kernel gives ${avals.map(showAval)}, its shape rule ${outputs.map((v) => showAval(v.aval))}`,
        );
    }
  },
};

/** Staging changes nothing. */
export const jitIsEager: Law = {
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
export const donation: Law = {
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

/** Programs are well-formed and print the same each time, also those of derivatives and batches. */
export const programs: Law = {
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
          () =>
            makeProgram(
              (...all: Tensor[]) => jvp(f, all.slice(0, xs.length), all.slice(xs.length)),
              ...xs,
              ...xs,
            ),
          () => makeProgram((...all: Tensor[]) => vjp(f, ...all)[1](f(...all)), ...xs),
        );
      }
      if (xs.length > 0) {
        const pairs = upload(
          backend,
          inputs.map((x) => stack([x, x], 0)),
        );
        made.push(() => makeProgram(vmap(f), ...pairs));
      }
      for (const make of made) {
        const [program, again] = [make(), make()];
        checkProgram(program);
        const text = showProgram(program);
        if (text !== showProgram(again))
          throw new Error(`printed differently: ${text} and ${showProgram(again)}`);
        for (const { primitive } of program.equations)
          if (!text.includes(`= ${primitive.name}`))
            throw new Error(`${primitive.name} is missing in: ${text}`);
      }
    });
  },
};
