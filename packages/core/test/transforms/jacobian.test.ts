import { describe, expect, test } from 'vitest';
import {
  add,
  concatenate,
  cos,
  divide,
  dot,
  exp,
  grad,
  hessian,
  hvp,
  jacfwd,
  jacobian,
  jacrev,
  jit,
  linearTranspose,
  matmul,
  multiply,
  ones,
  outer,
  prod,
  reshape,
  ShapeDtype,
  sin,
  square,
  sum,
  type Tensor,
  tensor,
  vmap,
  zeros,
} from '../../src/index.ts';

const f64 = (values: number[] | number[][]): Tensor => tensor(values, 'float64');

describe.each([
  ['jacfwd', jacfwd],
  ['jacrev', jacrev],
  ['jacobian', jacobian],
] as const)('%s', (name, jac) => {
  test('of a function of a matrix to a matrix has the shapes of both', () => {
    const a = f64([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    const j = jac((x: Tensor) => matmul(x, a))(f64([[7, 8, 9]]));
    expect(j.shape).toEqual([1, 2, 1, 3]);
    expect(reshape(j, [2, 3]).toArray()).toEqual([
      [1, 3, 5],
      [2, 4, 6],
    ]);
  });

  test('of trees is a tree of trees', () => {
    const f = (p: { a: Tensor; b: Tensor[] }) => ({
      sum: add(p.a, p.b[0] as Tensor),
      product: dot(p.a, p.a),
    });
    const j = jac(f)({ a: f64([1, 2]), b: [f64([3, 4])] });
    expect([j.sum.a.toArray(), j.sum.b.map((t) => t.toArray())]).toEqual([
      [
        [1, 0],
        [0, 1],
      ],
      [
        [
          [1, 0],
          [0, 1],
        ],
      ],
    ]);
    expect([j.product.a.toArray(), j.product.b.map((t) => t.toArray())]).toEqual([[2, 4], [[0, 0]]]);
  });

  test('takes several arguments and passes aux through', () => {
    const f = (x: Tensor, k: Tensor, y: Tensor) => [multiply(x, y), { k }] as const;
    const [j, aux] = jac(f, { argnums: [2, 0], hasAux: true })(f64([1, 2]), tensor(3, 'int32'), f64([4, 5]));
    expect([j.map((t) => t.toArray()), aux.k.item()]).toEqual([
      [
        [
          [1, 0],
          [0, 2],
        ],
        [
          [4, 0],
          [0, 5],
        ],
      ],
      3,
    ]);
  });

  test('composes with jit, vmap and itself', () => {
    const f = (x: Tensor): Tensor => multiply(sin(x), reshape(sum(x), [1]));
    const x = f64([0.3, -1.2, 2]);
    const expected = jac(f)(x);
    expect(jit(jac(f))(x).toArray()).toEqual(expected.toArray());
    expect(jac(jit(f))(x).toArray()).toEqual(expected.toArray());
    expect(vmap(jac(f))(reshape(x, [1, 3])).toArray()).toEqual([expected.toArray()]);
    const third = jac(jac(jac((t: Tensor) => prod(t))))(x);
    expect(third.shape).toEqual([3, 3, 3]);
    expect((third.toArray() as number[][][])[0]?.[1]?.[2]).toBe(1);
  });

  test('empty arguments and results have empty blocks', () => {
    expect(jac((x: Tensor) => concatenate([x, x]))(zeros([0])).shape).toEqual([0, 0]);
    expect(jac((x: Tensor) => zeros([x.ndim - 1]))(ones([2])).shape).toEqual([0, 2]);
    expect(jac((x: Tensor[]) => ones([2 + x.length]))([])).toEqual([]);
  });

  test.each([
    [
      () => jac((x: Tensor) => x)(tensor([1], 'int32')),
      `needs float arguments, but argument 0 is i32[1]; convert it with astype(), or leave it out with argnums.`,
    ],
    [
      () => jac((x: Tensor) => ({ a: x, n: tensor(1, 'int32') }))(tensor([1])),
      `the function must return floats, but n of its result is i32[]; convert it with astype(), or return it as aux with { hasAux: true }.`,
    ],
    [
      () => jac((x: Tensor) => x, { hasAux: true } as never)(tensor([1])),
      `with { hasAux: true } the function must return [value, aux].`,
    ],
  ])('says what is wrong (%#)', (f, text) => {
    expect(f).toThrow(`${name === 'jacobian' ? 'jacrev' : name}: ${text}`);
  });
});

describe('hessian', () => {
  test('of trees has a block for each pair of leaves', () => {
    const f = (p: { x: Tensor; m: Tensor }): Tensor => sum(multiply(square(p.x), matmul(p.m, p.x)));
    const p = {
      x: f64([1, 2]),
      m: f64([
        [3, 4],
        [5, 6],
      ]),
    };
    const h = hessian(f)(p);
    expect([h.x.x.shape, h.x.m.shape, h.m.x.shape, h.m.m.shape]).toEqual([
      [2, 2],
      [2, 2, 2],
      [2, 2, 2],
      [2, 2, 2, 2],
    ]);
    const other = jacrev(jacfwd(f))(p);
    expect(h.m.x.toArray()).toEqual(other.m.x.toArray());
    expect(sum(h.m.m).item()).toBe(0);
  });

  test('of several arguments, with aux, and of a function that is no scalar', () => {
    const f = (x: Tensor, y: Tensor) => [multiply(x, square(y)), x] as const;
    const [h, aux] = hessian(f, { argnums: [0, 1], hasAux: true })(f64([2]), f64([3]));
    expect(h.map((row) => row.map((t) => t.toArray()))).toEqual([
      [[[[0]]], [[[6]]]],
      [[[[6]]], [[[4]]]],
    ]);
    expect(aux.toArray()).toEqual([2]);
  });
});

describe('hvp', () => {
  const f = (p: { a: Tensor; b: Tensor }, k: Tensor): Tensor =>
    sum(multiply(exp(p.a), multiply(k, sin(p.b))));
  const p = { a: f64([0.1, 0.7]), b: f64([-0.4, 1.1]) };
  const v = { a: f64([1, -2]), b: f64([0.5, 3]) };
  const k = tensor([2, 3], 'int32');

  test('is the Hessian times the vector, on trees', () => {
    const h = hessian(f)(p, k);
    const product = hvp(f, [p, k], v);
    const expected = (row: { a: Tensor; b: Tensor }): Tensor => add(matmul(row.a, v.a), matmul(row.b, v.b));
    for (const [i, leaf] of [expected(h.a), expected(h.b)].entries())
      for (const [j, x] of (leaf.toArray() as number[]).entries())
        expect(([product.a, product.b][i] as Tensor).dataSync()[j]).toBeCloseTo(x, 13);
  });

  test('composes with jit, vmap and grad', () => {
    const cube = (x: Tensor): Tensor => sum(multiply(x, square(x)));
    const x = f64([1, 2]);
    const product = (y: Tensor, u: Tensor): Tensor => hvp(cube, [y], u);
    expect(jit(product)(x, f64([1, 1])).toArray()).toEqual([6, 12]);
    const many = vmap(product, { inAxes: [null, 0] });
    expect(
      many(
        x,
        f64([
          [1, 0],
          [0, 1],
        ]),
      ).toArray(),
    ).toEqual([
      [6, 0],
      [0, 12],
    ]);
    expect(grad((y: Tensor) => sum(product(y, f64([1, 2]))))(x).toArray()).toEqual([6, 12]);
  });

  test('with argnums: a vector for another argument, or for several', () => {
    const g = (x: Tensor, y: Tensor): Tensor => multiply(square(x), square(y));
    const [x, y, one] = [tensor(2, 'float64'), tensor(3, 'float64'), tensor(1, 'float64')];
    expect(hvp(g, [x, y], one, { argnums: 1 }).item()).toBe(8);
    expect(hvp(g, [x, y], [one, one], { argnums: [0, 1] }).map((t) => t.item())).toEqual([18 + 24, 24 + 8]);
  });

  test.each([
    [
      () => hvp(f, [p, k], { a: v.a } as never),
      'hvp: primals and tangents must have the same structure, but at [0] primals has keys {a, b} and tangents has keys {a}.',
    ],
    [
      () => hvp((x: Tensor) => sum(x), [f64([1, 2])], f64([1])),
      'hvp: the tangent of [0] must be f64[2], but is f64[1].',
    ],
    [() => hvp((x: Tensor) => x, [f64([1, 2])], f64([1, 1])), 'grad: the function must return a scalar'],
  ])('says what does not fit (%#)', (g, text) => {
    expect(g).toThrow(text);
  });
});

describe('linearTranspose', () => {
  const a = f64([
    [1, 2, 3],
    [4, 5, 6],
  ]);

  test('is the transposed map, of shapes alone, on trees', () => {
    const f = (p: { x: Tensor; y: Tensor }): Tensor => add(matmul(a, p.x), multiply(2, p.y));
    const shapes = { x: new ShapeDtype([3], 'float64'), y: new ShapeDtype([2], 'float64') };
    const [ct] = linearTranspose(f, shapes)(f64([1, 10]));
    expect([ct.x.toArray(), ct.y.toArray()]).toEqual([
      [41, 52, 63],
      [2, 20],
    ]);
  });

  test('composes: constants in the function, jit, twice, with the other transformations', () => {
    const x = f64([1, 2, 3]);
    const f = (k: Tensor) => (t: Tensor) => matmul(a, multiply(cos(k), t));
    const k = tensor(0.3, 'float64');
    const back = (s: Tensor): Tensor => linearTranspose(f(s), x)(f64([1, 1]))[0];
    expect(jit(back)(k).toArray()).toEqual(back(k).toArray());
    const slope = divide(grad((s: Tensor) => sum(back(s)))(k), -21).item();
    expect(slope).toBeCloseTo(Math.sin(0.3), 14);
    const twice = linearTranspose((ct: Tensor) => linearTranspose(f(k), x)(ct)[0], f64([0, 0]));
    expect(twice(x)[0].toArray()).toEqual(f(k)(x).toArray());
  });

  test.each([
    [
      () => linearTranspose(sin, new ShapeDtype([]))(1),
      'sin: has no transpose rule; it is not linear; differentiate with grad() or vjp() instead.',
    ],
    [
      () => linearTranspose((x: Tensor) => multiply(x, x), new ShapeDtype([]))(1),
      'mul: cannot be transposed, because it is not linear',
    ],
    [
      () => linearTranspose((x: Tensor) => outer(x, x), new ShapeDtype([2]))(ones([2, 2])),
      'mul: cannot be transposed, because it is not linear',
    ],
    [
      () => linearTranspose((x: Tensor) => x, new ShapeDtype([2]))(1),
      'linearTranspose: the cotangent of (root) must be f32[2], but is f32[].',
    ],
  ])('says what is wrong (%#)', (f, text) => {
    expect(f).toThrow(text);
  });
});
