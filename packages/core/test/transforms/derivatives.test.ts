import { describe, expect, test } from 'vitest';
import { toTensor } from '../../src/ops/convert.ts';
import { add, elementary, mul } from '../../src/primitives/arithmetic.ts';
import { reduceSum } from '../../src/primitives/reduce.ts';
import type { Tensor } from '../../src/tensor.ts';
import { jit } from '../../src/transforms/jit.ts';
import { jvp } from '../../src/transforms/jvp.ts';
import { linearize } from '../../src/transforms/linearize.ts';
import { grad, valueAndGrad, vjp } from '../../src/transforms/vjp.ts';
import { vmap } from '../../src/transforms/vmap.ts';

const vector = (...values: number[]): Tensor => toTensor(new Float64Array(values));
const number = (x: number): Tensor => toTensor(x, 'float64');
const values = (x: Tensor): number[] => [...x.dataSync()];
const total = (x: Tensor): Tensor => reduceSum(x, [0]);
const cube = (x: Tensor): Tensor => mul(x, mul(x, x));

describe('perturbations are not confused', () => {
  test('d/dx (x · d/dy (x + y)) = 1', () => {
    expect(grad((x: Tensor) => mul(x, grad((y: Tensor) => add(x, y))(number(1))))(number(1)).item()).toBe(1);
  });

  test('forward over forward keeps two tangents of one name apart', () => {
    const inner = (x: Tensor) => jvp((y: Tensor) => mul(x, y), [number(3)], [number(1)])[1];
    expect(jvp((x: Tensor) => mul(x, inner(x)), [number(5)], [number(1)])[1].item()).toBe(10);
  });
});

describe('transformations compose', () => {
  const second = (x: number) => 6 * x;

  test.each([
    ['grad of grad', grad(grad(cube))],
    ['jvp of grad', (x: Tensor) => jvp(grad(cube), [x], [number(1)])[1]],
    ['grad of jvp', grad((x: Tensor) => jvp(cube, [x], [number(1)])[1])],
    ['jit of grad of grad', jit(grad(grad(cube)))],
    ['grad of jit of grad', grad(jit(grad(cube)))],
    ['grad of grad of jit', grad(grad(jit(cube)))],
    ['jit of everything', jit(grad(jit(grad(jit(cube)))))],
    ['vmap of grad of grad', (x: Tensor) => total(vmap(grad(grad(cube)))(add(x, vector(0))))],
    ['grad of vmap of grad', grad((x: Tensor) => total(vmap(grad(cube))(add(x, vector(0)))))],
    ['grad of jit of vmap', grad((x: Tensor) => total(jit(vmap(grad(cube)))(add(x, vector(0)))))],
    ['vmap of jit of grad', (x: Tensor) => total(vmap(jit(grad(grad(cube))))(add(x, vector(0))))],
    ['linearize of grad', (x: Tensor) => linearize(grad(cube), x)[1](number(1))],
    ['vjp of grad', (x: Tensor) => vjp(grad(cube), x)[1](number(1))[0]],
  ])('%s', (_, f) => {
    expect(f(number(2)).item()).toBe(second(2));
  });

  test('the third derivative of x³ is 6', () => {
    expect(grad(grad(grad(cube)))(number(7)).item()).toBe(6);
  });
});

describe('grad', () => {
  test('gives a tree like the argument', () => {
    const loss = (p: { w: Tensor; b: Tensor }, x: Tensor) => total(add(mul(p.w, x), p.b));
    const g = grad(loss)({ w: vector(1, 2), b: vector(3, 4) }, vector(5, 6));
    expect([values(g.w), values(g.b)]).toEqual([
      [5, 6],
      [1, 1],
    ]);
  });

  test('argnums chooses arguments', () => {
    const f = (x: Tensor, y: Tensor) => mul(x, mul(y, y));
    expect(grad(f, { argnums: 1 })(number(2), number(3)).item()).toBe(12);
    expect(grad(f, { argnums: [0, 1] })(number(2), number(3)).map((t) => t.item())).toEqual([9, 12]);
  });

  test('aux is passed through', () => {
    const f = (x: Tensor) => [mul(x, x), { twice: add(x, x) }] as const;
    const [[value, aux], g] = valueAndGrad(f, { hasAux: true })(number(3));
    expect([value.item(), aux.twice.item(), g.item()]).toEqual([9, 6, 6]);
    const [g2, aux2] = grad(f, { hasAux: true })(number(3));
    expect([g2.item(), aux2.twice.item()]).toEqual([6, 6]);
  });

  test('what the function does not depend on has gradient zero', () => {
    expect(values(grad((_: Tensor, y: Tensor) => total(y))(vector(1, 2), vector(3)))).toEqual([0, 0]);
  });

  test('the dtype of the gradient is the dtype of the argument', () => {
    const f = (x: Tensor) => total(elementary.sin(x));
    expect(grad(f)(toTensor(new Float32Array([1]))).dtype).toBe('float32');
    expect(grad(f)(vector(1)).dtype).toBe('float64');
  });

  test.each([
    [
      () => grad((x: Tensor) => x)(vector(1, 2)),
      'grad: the function must return a scalar, but returned f64[2]; reduce it with sum() or mean().',
    ],
    [
      () => grad((x: Tensor) => [x, x])(number(1)),
      'grad: the function must return one scalar, but it returned a tree of 2 leaves; return [loss, aux] with { hasAux: true } to pass more out.',
    ],
    [
      () => grad((x: Tensor) => total(x))(new Int32Array([1])),
      'grad: needs float arguments, but argument 0 is i32[1]; convert it with astype(), or leave it out with argnums.',
    ],
    [
      () => grad((p: { n: { k: Tensor } }) => p.n.k)({ n: { k: new Int32Array([1]) } }),
      'grad: needs float arguments, but argument 0 .n.k is i32[1]',
    ],
    [
      () => grad((x: Tensor) => x, { argnums: 1 })(number(1)),
      'grad: argnums 1 needs an argument with that index, but the call has 1.',
    ],
    [
      () => jvp((x: Tensor) => x, [vector(1)], [vector(1, 2)]),
      'jvp: the tangent of [0] must be f64[1], but is f64[2].',
    ],
    [
      () => vjp((x: Tensor) => x, vector(1))[1](vector(1, 2)),
      'vjp: the cotangent of (root) must be f64[1], but is f64[2].',
    ],
    [
      () => vjp((x: Tensor) => x, vector(1))[1](toTensor(new Float32Array(1))),
      'vjp: the cotangent of (root) must be f64[1], but is f32[1]; convert it with astype().',
    ],
    [
      () => grad((x: Tensor) => x, { argNums: 1 } as never)(number(1)),
      'grad: has no option "argNums"; the options are argnums, hasAux.',
    ],
    [
      () => vmap((x: Tensor) => x, { axis: 1 } as never)(vector(1)),
      'vmap: has no option "axis"; the options are inAxes, outAxes, axisName.',
    ],
  ])('errors say what arrived and what to do (%#)', (f, text) => {
    expect(f).toThrow(text);
  });
});

describe('vmap', () => {
  test('inAxes and outAxes are axes, or trees of them', () => {
    const f = (p: { a: Tensor; b: Tensor }, x: Tensor) => ({ y: add(mul(p.a, x), p.b), k: p.b });
    const a = toTensor(new Float64Array([1, 2, 3]));
    const result = vmap(f, { inAxes: [{ a: 0, b: null }, 0], outAxes: { y: 0, k: null } })(
      { a, b: number(10) },
      vector(1, 1, 2),
    );
    expect([values(result.y), result.k.item()]).toEqual([[11, 12, 16], 10]);
  });

  test.each([
    [
      () => vmap((x: Tensor, y: Tensor) => add(x, y))(vector(1, 2), vector(1)),
      'vmap: mapped axes must have one size, but [0] has 2 and [1] has 1.',
    ],
    [
      () => vmap((x: Tensor) => x, { inAxes: null })(vector(1)),
      'vmap: nothing is mapped; at least one argument needs an axis that is not null.',
    ],
    [() => vmap((x: Tensor) => x)(number(1)), 'vmap: [0]: axis 0 of a scalar; a scalar has no axes.'],
    [
      () => vmap((x: Tensor) => x, { outAxes: null })(vector(1, 2)),
      'vmap: outAxes is null for (root), but that result differs between examples; give it an axis.',
    ],
  ])('errors say what arrived and what to do (%#)', (f, text) => {
    expect(f).toThrow(text);
  });
});
