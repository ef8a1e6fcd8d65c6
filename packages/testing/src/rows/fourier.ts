/** Fourier transforms. */
import fc from 'fast-check';
import { operandBetween, smoothOperand } from '../arbitrary.ts';
import { fft } from '../core.ts';
import type { HostTensor } from '../host.ts';
import type { Form, Operand, Row } from '../row.ts';
import { floats } from './dtypes.ts';

/** Σ x_k e^(±2πi jk/n), term by term. */
function sums(re: HostTensor, im: HostTensor, sign: number): number[][] {
  const n = re.shape.at(-1) as number;
  const results: number[][] = [[], []];
  for (let start = 0; start < re.values.length; start += n)
    for (let j = 0; j < n; j++) {
      let [a, b] = [0, 0];
      for (let k = 0; k < n; k++) {
        const angle = (sign * 2 * Math.PI * ((j * k) % n)) / n;
        const [x, y] = [re.values[start + k] as number, im.values[start + k] as number];
        a += x * Math.cos(angle) - y * Math.sin(angle);
        b += x * Math.sin(angle) + y * Math.cos(angle);
      }
      results[0]?.push(a);
      results[1]?.push(b);
    }
  return results;
}

const forms = (most: number, operand: (shape: number[]) => Operand): fc.Arbitrary<Form> =>
  fc
    .record({
      n: fc.integer({ min: 1, max: most }),
      lead: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 1 }),
      inverse: fc.boolean(),
    })
    .map(({ n, lead, inverse }) => ({
      f: (re, im) => fft([re, im] as Parameters<typeof fft>[0], inverse),
      text: `fft ${inverse ? 'inverse' : ''}`,
      operands: [operand([...lead, n]), operand([...lead, n])],
      define: (re, im) => sums(re, im, inverse ? 1 : -1),
    }));

export const fourierRows: readonly Row[] = [
  {
    name: 'fft',
    dtypes: floats,
    // Lengths up to 40, so that elements are up to 80; each step rounds once.
    error: { units: 16, floor: 8 },
    values: (dtype) => forms(40, (shape) => operandBetween(dtype, shape, -1, 1)),
    smooth: forms(5, (shape) => smoothOperand(shape)),
    linear: [[0, 1]],
  },
];
