import { expect, expectTypeOf, test } from 'vitest';
import { ShapeDtype } from '../../src/aval.ts';
import { OptionError, ShapeError, TracerError } from '../../src/errors.ts';
import { add, multiply } from '../../src/ops/arithmetic.ts';
import { tensor, zeros } from '../../src/ops/creation.ts';
import { matmul } from '../../src/ops/linalg.ts';
import { sum } from '../../src/ops/reduce.ts';
import * as random from '../../src/random.ts';
import type { Tensor } from '../../src/tensor.ts';
import { evalShape } from '../../src/transforms/evalShape.ts';
import { jit } from '../../src/transforms/jit.ts';
import { stopGradient } from '../../src/transforms/stopGradient.ts';
import { grad } from '../../src/transforms/vjp.ts';
import { vmap } from '../../src/transforms/vmap.ts';

test('evalShape follows trees in and out', () => {
  const model = (p: { w: Tensor; b: Tensor }, x: Tensor) => ({ y: add(matmul(x, p.w), p.b), size: 3 });
  const shapes = evalShape(model, { w: new ShapeDtype([3, 4]), b: zeros([4]) }, new ShapeDtype([8, 3]));
  expectTypeOf(shapes).toEqualTypeOf<{ y: ShapeDtype; size: ShapeDtype }>();
  expect([shapes.y, shapes.size].map(String)).toEqual(['f32[8,4]', 'f32[]']);
});

test('evalShape computes nothing, however large', () => {
  const big = new ShapeDtype([40000, 50000], 'float64');
  expect(String(evalShape((x: Tensor) => sum(multiply(x, x), { axis: 0 }), big))).toBe('f64[50000]');
  expect(
    String(evalShape((k: Tensor) => random.normal(k, [40000, 50000]), new ShapeDtype([2], 'uint32'))),
  ).toBe('f32[40000,50000]');
});

test('evalShape of gradients and compiled functions', () => {
  expect(
    String(
      evalShape(
        grad((x: Tensor) => sum(multiply(x, x))),
        new ShapeDtype([5]),
      ),
    ),
  ).toBe('f32[5]');
  expect(
    String(
      evalShape(
        jit((x: Tensor) => matmul(x, x)),
        new ShapeDtype([5, 5]),
      ),
    ),
  ).toBe('f32[5,5]');
});

test('evalShape lets errors through', () => {
  expect(() => evalShape(matmul, new ShapeDtype([2, 3]), new ShapeDtype([2, 3]))).toThrow(ShapeError);
  expect(() => evalShape((x: Tensor) => x.item(), new ShapeDtype([]))).toThrow(TracerError);
});

test('a shape is no value elsewhere', () => {
  expect(() => jit((x: Tensor) => x)(new ShapeDtype([2]) as never)).toThrow(
    new OptionError(
      'tensor: needs a value, but got only the shape f32[2]; shapes without values are for evalShape().',
    ),
  );
});

const half = (x: Tensor): Tensor => multiply(stopGradient(x), x);

test.each<[string, (x: Tensor) => Tensor, number]>([
  ['grad', grad(half), 3],
  ['grad of grad', grad(grad(half)), 0],
  ['jit of grad', jit(grad(half)), 3],
  ['grad of jit', grad(jit(half)), 3],
  ['grad through vmap', grad((x: Tensor) => sum(vmap(half)(multiply(x, tensor([1]))))), 3],
])('stopGradient stops %s', (_, f, expected) => {
  expect(f(tensor(3)).item()).toBe(expected);
});

test('stopGradient keeps trees', () => {
  const stopped = stopGradient({ a: tensor(1), b: [2] });
  expectTypeOf(stopped).toEqualTypeOf<{ a: Tensor; b: Tensor[] }>();
  expect([stopped.a, ...stopped.b].map(String)).toEqual(['f32[] 1', 'f32[] 2']);
});
