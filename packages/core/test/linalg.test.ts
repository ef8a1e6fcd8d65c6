import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as nm from '../src/index.ts';
import { linalg, type NestedData, OptionError, RuleError, ShapeError, type Tensor } from '../src/index.ts';

const golden = JSON.parse(readFileSync(new URL('./goldens/linalg.json', import.meta.url), 'utf8')) as {
  inputs: Record<string, NestedData>;
  // biome-ignore lint/suspicious/noExplicitAny: whatever NumPy printed
  results: Record<string, any>;
};
const of = (name: string): Tensor => nm.tensor(golden.inputs[name] as NestedData, 'float64');
const [square, tall, rhs, target] = ['square', 'tall', 'rhs', 'target'].map(of) as [
  Tensor,
  Tensor,
  Tensor,
  Tensor,
];
const { results } = golden;

/** Equal up to the rounding of a few hundred operations. */
function expectClose(actual: Tensor, expected: unknown, digits: number = 11): void {
  const flat = [expected].flat(4) as number[];
  expect(actual.size).toBe(flat.length);
  for (const [i, x] of actual.dataSync().entries()) {
    const want = flat[i] as number;
    expect(Math.abs(x - want), `${x} instead of ${want}`).toBeLessThanOrEqual(
      10 ** -digits * Math.max(1, Math.abs(want)),
    );
  }
}

describe("NumPy's results", () => {
  test('factorisations', () => {
    expectClose(linalg.cholesky(of('positive')), results['cholesky']);
    for (const [name, a, mode] of [
      ['qr', tall, 'reduced'],
      ['complete', tall, 'complete'],
      ['wide', linalg.matrixTranspose(tall), 'reduced'],
    ] as const) {
      const { q, r } = linalg.qr(a, { mode });
      expectClose(q, results[name][0]);
      expectClose(r, results[name][1]);
    }
    const { p, l, u } = linalg.lu(tall);
    for (const [i, x] of [p, l, u].entries()) expectClose(x, results['lu'][i]);
  });

  test('spectra: values, and vectors up to their sign', () => {
    const { eigenvalues, eigenvectors } = linalg.eigh(of('symmetric'));
    expectClose(eigenvalues, results['eigh'][0]);
    expectClose(linalg.eigvalsh(of('symmetric')), results['eigh'][0]);
    const magnitudes = (x: unknown): number[] => ([x].flat(4) as number[]).map(Math.abs);
    expectClose(nm.abs(eigenvectors), magnitudes(results['eigh'][1]));
    const { u, s, vh } = linalg.svd(tall);
    expectClose(s, results['svd'][1]);
    expectClose(nm.abs(vh), magnitudes(results['svd'][2]));
    // The last columns of u only span the same space.
    const firstOf = (x: Tensor): Tensor => nm.slice(x, [null, [0, 3]]);
    expect(u.shape).toEqual([5, 5]);
    expectClose(
      nm.abs(firstOf(u)),
      (results['svd'][0] as number[][]).flatMap((r) => r.slice(0, 3)).map(Math.abs),
    );
  });

  test('equations', () => {
    expectClose(linalg.solve(square, rhs), results['solve']);
    expectClose(linalg.inv(square), results['inv']);
    expectClose(linalg.pinv(tall), results['pinv']);
    expectClose(linalg.pinv(of('deficient')), results['pinvDeficient']);
    const { x, residuals, rank, s } = linalg.lstsq(tall, target);
    for (const [i, y] of [x, residuals, s].entries()) expectClose(y, results['lstsq'][i]);
    expect(rank.item()).toBe(3);
    expect(linalg.matrixRank(of('deficient')).item()).toBe(results['rank']);
    expect(linalg.lstsq(of('deficient'), nm.ones([4], 'float64')).rank.item()).toBe(2);
  });

  test('numbers of a matrix', () => {
    expectClose(linalg.det(square), results['det']);
    const { sign, logAbsDet } = linalg.slogdet(square);
    expectClose(sign, results['slogdet'][0]);
    expectClose(logAbsDet, results['slogdet'][1]);
    const orders = (name: string): [number | 'fro' | 'nuc', number][] =>
      Object.entries(results[name] as Record<string, number>).map(([key, value]) => {
        const ord = key === 'fro' || key === 'nuc' ? key : Number(key.replace('inf', 'Infinity'));
        return [ord, value];
      });
    for (const [ord, want] of orders('norms')) expectClose(linalg.norm(tall, { ord }), want);
    const column = nm.take(tall, 0, { axis: 1 });
    for (const [ord, want] of orders('vectorNorms')) expectClose(linalg.norm(column, { ord }), want);
    for (const [ord, want] of orders('cond')) expectClose(linalg.cond(square, { ord }), want, 10);
  });

  test('products and exponentials', () => {
    expectClose(linalg.matrixPower(square, 5), results['power']);
    expectClose(linalg.matrixPower(square, -3), results['inversePower'], 9);
    expectClose(linalg.expm(square), results['expm']);
    expectClose(linalg.expm(nm.multiply(square, 4)), results['expmLarge'], 10);
    const t = linalg.matrixTranspose(tall);
    expectClose(linalg.multiDot([t, tall, t, target]), results['multiDot']);
  });
});

describe('at the hard points', () => {
  const f64 = (x: NestedData): Tensor => nm.tensor(x, 'float64');

  test('what is not positive definite has no Cholesky factor', () => {
    expect(
      linalg
        .cholesky(
          f64([
            [1, 2],
            [2, 1],
          ]),
        )
        .toArray(),
    ).toEqual([
      [Number.NaN, 0],
      [Number.NaN, Number.NaN],
    ]);
    const both = nm.stack([
      f64([
        [4, 0],
        [0, 1],
      ]),
      f64([
        [-1, 0],
        [0, 1],
      ]),
    ]);
    expect(nm.any(nm.isNan(linalg.cholesky(both)), { axis: [1, 2] }).toArray()).toEqual([false, true]);
  });

  test('singular matrices: determinant 0, its gradient the cofactors, no inverse', () => {
    const singular = f64([
      [1, 2],
      [2, 4],
    ]);
    expectClose(linalg.det(singular), 0);
    expectClose(nm.grad(linalg.det)(singular), [4, -2, -2, 1]);
    expectClose(nm.grad(linalg.det)(nm.zeros([3, 3], 'float64')), new Array(9).fill(0));
    expect(linalg.slogdet(singular).logAbsDet.item()).toBe(-Infinity);
    expect(linalg.slogdet(singular).sign.item()).toBe(0);
    expect(nm.any(nm.isFinite(linalg.inv(singular))).toArray()).toBe(false);
    expect(
      linalg
        .cond(
          f64([
            [1, 0],
            [0, 0],
          ]),
        )
        .item(),
    ).toBe(Infinity);
  });

  test('zero rows above the pivot do not disturb elimination', () => {
    const a = f64([
      [0, 1, 2],
      [0, 0, 3],
      [4, 5, 6],
    ]);
    const { p, l, u } = linalg.lu(a);
    expect(nm.matmul(p, nm.matmul(l, u)).toArray()).toEqual(a.toArray());
    expect(linalg.det(a).item()).toBe(12);
  });

  test('repeated eigenvalues: the derivatives of values are finite, those of vectors are not', () => {
    const eye = nm.eye(3, 3, 'float64');
    const trace = (x: Tensor): Tensor => nm.sum(linalg.eigvalsh(x));
    expectClose(nm.grad(trace)(eye), [1, 0, 0, 0, 1, 0, 0, 0, 1]);
    const nuclear = (x: Tensor): Tensor => linalg.norm(x, { ord: 'nuc' });
    expectClose(nm.grad(nuclear)(eye), [1, 0, 0, 0, 1, 0, 0, 0, 1]);
    const vectors = (x: Tensor): Tensor => nm.sum(linalg.eigh(x).eigenvectors);
    expect(nm.all(nm.isFinite(nm.grad(vectors)(eye))).toArray()).toBe(false);
  });

  test('what is not finite gives NaN and returns', () => {
    const bad = f64([
      [Number.NaN, 1],
      [1, 2],
    ]);
    for (const x of [
      ...Object.values(linalg.eigh(bad)),
      ...Object.values(linalg.svd(bad)),
      linalg.expm(bad),
      linalg.pinv(bad),
    ])
      expect(nm.all(nm.isNan(x)).toArray()).toBe(true);
  });

  test('rank one: singular vectors are orthonormal all the same', () => {
    const a = nm.outer(f64([1, 2, 3, 4]), f64([1, -1, 2]));
    const { u, s, vh } = linalg.svd(a);
    expectClose(nm.matmul(linalg.matrixTranspose(u), u), nm.eye(4, 4, 'float64').toArray());
    expectClose(nm.matmul(vh, linalg.matrixTranspose(vh)), nm.eye(3, 3, 'float64').toArray());
    expectClose(s, [Math.sqrt(30 * 6), 0, 0]);
  });

  test('matrices without rows or columns', () => {
    expect(linalg.det(nm.zeros([0, 0])).item()).toBe(1);
    expect(linalg.inv(nm.zeros([2, 0, 0])).shape).toEqual([2, 0, 0]);
    expect(linalg.svd(nm.zeros([3, 0])).u.toArray()).toEqual(nm.eye(3).toArray());
    expect(linalg.pinv(nm.zeros([3, 0])).shape).toEqual([0, 3]);
    expect(linalg.matrixRank(nm.zeros([3, 0])).item()).toBe(0);
    expect(linalg.qr(nm.zeros([0, 2])).r.shape).toEqual([0, 2]);
    expect(linalg.solve(nm.zeros([0, 3, 3]), nm.zeros([3, 1])).shape).toEqual([0, 3, 1]);
  });

  test('large and small numbers neither overflow nor vanish', () => {
    const a = f64([
      [3, 0],
      [4, 5],
    ]);
    for (const scale of [1e200, 1e-200]) {
      expectClose(nm.divide(linalg.svdvals(nm.multiply(a, scale)), scale), [3 * Math.sqrt(5), Math.sqrt(5)]);
      expectClose(nm.divide(linalg.qr(nm.multiply(a, scale)).r, scale), [-5, -4, 0, 3]);
    }
    expect(linalg.det(nm.multiply(nm.eye(3, 3, 'float64'), 1e-120)).item()).toBe(0);
    expectClose(linalg.slogdet(nm.multiply(nm.eye(3, 3, 'float64'), 1e-120)).logAbsDet, -360 * Math.LN10);
  });

  test('float32 is computed in float64 and rounded once', () => {
    // The condition of Hilbert's matrix of order 6 is 1.5e7.
    const hilbert = nm.tensor(
      Array.from({ length: 6 }, (_, i) => Array.from({ length: 6 }, (_, j) => 1 / (i + j + 1))),
      'float32',
    );
    const wide = linalg.inv(nm.astype(hilbert, 'float64'));
    expect(linalg.inv(hilbert).toArray()).toEqual(nm.astype(wide, 'float32').toArray());
  });
});

describe('batches', () => {
  test('one matrix and many right-hand sides are one system', () => {
    const a = square;
    const bs = nm.stack([rhs, nm.multiply(rhs, 2), nm.multiply(rhs, 3)]);
    expectClose(
      linalg.solve(a, bs),
      [1, 2, 3].flatMap((k) => results['solve'].flat().map((x: number) => k * x)),
    );
    expectClose(nm.vmap((b: Tensor) => linalg.solve(a, b))(bs), linalg.solve(a, bs).toArray());
    expect(linalg.solve(nm.stack([a, a]), nm.ones([4], 'float64')).shape).toEqual([2, 4]);
  });

  test('under jit, the factors of a system serve its gradient too', () => {
    const f = nm.jit(
      nm.grad((a: Tensor, b: Tensor) => nm.sum(nm.square(linalg.solve(a, b))), { argnums: [0, 1] }),
    );
    const program = nm.makeProgram(f, square, rhs);
    const names = program.equations.map((e) => e.primitive.name);
    expect(names.filter((name) => name === 'luParts')).toHaveLength(1);
    expect(names.filter((name) => name === 'linearSolve')).toHaveLength(2);
  });
});

describe('mistakes are named', () => {
  const wide = nm.ones([2, 3]);
  test.each<[string, () => unknown, new (m: string) => Error, string]>([
    [
      'no square',
      () => linalg.inv(wide),
      ShapeError,
      'linalg.inv: needs square matrices […,N,N], but got f32[2,3].',
    ],
    [
      'no matrix',
      () => linalg.svd(nm.ones([3])),
      ShapeError,
      'linalg.svd: needs matrices […,M,N], but got f32[3].',
    ],
    [
      'a right-hand side of other extents',
      () => linalg.solve(nm.eye(3), nm.ones([2])),
      ShapeError,
      'linalg.solve: a f32[3,3] needs b of 3 rows, […,3,K] or [3], but b is f32[2].',
    ],
    [
      'a mode',
      () => linalg.qr(wide, { mode: 'raw' as never }),
      OptionError,
      "linalg.qr: mode is 'reduced' or 'complete', but got \"raw\".",
    ],
    [
      'an order',
      () => linalg.norm(wide, { ord: 3 }),
      OptionError,
      'linalg.norm: the order for matrices is 1, -1, 2',
    ],
    [
      'axes',
      () => linalg.norm(nm.ones([2, 2, 2]), { ord: 1 }),
      ShapeError,
      'linalg.norm: axes are different, and with ord one',
    ],
    [
      'an exponent',
      () => linalg.matrixPower(nm.eye(2), 0.5),
      OptionError,
      'linalg.matrixPower: the exponent is an integer, but got 0.5.',
    ],
    ['one factor', () => linalg.multiDot([wide]), ShapeError, 'linalg.multiDot: needs two or more matrices'],
    [
      'batches of least squares',
      () => linalg.lstsq(nm.ones([2, 3, 3]), nm.ones([3])),
      ShapeError,
      'see vmap()',
    ],
    [
      'the derivative of a complete Q',
      () => nm.grad((x: Tensor) => nm.sum(linalg.qr(x, { mode: 'complete' }).q))(nm.ones([3, 2])),
      RuleError,
      "qr: has no derivative rule; the matrix is 3×2; a complete Q of a tall matrix is not determined by it. Use mode 'reduced'.",
    ],
    [
      'the derivative of full singular vectors',
      () => nm.grad((x: Tensor) => nm.sum(linalg.svd(x).u))(wide),
      RuleError,
      'svd: has no derivative rule; the vectors that complete those of a 2×3 matrix',
    ],
  ])('%s', (_, f, kind, message) => {
    expect(f).toThrow(kind);
    expect(f).toThrow(message);
  });
});
