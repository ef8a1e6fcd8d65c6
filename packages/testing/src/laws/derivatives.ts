/** Laws about derivatives: float64 samples from where a function is smooth, if the backend has float64. */
import { checkGradients, inner } from '../checkGradients.ts';
import {
  arithmetic,
  isFloat,
  jvp,
  Linear,
  linearize,
  makeProgram,
  movement,
  sameAval,
  scalar,
  showAval,
  type Tensor,
  transposeProgram,
  vjp,
} from '../core.ts';
import { download, upload } from '../host.ts';
import {
  asTuple,
  directionsLike,
  expectEqual,
  type Law,
  onAsync,
  sameMath,
  sameMathRounded,
  smoothSamples,
} from './common.ts';

/** `jvp`, `vjp` and `linearize` are one linear map: `⟨J v, u⟩ = ⟨v, Jᵀ u⟩`. */
export const adjoint: Law = {
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
      const [ys, dys] = jvp<Tensor[], Tensor[]>(f, xs, vs);
      const [linearYs, df] = linearize(f, ...xs) as [Tensor[], (...t: Tensor[]) => Tensor[]];
      const [pulledYs, back] = vjp(f, ...xs) as [Tensor[], (cts: Tensor[]) => Tensor[]];
      for (const results of [ys, linearYs, pulledYs])
        await expectEqual(await download(results), value, sameMath, sample);
      const tangents = await download(dys);
      await expectEqual(await download(df(...vs)), tangents, sameMath, sample);
      // The linear map can be applied again.
      await expectEqual(await download(df(...vs)), tangents, sameMath, sample);
      const us = upload(backend, directionsLike(value, 2));
      const cts = back(us);
      for (const [i, ct] of cts.entries())
        if (!sameAval(ct.aval, (xs[i] as Tensor).aval))
          throw new Error(`the cotangent of operand ${i} is ${showAval(ct.aval)}`);
      const floatsOf = (some: readonly Tensor[], like: readonly Tensor[]): Tensor[] =>
        some.filter((_, i) => isFloat((like[i] as Tensor).dtype));
      const [left, leftScale] = inner(floatsOf(dys, ys), floatsOf(us, ys));
      const [right, rightScale] = inner(floatsOf(vs, xs), floatsOf(cts, xs));
      const allowed = (row.rounds ? 2 ** -20 : 2 ** -36) * Math.max(leftScale, rightScale);
      if (!(Math.abs(left - right) <= allowed)) throw new Error(`⟨Jv, u⟩ = ${left}, but ⟨v, Jᵀu⟩ = ${right}`);
    });
  },
};

/** The transpose of a function that is linear in some operands is its adjoint, and the transpose of that the function. */
export const transposes: Law = {
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
        const twice = back(active);
        await expectEqual(
          await download(twice),
          await download(ys),
          row.rounds ? sameMathRounded : sameMath,
          sample,
        );
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
export const gradients: Law = {
  name: 'gradients to second order',
  runs: 5,
  samples: (row, backend) => (row.rounds ? undefined : smoothSamples(row, backend)),
  holds: ({ form, inputs }, _, backend) =>
    onAsync(backend, async () => {
      if (inputs.some((x) => isFloat(x.dtype))) checkGradients(asTuple(form.f), upload(backend, inputs));
    }),
};
