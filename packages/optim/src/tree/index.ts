/** Tools for trees of tensors and for nested states: `tree.norm(grads)`, `tree.get(state, 'mu')`. */
export {
  add,
  addScale,
  allclose,
  cast,
  clip,
  div,
  dtype,
  fullLike,
  max,
  min,
  mul,
  type NormOptions,
  norm,
  onesLike,
  scale,
  size,
  sub,
  sum,
  vdot,
  where,
  zerosLike,
} from './arithmetic.ts';
export { get, getAllWithPath, mapParams, set } from './lookup.ts';
export { biasCorrection, updateMoment } from './moments.ts';
export { randomLike, splitKeyLike } from './random.ts';
