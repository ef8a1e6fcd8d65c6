import { expectTypeOf, test } from 'vitest';
import type { TypedArray } from '../src/dtype.ts';
import type { Tensor } from '../src/tensor.ts';
import { checkpoint } from '../src/transforms/checkpoint.ts';
import { customJvp, customVjp } from '../src/transforms/custom.ts';
import { hvp } from '../src/transforms/hvp.ts';
import { hessian, jacfwd, jacrev } from '../src/transforms/jacobian.ts';
import { jit } from '../src/transforms/jit.ts';
import { jvp } from '../src/transforms/jvp.ts';
import { linearTranspose } from '../src/transforms/linearTranspose.ts';
import { grad, valueAndGrad, vjp } from '../src/transforms/vjp.ts';
import { vmap } from '../src/transforms/vmap.ts';
import { Static, treeMap } from '../src/tree.ts';

// An interface, not a type alias: users write both.
interface Params {
  w: Tensor;
  layers: { b: Tensor }[];
}
declare const params: Params;
declare const x: Tensor;
declare const loss: (p: Params, x: Tensor) => Tensor;
declare const lossAux: (p: Params, x: Tensor) => readonly [Tensor, { logits: Tensor }];

test('gradients have the type of the argument', () => {
  expectTypeOf(grad(loss)(params, x)).branded.toEqualTypeOf<Params>();
  expectTypeOf(valueAndGrad(loss)(params, x)).branded.toEqualTypeOf<[Tensor, Params]>();
  expectTypeOf(grad(loss, { argnums: 1 })(params, x)).toEqualTypeOf<Tensor>();
  const [[value, aux], g] = valueAndGrad(lossAux, { hasAux: true })(params, x);
  expectTypeOf(value).toEqualTypeOf<Tensor>();
  expectTypeOf(aux.logits).toEqualTypeOf<Tensor>();
  expectTypeOf(g.layers[0]?.b).toEqualTypeOf<Tensor | undefined>();
});

test('transformed functions take what the function takes, with numbers and typed arrays as leaves', () => {
  expectTypeOf(grad(loss)).toBeCallableWith({ w: 1, layers: [{ b: new Float32Array(2) }] }, 3);
  expectTypeOf(vmap(loss, { inAxes: [null, 0] })).toBeCallableWith(params, x);
  // @ts-expect-error: layers is missing
  grad(loss)({ w: 1 }, 3);
  // @ts-expect-error: a string is no tensor
  jit(loss)(params, 'x');
});

test('jit, vmap and jvp keep result types', () => {
  expectTypeOf(jit(loss)(params, x)).toEqualTypeOf<Tensor>();
  expectTypeOf(
    jit((p: Params) => ({ next: p, f: new Static(1) }))(params).next,
  ).branded.toEqualTypeOf<Params>();
  expectTypeOf(jit(loss).stats.compilations).toEqualTypeOf<number>();
  expectTypeOf(vmap(loss)(params, x)).toEqualTypeOf<Tensor>();
  expectTypeOf(jvp(loss, [params, x], [params, x])).toEqualTypeOf<[Tensor, Tensor]>();
  expectTypeOf(vjp(loss, params, x)[1](x)).branded.toEqualTypeOf<[Params, Tensor]>();
});

test('treeMap keeps the shape of the tree', () => {
  expectTypeOf(treeMap((w) => w, params)).branded.toEqualTypeOf<Params>();
  expectTypeOf(treeMap((w) => w, { a: 1, b: [new Float32Array(1)] })).toEqualTypeOf<{
    a: Tensor;
    b: Tensor[];
  }>();
});

declare const outputs: (p: Params, x: Tensor) => { y: Tensor; z: Tensor[] };

test('Jacobians are trees of gradients', () => {
  expectTypeOf(jacrev((t: Tensor) => t)(x)).toEqualTypeOf<Tensor>();
  expectTypeOf(jacfwd(outputs)(params, x)).branded.toEqualTypeOf<{ y: Params; z: Params[] }>();
  expectTypeOf(jacrev(outputs, { argnums: [1] })(params, x).y).toEqualTypeOf<readonly [Tensor]>();
  const [j, aux] = jacrev(lossAux, { hasAux: true })(params, x);
  expectTypeOf(j).branded.toEqualTypeOf<Params>();
  expectTypeOf(aux.logits).toEqualTypeOf<Tensor>();
  expectTypeOf(hessian(loss)(params, x).w.layers[0]?.b).toEqualTypeOf<Tensor | undefined>();
  expectTypeOf(hessian(loss, { argnums: 1 })(params, x)).toEqualTypeOf<Tensor>();
});

test('Hessian-vector products take and give a tree like the argument', () => {
  expectTypeOf(hvp(loss, [params, x], params)).branded.toEqualTypeOf<Params>();
  expectTypeOf(hvp(loss, [params, x], x, { argnums: 1 })).toEqualTypeOf<Tensor>();
  // @ts-expect-error: the direction is like the parameters
  hvp(loss, [params, x], x);
});

test('a transposed function takes the result and gives the arguments', () => {
  expectTypeOf(linearTranspose(outputs, params, x))
    .parameter(0)
    .branded.toEqualTypeOf<{
      y: Tensor | number | boolean | TypedArray;
      z: (Tensor | number | boolean | TypedArray)[];
    }>();
  expectTypeOf(linearTranspose(loss, params, x)(1)).branded.toEqualTypeOf<[Params, Tensor]>();
});

test('functions with rules keep their types, and rules get those of arguments and results', () => {
  const f = customVjp(
    outputs,
    (p: Params, t: Tensor) => [outputs(p, t), { p, n: 3 }],
    (residuals, ct) => {
      expectTypeOf(residuals).branded.toEqualTypeOf<{ p: Params; n: Tensor }>();
      expectTypeOf(ct).branded.toEqualTypeOf<{ y: Tensor; z: Tensor[] }>();
      return [residuals.p, null];
    },
  );
  expectTypeOf(f(params, x)).branded.toEqualTypeOf<{ y: Tensor; z: Tensor[] }>();
  const g = customJvp(loss, ([p, t], [dp, dt]) => {
    expectTypeOf(p).toEqualTypeOf<Params>();
    expectTypeOf(dp).branded.toEqualTypeOf<Params>();
    return [loss(p, t), dt];
  });
  expectTypeOf(g(params, 3)).toEqualTypeOf<Tensor>();
  const short = () => [null] as const;
  // @ts-expect-error: a cotangent for each argument
  customVjp(loss, (p: Params, t: Tensor) => [loss(p, t), null], short);
  expectTypeOf(checkpoint(loss)(params, x)).toEqualTypeOf<Tensor>();
});
