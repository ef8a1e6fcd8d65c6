import { add, multiply, reference, setBackend, sin, sum, type Tensor, tensor } from '@neumann/core';
import { bind1, type Expr, linear, type Primitive, pointwise, scalar, unary } from '@neumann/core/extend';
import { describe, expect, test } from 'vitest';
import { checkGradients } from '../src/index.ts';

setBackend(reference());

const x = tensor(Float64Array.of(0.3, -1.1, 0.7));

/** A unary primitive whose derivative is `slope`, right or wrong. */
function unaryPrimitive(name: 'sin' | 'cos', slope: (x: Tensor) => Tensor): (x: Tensor) => Tensor {
  const primitive = pointwise({
    name: `my ${name}`,
    dtype: () => 'float64',
    express: ([e]) => unary(name, e as Expr),
    differentials: [(dx, [operand]) => multiply(dx, slope(operand as Tensor))],
  });
  return (operand) => bind1(primitive, [operand]);
}

/** The identity, with a transpose rule that multiplies by `factor`. */
function identity(factor: number): (x: Tensor) => Tensor {
  const primitive = linear<Record<never, never>>({
    name: 'my identity',
    kind: 'kernel',
    shape: (aval) => aval.shape,
    transpose: (ct) => multiply(ct, scalar(factor, 'float64')),
    batch: (operand, axis) => [operand, axis],
    lower: () => {
      throw new Error('unused');
    },
  });
  // An alias: it needs no kernel.
  const alias: Primitive = { ...(primitive as Primitive), kind: 'alias' };
  alias.jvp = (primals, tangents) => [[bind1(alias, primals)], [bind1(alias, tangents as Tensor[])]];
  return (operand) => bind1(alias, [operand]);
}

const cos = unaryPrimitive('cos', (t) => multiply(-1, sin(t)));
const wrong = scalar(1.001, 'float64');

describe('a derivative that is right', () => {
  test('passes, in both modes and to third order', () => {
    checkGradients(unaryPrimitive('sin', cos), [x], { order: 3 });
    checkGradients(identity(1), [x], { order: 3 });
  });

  test('passes for trees, with several results, and with integers among the arguments', () => {
    const f = ({ w, b }: { w: Tensor; b: Tensor }, n: Tensor) => [
      sum(multiply(w, sin(b))),
      { y: multiply(b, n), n },
    ];
    checkGradients(f, [{ w: x, b: x }, tensor([2], 'int32')]);
  });
});

describe('a derivative wrong by 0.1 %', () => {
  test('fails in forward mode', () => {
    const f = unaryPrimitive('sin', (t) => multiply(wrong, cos(t)));
    expect(() => checkGradients(f, [x], { order: 1, modes: ['forward'] })).toThrow(/forward of .*jvp gives/);
    expect(() => checkGradients(f, [x])).toThrow(/forward of/);
  });

  test('fails in reverse mode: a wrong transpose', () => {
    const f = (t: Tensor) => sin(identity(1.001)(t));
    checkGradients(f, [x], { order: 2, modes: ['forward'] });
    expect(() => checkGradients(f, [x], { order: 1, modes: ['reverse'] })).toThrow(
      /^checkGradients: reverse of f: vjp gives/,
    );
  });

  test('fails in second order, forward over forward', () => {
    const wrongCos = unaryPrimitive('cos', (t) => multiply(multiply(-1, wrong), sin(t)));
    const f = unaryPrimitive('sin', wrongCos);
    checkGradients(f, [x], { order: 1 });
    expect(() => checkGradients(f, [x], { modes: ['forward'] })).toThrow(/forward of forward of/);
    expect(() => checkGradients(f, [x], { order: 2 })).toThrow(/forward of forward of/);
  });

  test('fails in second order, reverse over reverse', () => {
    const badly = identity(1.001);
    const f = unaryPrimitive('sin', (t) => badly(cos(t)));
    checkGradients(f, [x], { order: 1 });
    checkGradients(f, [x], { order: 2, modes: ['forward'] });
    expect(() => checkGradients(f, [x], { modes: ['reverse'] })).toThrow(/reverse of reverse of/);
  });

  test('fails if one element of many is wrong, however small beside the others', () => {
    const weights = tensor(Float64Array.of(1, 1.001, 1));
    const f = unaryPrimitive('sin', (t) => multiply(weights, cos(t)));
    expect(() =>
      checkGradients((t: Tensor) => multiply(f(t), tensor(Float64Array.of(30, 0.1, 30))), [x]),
    ).toThrow(/element 1/);
  });

  test('fails at a point where the function itself is large', () => {
    const f = unaryPrimitive('sin', (t) => multiply(wrong, cos(t)));
    expect(() => checkGradients((t: Tensor) => add(f(t), 1000), [x], { order: 1 })).toThrow(/forward/);
  });
});

describe('what cannot be checked', () => {
  test('float32 is refused: its finite differences see rounding', () => {
    expect(() => checkGradients(sin, [tensor([1, 2])])).toThrow(
      'checkGradients: needs float64, but [0] is f32[2].',
    );
  });

  test('no float argument is refused', () => {
    expect(() => checkGradients((n: Tensor) => n, [tensor([1], 'int32')])).toThrow(
      'there is no float64 among the arguments',
    );
  });
});
