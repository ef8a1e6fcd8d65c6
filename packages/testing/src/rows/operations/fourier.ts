/** The namespace `fft`. */
import { type Complex, fft } from '@neumann/core';
import fc from 'fast-check';
import { operandBetween, smoothOperand } from '../../arbitrary.ts';
import type { Shape, Tensor } from '../../core.ts';
import type { Form, Operand, Row } from '../../row.ts';
import { floats } from '../dtypes.ts';

const parts = ({ re, im }: Complex): Tensor[] => [re, im];

/** A function of one tensor, or of two that are real and imaginary parts. */
function row(name: string, operands: 1 | 2, f: (x: Complex, n: number) => Tensor | Tensor[], rank = 1): Row {
  const forms = (most: number, operand: (shape: Shape) => Operand): fc.Arbitrary<Form> =>
    fc
      .record({
        shape: fc.array(fc.integer({ min: 2, max: most }), { minLength: rank, maxLength: 2 }),
        n: fc.integer({ min: 1, max: most + 2 }),
      })
      .map(({ shape, n }) => ({
        f: (re, im = re) => f({ re, im }, n),
        text: `fft.${name} ${n}`,
        operands: Array.from({ length: operands }, () => operand(shape)),
      }));
  return {
    name: `fft.${name}`,
    dtypes: floats,
    error: { units: 16, floor: 8 },
    values: (dtype) => forms(9, (s) => operandBetween(dtype, s, -1, 1)),
    smooth: forms(3, (s) => smoothOperand(s)),
    linear: [operands === 1 ? [0] : [0, 1]],
  };
}

const source = (name: string, f: (n: number) => Tensor): Row => ({
  name: `fft.${name}`,
  dtypes: ['float32'],
  error: 'exact',
  values: () =>
    fc.integer({ min: 1, max: 20 }).map((n) => ({ f: () => f(n), text: `fft.${name} ${n}`, operands: [] })),
});

export const fourierRows: readonly Row[] = [
  row('fft', 2, (x, n) => parts(fft.fft(x, { n, axis: 0 }))),
  row('ifft', 2, (x) => parts(fft.ifft(x, { norm: 'ortho' }))),
  row('rfft', 1, ({ re }, n) => parts(fft.rfft(re, { n }))),
  row('irfft', 2, (x, n) => fft.irfft(x, { n, norm: 'forward' })),
  row('fftn', 2, (x) => parts(fft.fftn(x))),
  row('ifftn', 2, (x) => parts(fft.ifftn(x))),
  row('fft2', 2, (x) => parts(fft.fft2(x)), 2),
  row('ifft2', 2, (x) => parts(fft.ifft2(x)), 2),
  row('rfftn', 1, ({ re }) => parts(fft.rfftn(re))),
  row('irfftn', 2, (x) => fft.irfftn(x)),
  row('rfft2', 1, ({ re }) => parts(fft.rfft2(re)), 2),
  row('irfft2', 2, (x) => fft.irfft2(x), 2),
  row('hfft', 2, (x, n) => fft.hfft(x, { n })),
  row('ihfft', 1, ({ re }, n) => parts(fft.ihfft(re, { n }))),
  row('fftshift', 1, ({ re }) => fft.fftshift(re)),
  row('ifftshift', 1, ({ re }) => fft.ifftshift(re)),
  source('fftfreq', (n) => fft.fftfreq(n, { d: 0.5 })),
  source('rfftfreq', (n) => fft.rfftfreq(n)),
];
