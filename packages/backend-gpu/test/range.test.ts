import {
  acc,
  addIndex,
  BackendError,
  binary,
  cast,
  compare,
  constant,
  coord,
  type Expr,
  type Kernel,
  load,
  mulIndex,
  select,
  unary,
} from '@neumann/core/backend';
import { describe, expect, test } from 'vitest';
import { gpu } from '../src/index.ts';
import { rangeKernel } from '../src/range.ts';
import { both, kernel, run } from './run.ts';

const backend = await gpu({ mode: 'webasm' });
const most = 2 ** 24 - 1;

const x = load(0, 'int32', [coord(0)]);
const int = (value: number): Expr => constant('int32', value);
const inputs = [{ dtype: 'int32', shape: [3] }] as const;
const of = (output: Expr): Kernel => kernel({ name: 'k', inputs, axes: [3], outputs: [output] });
const folding = (op: 'add' | 'mul' | 'max', value: Expr, output: Expr = acc('int32', 0)): Kernel =>
  kernel({ name: 'k', inputs, reduceAxes: [3], reductions: [{ op, value }], outputs: [output] });

describe('an int32 that float32 cannot hold is an error', () => {
  test('in a new tensor', () => {
    const buffer = backend.upload('int32', Int32Array.of(most, -most));
    expect([...backend.downloadSync(buffer)]).toEqual([most, -most]);
    expect(() => backend.upload('int32', Int32Array.of(0, most + 1))).toThrow(
      new BackendError(
        'gpu: a new tensor holds 16777216 at position 1, but int32 is exact only up to ±16777215 here, because gpu.js ' +
          'computes in float32. Use another backend for it, or float32.',
      ),
    );
  });

  test('in a result', () => {
    const next = of(binary('add', x, int(1)));
    expect(rangeKernel(next, 0)).toBeUndefined();
    expect([...(run(backend, next, [Int32Array.of(most - 1, 0, -most)])[0] ?? [])]).toEqual([
      most,
      1,
      1 - most,
    ]);
    expect(() => run(backend, next, [Int32Array.of(0, most, 0)])).toThrow(
      /^gpu: a result of kernel k holds 16777216 at position 1, but int32 is exact only/,
    );
  });

  const message =
    /^gpu: an integer inside kernel k left the range, but int32 is exact only up to ±16777215 here/;
  const small = Int32Array.of(5, -3, 2);
  const big = [1, most, 1];

  test.each<[string, Kernel, number[]]>([
    ['in the middle of an expression', of(binary('sub', binary('add', x, int(2)), int(2))), big],
    ['that is only compared', of(compare('eq', binary('add', x, int(2)), binary('add', x, int(1)))), big],
    ['that becomes a float', of(cast('float32', binary('mul', x, x))), big],
    ['in a sum that comes back', folding('add', x), [most, 2, -2]],
    ['that is folded', folding('max', binary('sub', binary('add', x, int(2)), int(2))), big],
    ['in a product that ends at 0', folding('mul', x), [2 ** 12, 2 ** 12, 0]],
    [
      'behind a reduction',
      folding('max', x, compare('lt', int(0), binary('mul', acc('int32', 0), int(9)))),
      big,
    ],
  ])('%s', (_, kernel, beyond) => {
    const { got, want } = both(backend, kernel, [small]);
    expect(got).toEqual(want);
    expect(() => run(backend, kernel, [Int32Array.from(beyond)])).toThrow(message);
  });

  test('made from a float', () => {
    const whole = cast('int32', load(0, 'float32', [coord(0)]));
    const parts = { name: 'k', inputs: [{ dtype: 'float32', shape: [3] }] as const, axes: [3] };
    const odd = kernel({ ...parts, outputs: [compare('lt', whole, int(5))] });
    expect([...(run(backend, odd, [Float32Array.of(4.9, 5.1, NaN)])[0] ?? [])]).toEqual([1, 0, 1]);
    expect(() => run(backend, odd, [Float32Array.of(0, 2 ** 24, 0)])).toThrow(message);
    expect(() => run(backend, odd, [Float32Array.of(0, -Infinity, 0)])).toThrow(message);
  });
});

test('what intervals prove needs no check', () => {
  const proved: Kernel[] = [
    of(cast('float32', addIndex(mulIndex(coord(0), 1000), -7))),
    of(cast('float32', binary('rem', x, int(5)))),
    of(cast('float32', binary('div', x, int(5)))),
    of(cast('float32', binary('max', unary('abs', x), unary('neg', x)))),
    of(cast('float32', binary('mul', binary('rem', x, int(1000)), binary('rem', x, int(1000))))),
    of(cast('float32', cast('int32', cast('uint8', x)))),
    of(select(compare('lt', x, int(0)), int(-(2 ** 31)), x)),
    folding('add', unary('sign', x), cast('float32', acc('int32', 0))),
    folding('mul', unary('sign', x), cast('float32', acc('int32', 0))),
  ];
  for (const each of proved) expect(rangeKernel(each, 0)).toBeUndefined();
});

test('a check that is the same at every point runs once', () => {
  const step = load(0, 'int32', []);
  const decay = cast('float32', binary('add', step, int(1)));
  const scaled = kernel({ inputs: [{ dtype: 'int32', shape: [] }], axes: [100, 100], outputs: [decay] });
  expect(rangeKernel(scaled, 0)?.axes).toEqual([]);
});
