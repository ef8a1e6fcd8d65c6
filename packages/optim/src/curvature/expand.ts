/** Functions of parameters near a point. The casts here are where core's types of arguments meet those of trees. */
import { linearize, type Tensor, type Tensors, valueAndGrad, vjp } from '@neumann/core';
import { sameForm, tensorsOf } from '../trees.ts';

/** A scalar function up to second order at one point. */
export interface Expansion<P> {
  readonly value: Tensor;
  readonly gradient: Tensors<P>;
  /** v ↦ H v. The function is evaluated once for all products. */
  readonly hessian: (v: unknown) => Tensors<P>;
}

/** Value, gradient and products with the Hessian of `f` at `params`. */
export function expand<P>(f: (params: Tensors<P>) => Tensor, params: P): Expansion<P> {
  type Both = [Tensor, Tensors<P>];
  const both = (p: Tensors<P>) => valueAndGrad(f)(p as never) as unknown as Both;
  const [[value, gradient], derivative] = linearize(both, tensorsOf(params) as never) as unknown as [
    Both,
    (v: unknown) => Both,
  ];
  return { value, gradient, hessian: (v) => derivative(v)[1] };
}

/** A map at one point, and its Jacobian J, applied to one vector v. */
export interface Pushed<P, Y> {
  readonly outputs: Tensors<Y>;
  /** J v */
  readonly jv: Tensors<Y>;
  /** ct ↦ Jᵀ ct */
  readonly pullBack: (ct: Tensors<Y>) => Tensors<P>;
}

/** @throws {TreeError} {ShapeError} naming the leaf where v has another form than the parameters. */
export function pushForward<P, Y>(
  op: string,
  f: (params: Tensors<P>) => Y,
  params: P,
  v: unknown,
): Pushed<P, Y> {
  sameForm(op, 'params', params, 'v', v);
  const [outputs, jacobian] = linearize(f, tensorsOf(params) as never);
  // The program of a linear map is also that of its derivative, so the transpose comes without a second evaluation of f.
  const [jv, pullBack] = vjp(jacobian as unknown as (v: unknown) => Tensors<Y>, v as never);
  return { outputs, jv: jv as Tensors<Y>, pullBack: (ct) => pullBack(ct as never)[0] };
}
