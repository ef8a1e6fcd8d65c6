/** Random numbers that are drawn by rejection, each with a number of tries of its own. */
import type { Aval } from '../aval.ts';
import { poissonVariates as drawPoisson, logGammaSlope, logGammaVariate } from '../dense/gamma.ts';
import type { TypedArray } from '../dtype.ts';
import { noRule, noTangent, type Primitive } from '../primitive.ts';
import type { Tensor } from '../tensor.ts';
import { bind, bind1 } from '../trace.ts';
import { mul } from './arithmetic.ts';
import { hostPrimitive } from './host.ts';

const gammaPrimitive: Primitive = /* @__PURE__ */ hostPrimitive({
  name: 'logGammaVariates',
  ranks: [2, 1],
  shape: ([, a]) => [a as Aval],
  run: ([keys, a], [y], { inputs: [, aval] }) => {
    const [words, shapes, out] = [keys, a, y] as [TypedArray, TypedArray, TypedArray];
    const wide = aval?.dtype === 'float64';
    for (let i = 0; i < shapes.length; i++)
      out[i] = logGammaVariate(
        [words[2 * i] as number, words[2 * i + 1] as number],
        shapes[i] as number,
        wide,
      );
  },
  jvp: ([keys, a], [, da]) => {
    const y = logGammaVariates(keys as Tensor, a as Tensor);
    return [[y], [da ? mul(da, logGammaSlopes(a as Tensor, y)) : null]];
  },
});

/** Logarithms of gamma variates of shapes a[N], each with a key of its own: u32[N, 2]. Differentiable by a, once. */
export const logGammaVariates = (keys: Tensor, a: Tensor): Tensor => bind1(gammaPrimitive, [keys, a]);

const slopePrimitive: Primitive = /* @__PURE__ */ hostPrimitive({
  name: 'logGammaSlope',
  ranks: [1, 1],
  shape: ([a]) => [a as Aval],
  run: ([a, y], [slope]) => {
    const [shapes, logs, out] = [a, y, slope] as [TypedArray, TypedArray, TypedArray];
    for (let i = 0; i < out.length; i++) out[i] = logGammaSlope(shapes[i] as number, logs[i] as number);
  },
  jvp: () =>
    noRule('random.gamma', 'second derivative', 'as in JAX; differentiate by its shape parameter once.'),
});

/** d y / da at a variate y of {@link logGammaVariates}. */
export const logGammaSlopes = (a: Tensor, y: Tensor): Tensor => bind1(slopePrimitive, [a, y]);

const poissonPrimitive: Primitive = /* @__PURE__ */ hostPrimitive({
  name: 'poissonVariates',
  ranks: [1, 1],
  shape: ([, rates]) => [{ shape: (rates as Aval).shape, dtype: 'int32' }],
  run: ([key, rates], [counts]) =>
    drawPoisson([key?.[0] as number, key?.[1] as number], rates as TypedArray, counts as Int32Array),
  jvp: noTangent((inputs) => bind(poissonPrimitive, inputs)),
});

/** int32 Poisson variates of rates[N] under a key u32[2]; -1 where a rate is negative, NaN or beyond int32. */
export const poissonVariates = (key: Tensor, rates: Tensor): Tensor => bind1(poissonPrimitive, [key, rates]);
