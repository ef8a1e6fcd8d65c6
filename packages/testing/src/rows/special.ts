import {
  anyOperand,
  broadcasting,
  integersBetween,
  shapes,
  smallShapes,
  smoothOperand,
} from '../arbitrary.ts';
import type { ErrorModel } from '../compare.ts';
import { type Shape, scalar, special, type Tensor } from '../core.ts';
import type { Operand, Row } from '../row.ts';
import { floats, integers } from './dtypes.ts';

type Interval = readonly [low: number, high: number];

interface Facts {
  readonly f: (...xs: Tensor[]) => Tensor;
  /** Where each operand is smooth. */
  readonly domains: readonly Interval[];
  readonly error: ErrorModel;
}

/** Formulas of some dozen operations, each within a few ulps, of terms that are up to `floor` where the sum is small. */
const formula = (floor: number): ErrorModel => ({ units: 64, floor });

const facts: Record<string, Facts> = {
  cbrt: { f: special.cbrt, domains: [[0.2, 5]], error: { ulps: 8 } },
  hypot: {
    f: special.hypot,
    domains: [
      [0.3, 2],
      [-2, 2],
    ],
    error: { ulps: 4 },
  },
  logGamma: { f: special.logGamma, domains: [[0.7, 4]], error: formula(30) },
  'logGamma below 0': { f: special.logGamma, domains: [[-1.8, -1.2]], error: formula(30) },
  digamma: { f: special.digamma, domains: [[0.7, 4]], error: formula(10) },
  'digamma below 0': { f: special.digamma, domains: [[-1.8, -1.2]], error: formula(10) },
  zeta: {
    f: (q) => special.zeta(scalar(3, q.dtype), q),
    domains: [[0.7, 4]],
    error: formula(1),
  },
  besselI0e: { f: special.i0e, domains: [[-3, 12]], error: formula(1) },
  besselI1e: { f: special.i1e, domains: [[-3, 12]], error: formula(1) },
  ndtri: { f: special.ndtri, domains: [[0.05, 0.95]], error: formula(10) },
};

function specialRow(name: string, { f, domains, error }: Facts): Row {
  const count = domains.length;
  const forms = (shape: typeof shapes, operand: (s: Shape, i: number) => Operand) =>
    broadcasting(count, shape()).map((list) => ({ f, text: name, operands: list.map(operand) }));
  return {
    name,
    dtypes: floats,
    error,
    runs: 0.5,
    values: (dtype) => forms(shapes, (s) => anyOperand(dtype, s)),
    smooth: forms(smallShapes, (s, i) => smoothOperand(s, ...(domains[i] as Interval))),
  };
}

const gcdRow: Row = {
  name: 'gcd',
  dtypes: integers,
  error: 'exact',
  runs: 0.5,
  values: (dtype) =>
    broadcasting(2).map((list) => ({
      f: (x, y) => special.gcd(x, y),
      text: 'gcd',
      operands: list.map((s) => integersBetween(dtype, s, 0, 255)),
    })),
};

/** Special functions as formulas, and Euclid's algorithm. */
export const specialRows: readonly Row[] = [
  ...Object.entries(facts).map(([name, row]) => specialRow(name, row)),
  gcdRow,
];
