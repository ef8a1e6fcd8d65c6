import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addExpr,
  addIndex,
  allOf,
  binary,
  bitcast,
  cast,
  compare,
  constant,
  coord,
  floorDiv,
  inBounds,
  load,
  loadsOf,
  mapExpr,
  mod,
  mulExpr,
  mulIndex,
  nodesOf,
  select,
  substitute,
  substituteAll,
  unary,
} from '../../src/ir/expr.ts';
import type { Expr } from '../../src/ir/kernel.ts';
import { interpret } from '../../src/reference/interpret.ts';

const x = coord(0);
const int = (n: number): Expr => constant('int32', n);

/** The value of an int32 expression at coordinates. */
function at(expr: Expr, ...coordinates: number[]): number {
  const outputs = [substitute(expr, { coord: (axis) => load(axis, 'int32', []) })];
  const inputs = coordinates.map(() => ({ dtype: 'int32' as const, shape: [] }));
  const kernel = { name: 'at', inputs, axes: [], reduceAxes: [], reductions: [], outputs };
  return interpret(
    kernel,
    coordinates.map((n) => new Int32Array([n])),
  )[0]?.[0] as number;
}

describe('builders', () => {
  test('a constant is a number of its dtype', () => {
    expect(constant('float32', 0.1)).toEqual({ kind: 'const', dtype: 'float32', value: Math.fround(0.1) });
    expect(constant('bool', true)).toEqual({ kind: 'const', dtype: 'bool', value: 1 });
    expect(constant('float64', -0)).toEqual({ kind: 'const', dtype: 'float64', value: -0 });
    expect(() => constant('int32', 1.5)).toThrow('constant: 1.5 is not a number of int32.');
    expect(constant('int32', -0)).toEqual({ kind: 'const', dtype: 'int32', value: 0 });
    expect(() => constant('uint8', 256)).toThrow('constant: 256 is not a number of uint8.');
    expect(() => constant('uint32', -1)).toThrow('constant: -1 is not a number of uint32.');
    expect(() => constant('bool', 2)).toThrow('constant: 2 is not a number of bool.');
  });

  test('a cast or bitcast to the same dtype is nothing', () => {
    expect(cast('int32', x)).toBe(x);
    expect(bitcast('int32', x)).toBe(x);
    expect(cast('float32', x)).toEqual({ kind: 'cast', dtype: 'float32', x });
  });

  test('operands of two dtypes are refused', () => {
    const y = constant('float32', 1);
    expect(() => binary('add', x, y)).toThrow(
      'add: operands of one dtype needed, but got int32 and float32.',
    );
    expect(() => compare('lt', x, y)).toThrow('lt: operands of one dtype needed');
    expect(() => select(constant('bool', true), x, y)).toThrow('select: operands of one dtype needed');
  });

  test('load takes a dtype or an aval, and a guard if there is one', () => {
    expect(load(1, 'float32', [x])).toEqual({ kind: 'load', dtype: 'float32', input: 1, index: [x] });
    const guard = constant('bool', true);
    expect(load(0, { dtype: 'bool', shape: [2] }, [x], guard)).toHaveProperty('guard', guard);
  });
});

describe('index arithmetic', () => {
  const table: readonly (readonly [string, Expr, Expr])[] = [
    ['x + 0', addIndex(x, 0), x],
    ['0 + x', addExpr(int(0), x), x],
    ['x + 2 + 3', addIndex(addIndex(x, 2), 3), addIndex(x, 5)],
    ['x + 2 - 2', addIndex(addIndex(x, 2), -2), x],
    ['2 + 3', addIndex(int(2), 3), int(5)],
    ['x * 1', mulIndex(x, 1), x],
    ['x * 0', mulIndex(x, 0), int(0)],
    ['3 * x', mulExpr(int(3), x), mulIndex(x, 3)],
    ['x * 2 * 3', mulIndex(mulIndex(x, 2), 3), mulIndex(x, 6)],
    ['x / 1', floorDiv(x, 1), x],
    ['x * 6 / 3', floorDiv(mulIndex(x, 6), 3), mulIndex(x, 2)],
    ['x / 2 / 3', floorDiv(floorDiv(x, 2), 3), floorDiv(x, 6)],
    ['7 / 2', floorDiv(int(7), 2), int(3)],
    ['x % 1', mod(x, 1), int(0)],
    ['x * 6 % 3', mod(mulIndex(x, 6), 3), int(0)],
    ['x % 6 % 3', mod(mod(x, 6), 3), mod(x, 3)],
    ['x % 3 % 6', mod(mod(x, 3), 6), mod(x, 3)],
    ['7 % 4', mod(int(7), 4), int(3)],
  ];
  test.each(table)('%s is simplified', (_, made, simple) => expect(made).toEqual(simple));

  test('means what it says, for coordinates', () => {
    const [n, k] = [fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 50 })];
    fc.assert(
      fc.property(k, k, n, n, n, (a, b, p, q, r) => {
        const flat = addExpr(mulIndex(addIndex(coord(0), p), q), coord(1));
        const value = (a + p) * q + b;
        expect(at(flat, a, b)).toBe(value);
        expect(at(floorDiv(floorDiv(flat, r), p), a, b)).toBe(Math.floor(Math.floor(value / r) / p));
        expect(at(mod(mod(flat, r * p), r), a, b)).toBe((value % (r * p)) % r);
        expect(at(mod(mulIndex(flat, p), q), a, b)).toBe((value * p) % q);
        expect(at(floorDiv(mulIndex(flat, p), q), a, b)).toBe(Math.floor((value * p) / q));
      }),
    );
  });

  test('bounds and conjunctions', () => {
    const inside = inBounds(x, 3);
    expect([-1, 0, 2, 3].map((n) => at(cast('int32', inside), n))).toEqual([0, 1, 1, 0]);
    expect(allOf([])).toBeUndefined();
    expect(allOf([undefined, inside, undefined])).toBe(inside);
    expect(allOf([inside, inside])).toEqual(binary('and', inside, inside));
  });
});

describe('analysis', () => {
  const square = binary('mul', x, x);
  const both = binary('add', square, square);

  test('nodesOf lists each node once, operands first', () => {
    expect(nodesOf([both, square])).toEqual([x, square, both]);
  });

  test('nodesOf is linear in shared nodes and survives depth', () => {
    let e: Expr = x;
    for (let n = 0; n < 50_000; n++) e = binary('add', e, e);
    expect(nodesOf([e])).toHaveLength(50_001);
  });

  test('an expression among its own operands is reported', () => {
    const cyclic = { kind: 'unary', dtype: 'int32', op: 'neg', x } as { x: Expr } & Expr;
    cyclic.x = unary('abs', cyclic);
    expect(() => nodesOf([cyclic])).toThrow('expression: a unary node is among its own operands.');
  });

  test('loadsOf finds loads in indices and guards', () => {
    const inner = load(0, 'int32', [x]);
    const guard = load(2, 'bool', [x]);
    const outer = load(1, 'float32', [inner], guard);
    expect(loadsOf([outer, inner])).toEqual([inner, guard, outer]);
  });
});

describe('rewriting', () => {
  test('keeps identity where nothing changes', () => {
    const e = select(
      inBounds(x, 3),
      load(0, 'float32', [x], inBounds(x, 2)),
      unary('exp', load(1, 'float32', [x])),
    );
    expect(mapExpr([e], (node) => node)[0]).toBe(e);
    expect(substitute(e, {})).toBe(e);
  });

  test('keeps shared nodes shared, across roots too', () => {
    const shared = unary('exp', load(0, 'float32', [x]));
    const [a, b] = substituteAll([binary('add', shared, shared), shared], { coord: () => coord(1) });
    expect(a).toEqual(binary('add', b as Expr, b as Expr));
    expect(a?.kind === 'binary' && a.x === a.y && a.x === b).toBe(true);
  });

  test('puts expressions in the place of coordinates and simplifies indices again', () => {
    const e = load(0, 'float32', [addIndex(mulIndex(coord(0), 4), 1), coord(1)]);
    expect(substitute(e, { coord: (axis) => (axis === 0 ? int(2) : coord(0)) })).toEqual(
      load(0, 'float32', [int(9), coord(0)]),
    );
    expect(substitute(floorDiv(coord(0), 4), { coord: () => int(9) })).toEqual(int(2));
    expect(substitute(mod(coord(0), 4), { coord: () => int(-9) })).toEqual(int(-1));
  });

  test('hands loads over with their index substituted', () => {
    const e = unary('neg', load(3, 'float32', [coord(0)]));
    const inlined = substitute(e, {
      coord: () => coord(5),
      load: (node) => unary('exp', { ...node, input: 0 }),
    });
    expect(inlined).toEqual(unary('neg', unary('exp', load(0, 'float32', [coord(5)]))));
  });

  test('replaces acc by its index', () => {
    const e = binary('add', { kind: 'acc', dtype: 'float32', index: 1 }, constant('float32', 1));
    expect(substitute(e, { acc: (index) => ({ kind: 'acc', dtype: 'float32', index: index + 1 }) })).toEqual(
      binary('add', { kind: 'acc', dtype: 'float32', index: 2 }, constant('float32', 1)),
    );
  });
});
