/** The law that transformations compose. */
import fc from 'fast-check';
import { difference, type ErrorModel } from '../compare.ts';
import { arithmetic, grad, isFloat, jit, reduce, scalar, type Tensor, vmap } from '../core.ts';
import { download, stack, upload } from '../host.ts';
import { draw, type Form } from '../row.ts';
import { BatchedForm } from './batches.ts';
import { asTuple, type Law, list, onAsync, sameMath, sameMathRounded } from './common.ts';

/** A smooth scalar of all results. */
function loss(f: Form['f'], xs: readonly Tensor[]): Tensor {
  const terms = list(f(...xs))
    .filter((y) => isFloat(y.dtype))
    .map((y) =>
      reduce.reduceSum(
        arithmetic.elementary.sin(y),
        y.shape.map((_, i) => i),
      ),
    );
  return terms.reduce(arithmetic.add, scalar(0, 'float64'));
}

/** Transformations compose in any order. */
export const compositions: Law = {
  name: 'transformations compose',
  runs: 4,
  samples: (row, backend) => {
    if (!row.smooth || !backend.dtypes.has('float64')) return undefined;
    return draw(
      row.smooth
        .filter((form) => form.operands.some(({ dtype }) => isFloat(dtype)))
        .chain((form) => {
          const inAxes = form.operands.map(() => 0);
          return fc.constant(new BatchedForm(form, { size: 2, inAxes, outAxis: 0 }));
        }),
    );
  },
  async holds(sample, row, backend) {
    const form = sample.form as BatchedForm;
    const f = asTuple(form.inner.f);
    const argnums = form.operands.flatMap(({ dtype }, i) => (isFloat(dtype) ? [i] : []));
    const tolerance: ErrorModel = row.rounds ? sameMathRounded : sameMath;
    const agree = async (names: string, a: readonly Tensor[], b: readonly Tensor[]): Promise<void> => {
      const found = difference(await download(a), await download(b), tolerance);
      if (found !== undefined) throw new Error(`${names}: ${found}`);
    };
    await onAsync(backend, async () => {
      const gradientOf = (g: Form['f']) =>
        grad((...xs: Tensor[]) => loss(g, xs), { argnums }) as (...xs: Tensor[]) => Tensor[];
      const one = upload(backend, form.example(sample.inputs, 0));
      const gradient = gradientOf(f);
      const expected = gradient(...one);
      await agree('jit(jit(f)) ≡ f', jit(jit(f))(...one), f(...one));
      await agree('jit(grad(f)) ≡ grad(f)', jit(gradient)(...one), expected);
      await agree('grad(jit(f)) ≡ grad(f)', gradientOf(jit(f))(...one), expected);
      await agree('jit(grad(jit(f))) ≡ grad(f)', jit(gradientOf(jit(f)))(...one), expected);

      const batch = upload(backend, sample.inputs);
      const each = Array.from({ length: form.level.size }, (_, b) =>
        gradient(...upload(backend, form.example(sample.inputs, b))),
      );
      const stacked = await Promise.all(
        argnums.map(async (_, k) => stack(await download(each.map((g) => g[k] as Tensor)), 0)),
      );
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
