import { describe, expect, test } from 'vitest';
import { checkProgram, type Program, Var } from '../../src/ir/program.ts';
import { toTensor } from '../../src/ops/convert.ts';
import { add, elementary, mul } from '../../src/primitives/arithmetic.ts';
import { scalar } from '../../src/primitives/pointwise.ts';
import type { Tensor } from '../../src/tensor.ts';
import { jit, makeProgram } from '../../src/transforms/jit.ts';
import { linearize } from '../../src/transforms/linearize.ts';
import { grad } from '../../src/transforms/vjp.ts';

const x = toTensor(new Float32Array([1, 2]));
const program = (): Program => makeProgram((y: Tensor) => add(elementary.exp(y), y), x);

describe('a program is refused', () => {
  test('if a value is used before it is defined', () => {
    const { inputs, equations, outputs } = program();
    expect(() => checkProgram({ inputs, equations: equations.toReversed(), outputs })).toThrow(
      'program: equation 0 (add) uses a value before its definition.',
    );
  });

  test('if a value is defined twice', () => {
    const { inputs, equations, outputs } = program();
    expect(() => checkProgram({ inputs, equations: [...equations, ...equations], outputs })).toThrow(
      'program: equation 2 (exp) defines a value twice.',
    );
  });

  test('if a result is not what the shape rule says', () => {
    const { inputs, equations, outputs } = program();
    const wrong = equations.map((e, i) =>
      i === 1 ? { ...e, outputs: [new Var({ shape: [3], dtype: 'float32' })] } : e,
    );
    expect(() => checkProgram({ inputs, equations: wrong, outputs })).toThrow(
      'program: equation 1 (add) has results f32[3], but its shape rule gives f32[2].',
    );
  });

  test('if it returns what nobody computes', () => {
    const { inputs, equations } = program();
    expect(() =>
      checkProgram({ inputs, equations, outputs: [new Var({ shape: [], dtype: 'bool' })] }),
    ).toThrow('program: the output list uses a value before its definition.');
  });
});

test('the linear part of a function is a program that prints', () => {
  const [, df] = linearize((y: Tensor) => mul(elementary.sin(y), scalar(2, 'float32')), x);
  expect(
    makeProgram(
      grad((y: Tensor) => mul(y, y)),
      3,
    ).toString(),
  ).toMatchInlineSnapshot(`
    "{ a:f32[] =>
      b:f32[] = mul a a
      c:f32[] = mul a 1
      d:f32[] = mul 1 a
      e:f32[] = add c d
      return e }"
  `);
  expect(df.program.equations.map((e) => e.primitive.name)).toEqual(['mul', 'mul']);
});

test('a jitted function inside another is written out', () => {
  const inner = jit((y: Tensor) => elementary.exp(y));
  const names = makeProgram((y: Tensor) => inner(inner(y)), x).equations.map((e) => e.primitive.name);
  expect(names).toEqual(['exp', 'exp']);
});
