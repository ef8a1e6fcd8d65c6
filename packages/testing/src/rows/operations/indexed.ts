/** Reading and updating by index, dynamic slices, choices. */
import * as nm from '@neumann/core';
import fc from 'fast-check';
import { anyOperand, distinctOperand, integersBetween, smoothOperand } from '../../arbitrary.ts';
import type { ErrorModel } from '../../compare.ts';
import { type DType, dtypes, type Shape, type Tensor } from '../../core.ts';
import type { Form, Operand, Row } from '../../row.ts';
import { floats } from '../dtypes.ts';

/** An operand that indexes: integers or bools. */
interface Places {
  readonly shape: Shape;
  readonly min: number;
  readonly max: number;
  readonly dtype?: DType;
}

interface Call {
  readonly text: string;
  /** Float operands, then the indices. */
  readonly f: (...xs: Tensor[]) => Tensor | readonly Tensor[];
  readonly shapes: readonly Shape[];
  readonly places?: readonly Places[];
}

interface Facts {
  readonly error?: ErrorModel;
  readonly known?: readonly DType[];
  readonly smooth?: boolean;
  readonly runs?: number;
  /** Whether elements must differ, so that there are no ties. */
  readonly apart?: boolean;
}

function indexOp(
  name: string,
  calls: readonly Call[],
  { error = 'exact', known = dtypes, smooth = true, runs = 0.5, apart = false }: Facts = {},
): Row {
  const forms = (operand: (s: Shape) => Operand): fc.Arbitrary<Form> =>
    fc.constantFrom(...calls).map(({ text, f, shapes, places = [] }) => ({
      f,
      text: `${name} ${text}`,
      operands: [
        ...shapes.map(operand),
        ...places.map(({ shape, min, max, dtype = 'int32' }) => integersBetween(dtype, shape, min, max)),
      ],
    }));
  const row: Row = {
    name,
    dtypes: known,
    error,
    runs,
    values: (dtype) => forms((s) => anyOperand(dtype, s)),
  };
  return smooth ? { ...row, smooth: forms(apart ? distinctOperand : (s) => smoothOperand(s)) } : row;
}

const three: Places = { shape: [3], min: -2, max: 2 };
const pair: Places = { shape: [2, 1], min: 0, max: 3 };
const x34: Shape = [3, 4];
const cube: Shape = [3, 2, 4];

const reading: readonly Call[] = [
  { text: '[i]', shapes: [x34], places: [three], f: (x, i) => nm.at(x, [i]).get() },
  {
    text: '[i, j]',
    shapes: [x34],
    places: [three, pair],
    f: (x, i, j) => nm.at(x, [i, j]).get(),
  },
  {
    text: '[i, :, j]',
    shapes: [cube],
    places: [three, pair],
    f: (x, i, j) => nm.at(x, [i, null, j]).get(),
  },
  {
    text: '[..., 1, j]',
    shapes: [cube],
    places: [pair],
    f: (x, j) => nm.at(x, ['...', 1, j]).get(),
  },
  {
    text: '[1:, ::-1]',
    shapes: [x34],
    f: (x) => nm.at(x, [[1], [null, null, -1]]).get(),
  },
];

type Update = 'set' | 'add' | 'multiply' | 'min' | 'max';

const updating = (how: Update): readonly Call[] => [
  {
    text: `[i].${how}`,
    shapes: [x34, [4]],
    places: [three],
    f: (x, v, i) => nm.at(x, [i])[how](v),
  },
  {
    text: `[1:, j].${how}`,
    shapes: [x34, [2, 2, 1]],
    places: [pair],
    f: (x, v, j) => nm.at(x, [[1], j])[how](v),
  },
  {
    text: `[::2, 1].${how}`,
    shapes: [x34, [2]],
    f: (x, v) => nm.at(x, [[null, null, 2], 1])[how](v),
  },
  {
    text: `[mask].${how}`,
    shapes: [x34, [4]],
    places: [{ shape: [3], min: 0, max: 1, dtype: 'bool' }],
    f: (x, v, mask) => nm.at(x, [mask])[how](v),
  },
];

const scalarPlace: Places = { shape: [], min: -4, max: 4 };
const mask: Places = { shape: [4], min: 0, max: 1, dtype: 'bool' };

const slices: readonly Row[] = [
  indexOp('dynamicSlice', [
    {
      text: '[i, j] of [2, 4]',
      shapes: [x34],
      places: [scalarPlace, scalarPlace],
      f: (x, i, j) => nm.dynamicSlice(x, [i, j], [2, 4]),
    },
  ]),
  indexOp('dynamicUpdateSlice', [
    {
      text: '[i, j] by [2, 3]',
      shapes: [x34, [2, 3]],
      places: [scalarPlace, scalarPlace],
      f: (x, u, i, j) => nm.dynamicUpdateSlice(x, u, [i, j]),
    },
  ]),
  indexOp('dynamicIndex', [
    {
      text: 'i',
      shapes: [x34],
      places: [scalarPlace],
      f: (x, i) => nm.dynamicIndex(x, i, { axis: 1 }),
    },
  ]),
];

const choices: readonly Row[] = [
  indexOp('choose', [
    {
      text: 'of 2',
      shapes: [x34, [4]],
      places: [{ shape: [4], min: 0, max: 1 }],
      f: (x, y, i) => nm.choose(i, [x, y]),
    },
  ]),
  indexOp('select', [
    {
      text: 'of 2',
      shapes: [x34, [4]],
      places: [mask, mask],
      f: (x, y, a, b) => nm.select([a, b], [x, y], 1),
    },
  ]),
  indexOp(
    'piecewise',
    [
      {
        text: 'of 2',
        shapes: [x34],
        places: [mask],
        f: (x, a) => nm.piecewise(x, [a], [(t) => nm.multiply(t, 2), (t) => t]),
      },
    ],
    { known: floats },
  ),
  indexOp('putAlong', [
    {
      text: 'axis 1',
      shapes: [x34, [3, 2]],
      places: [{ shape: [3, 2], min: -4, max: 3 }],
      f: (x, v, i) => nm.putAlong(x, i, v, 1),
    },
  ]),
  indexOp(
    'segmentSum',
    [
      {
        text: 'of 3',
        shapes: [x34],
        places: [{ shape: [3], min: -1, max: 3 }],
        f: (x, i) => nm.segmentSum(x, i, 3),
      },
    ],
    { error: 'sum', known: ['int32', 'uint8'], smooth: false },
  ),
  indexOp(
    'segmentSum',
    [
      {
        text: 'of 3',
        shapes: [x34],
        places: [{ shape: [3], min: 0, max: 2 }],
        f: (x, i) => nm.segmentSum(nm.multiply(nm.tanh(x), 2), i, 3),
      },
    ],
    { error: { units: 100, floor: 10 }, known: floats },
  ),
];

const sized: readonly Row[] = [
  indexOp('nonzero', [{ text: 'size 5', shapes: [x34], f: (x) => nm.nonzero(x, { size: 5, fill: -1 }) }], {
    smooth: false,
  }),
  indexOp('flatNonzero', [{ text: 'size 20', shapes: [x34], f: (x) => nm.flatNonzero(x, { size: 20 }) }], {
    smooth: false,
  }),
  indexOp('compress', [
    {
      text: 'size 3',
      shapes: [x34],
      places: [mask],
      f: (x, c) => nm.compress(c, x, { axis: 1, size: 3, fill: 1 }),
    },
  ]),
  indexOp('extract', [
    {
      text: 'size 3',
      shapes: [[4]],
      places: [mask],
      f: (x, c) => nm.extract(c, x, { size: 3 }),
    },
  ]),
];

/** Products and sums round, in the order of the updates or another. */
const rounded = { units: 64, floor: 100 } as const;

export const indexedRows: readonly Row[] = [
  indexOp('at', [...reading, ...updating('set')], { runs: 1 }),
  indexOp('at', [...updating('min'), ...updating('max')], { apart: true }),
  {
    ...indexOp('at', [...updating('add'), ...updating('multiply')], { known: floats, error: rounded }),
    values: (dtype) =>
      fc
        .constantFrom(...updating('add'), ...updating('multiply'))
        .map(({ text, f, shapes, places = [] }) => ({
          f,
          text: `at ${text}`,
          operands: [
            ...shapes.map((s) => anyOperand(dtype, s, (v) => Math.abs(v) < 10)),
            ...places.map(({ shape, min, max, dtype: d = 'int32' }) => integersBetween(d, shape, min, max)),
          ],
        })),
  },
  ...slices,
  ...choices,
  ...sized,
];
