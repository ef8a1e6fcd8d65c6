/** What make.py computes with NumPy and SciPy, computed here, by the same names. */
import * as nm from '../../src/index.ts';

const f64 = (data: nm.TensorData): nm.Tensor => nm.tensor(data, 'float64');
const x = nm.reshape(nm.arange(0, 12, 1, 'float64'), [3, 4]);
const v = f64([3, -1, 2, 0.5, 2]);
const w = f64([0.5, 4, -2]);
const cube = nm.reshape(nm.arange(0, 24, 1, 'float64'), [2, 3, 4]);
const ints = (...data: number[]): nm.Tensor => nm.tensor(data, 'int32');

/** A result is a tensor, or arrays of them. */
export type Result = nm.Tensor | readonly Result[];

const corner = nm.slice(x, [
  [0, 2],
  [0, 3],
]);
const padded = (mode: nm.PadMode) => () =>
  nm.pad(
    corner,
    [
      [1, 2],
      [3, 4],
    ],
    { mode },
  );

export const cases: Record<string, () => Result> = {
  // arrangements
  'rot90 3': () => nm.rot90(x, 3),
  'rot90 axes': () => nm.rot90(cube, 1, { axes: [2, 0] }),
  roll: () => nm.roll(x, [1, -2], { axis: [0, 1] }),
  'roll flat': () => nm.roll(x, 5),
  diagonal: () => nm.diagonal(cube, { offset: 1, axis1: 2, axis2: 1 }),
  diag: () => nm.diag(w, -1),
  'diag of': () => nm.diag(x, 2),
  trace: () => nm.trace(x, { offset: 1 }),
  tril: () => nm.tril(cube, -1),
  triu: () => nm.triu(x, 1),
  tri: () => nm.tri(2, 4, 1),
  vander: () => nm.vander(w, 4),
  meshgrid: () => nm.meshgrid([w, f64([1, 2])]),
  indices: () => nm.indices([2, 3]),
  unravelIndex: () => nm.unravelIndex(ints(3, 17, 23), [2, 3, 4]),
  ravelMultiIndex: () => nm.ravelMultiIndex([ints(1, 0), ints(2, 1), ints(3, 0)], [2, 3, 4]),
  arraySplit: () => nm.arraySplit(v, 3),
  dstack: () => nm.dstack([x, nm.add(x, 1)]),
  columnStack: () => nm.columnStack([w, x]),
  block: () => nm.block([[x, nm.slice(x, [null, [0, 1]])], [nm.ones([1, 5], 'float64')]]),
  logspace: () => nm.logspace(0, 1, 4, { base: 3, dtype: 'float64' }),
  geomspace: () => nm.geomspace(1, 1000, 4, { dtype: 'float64' }),
  // padding
  'pad edge': padded('edge'),
  'pad reflect': padded('reflect'),
  'pad symmetric': padded('symmetric'),
  'pad wrap': padded('wrap'),
  'pad maximum': padded('maximum'),
  'pad minimum': padded('minimum'),
  'pad mean': padded('mean'),
  'pad linearRamp': () => nm.pad(w, [2, 3], { mode: 'linearRamp', value: 1 }),
  // products
  'einsum trace': () => nm.einsum('ii', nm.slice(x, [null, [0, 3]])),
  'einsum batch': () => nm.einsum('bij,bkj->kbi', cube, nm.add(cube, 1)),
  'einsum ellipsis': () => nm.einsum('...ij,jk', cube, nm.transpose(nm.slice(cube, [0]))),
  'einsum implicit': () => nm.einsum('ba', x),
  'einsum many': () =>
    nm.einsum('ij,jk,lk,l->i', x, nm.transpose(x), nm.transpose(x), nm.arange(0, 4, 1, 'float64')),
  tensordot: () =>
    nm.tensordot(cube, x, [
      [1, 2],
      [0, 1],
    ]),
  inner: () => nm.inner(cube, x),
  kron: () =>
    nm.kron(
      nm.slice(x, [
        [0, 2],
        [0, 2],
      ]),
      w,
    ),
  cross: () => nm.cross(nm.slice(x, [null, [0, 3]]), w),
};
