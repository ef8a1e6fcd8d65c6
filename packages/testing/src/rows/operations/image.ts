/** The namespace `image`. */
import { image, type ResizeMethod } from '@neumann/core';
import fc from 'fast-check';
import { operandBetween, smoothOperand } from '../../arbitrary.ts';
import type { Shape } from '../../core.ts';
import type { Form, Operand, Row } from '../../row.ts';
import { floats } from '../dtypes.ts';

const methods: readonly ResizeMethod[] = ['nearest', 'linear', 'cubic', 'lanczos3', 'lanczos5'];

/** Of images of at most 7 by 7. */
const extents = (most: number): fc.Arbitrary<number[]> =>
  fc.array(fc.integer({ min: 1, max: most }), { minLength: 1, maxLength: 2 });

const resizeForms = (most: number, operand: (s: Shape) => Operand): fc.Arbitrary<Form> =>
  fc
    .record({
      shape: extents(most),
      n: fc.integer({ min: 1, max: most + 3 }),
      method: fc.constantFrom(...methods),
    })
    .map(({ shape, n, method }) => ({
      f: (x) => image.resize(x, shape.with(0, n), method),
      text: `image.resize ${n} ${method}`,
      operands: [operand(shape)],
    }));

const scaleForms = (most: number, operand: (s: Shape) => Operand): fc.Arbitrary<Form> =>
  extents(most).map((shape) => ({
    f: (x) => {
      const place = { scale: [1.3], translation: [0.4] };
      return image.scaleAndTranslate(x, shape.with(0, 6), [0], place, 'linear');
    },
    text: 'image.scaleAndTranslate',
    operands: [operand(shape)],
  }));

/** Positions within cells, where the result is smooth. */
const mapForms = (operand: (s: Shape) => Operand, at: (s: Shape) => Operand): fc.Arbitrary<Form> =>
  fc
    .record({
      n: fc.integer({ min: 2, max: 4 }),
      count: fc.integer({ min: 1, max: 5 }),
      mode: fc.constantFrom('constant', 'nearest', 'wrap', 'mirror', 'reflect'),
    })
    .map(({ n, count, mode }) => ({
      f: (x, row, column) => image.mapCoordinates(x, [row, column], { mode: mode as 'wrap' }),
      text: `image.mapCoordinates ${mode}`,
      operands: [operand([n, 3]), at([count]), at([count])],
    }));

const linearRow = (name: string, forms: typeof resizeForms): Row => ({
  name: `image.${name}`,
  dtypes: floats,
  error: 'sum',
  values: (dtype) => forms(7, (s) => operandBetween(dtype, s, -1, 1)),
  smooth: forms(3, (s) => smoothOperand(s)),
});

export const imageRows: readonly Row[] = [
  { ...linearRow('resize', resizeForms), error: { units: 32, floor: 1 } },
  { ...linearRow('scaleAndTranslate', scaleForms), error: { units: 32, floor: 1 } },
  {
    name: 'image.mapCoordinates',
    dtypes: floats,
    error: { units: 64, floor: 1 },
    values: (dtype) =>
      mapForms(
        (s) => operandBetween(dtype, s, -1, 1),
        (s) => operandBetween(dtype, s, -4, 6),
      ),
    smooth: mapForms(
      (s) => smoothOperand(s),
      (s) => smoothOperand(s, 0.1, 0.9),
    ),
  },
];
