/** What make.py computes with NumPy and SciPy, computed here, by the same names. */
import * as nm from '../../src/index.ts';

const f64 = (data: nm.TensorData): nm.Tensor => nm.tensor(data, 'float64');
const x = nm.reshape(nm.arange(0, 12, 1, 'float64'), [3, 4]);
const v = f64([3, -1, 2, 0.5, 2]);
const w = f64([0.5, 4, -2]);
const cube = nm.reshape(nm.arange(0, 24, 1, 'float64'), [2, 3, 4]);
const ints = (...data: number[]): nm.Tensor => nm.tensor(data, 'int32');
const ties = f64([
  [2, 1, 2, NaN],
  [0, -0, -Infinity, 1],
]);
const holes = f64([
  [1, NaN, 3, 7],
  [4, 2, NaN, 0.5],
]);
const places = ints(2, 0, 2, 2);
const by = f64([2, 3, 5, 7]);
const wide = [-3.7, -1.5, -0.3, 0.1, 0.5, 0.9, 1, 1.4616, 2, 3.3, 7.9, 8.1, 30, 170];
const up = wide.slice(3);
const tails = [1e-300, 1e-20, 0.01, 0.3, 0.5, 0.7, 0.99, 1 - 1e-12];
const floats = [0.1, 1, 2, -3.5, 1e-310, 1e300, 0, Infinity];

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
  // numeric
  cbrt: () => nm.cbrt(f64([...wide, 0, 1e300, 1e-300, Infinity])),
  hypot: () => nm.hypot(f64([3, 1e200, 0, Infinity]), f64([4, 1e200, 0, 1])),
  sinc: () => nm.sinc(f64([...wide, 0, 1e-5])),
  logAddExp2: () => nm.logAddExp2(f64(wide), 2),
  copysign: () => nm.copysign(f64(wide), nm.negative(nm.flip(f64(wide)))),
  heaviside: () => nm.heaviside(f64([-1, 0, 2]), 0.5),
  fmod: () => nm.fmod(f64(wide), 0.7),
  divmod: () => nm.divmod(f64(wide), -0.7),
  gcd: () => nm.gcd(ints(12, 0, -18, 2 ** 31 - 1, 701408733), ints(18, 0, 12, 6, 433494437)),
  lcm: () => nm.lcm(ints(12, 0, -18), ints(18, 0, 12)),
  frexp: () => nm.frexp(f64(floats)),
  modf: () => nm.modf(f64(floats)),
  ldexp: () => nm.ldexp(f64(floats), ints(3, -1074, 1023, 5, 40, -2000, 2, 1)),
  nextAfter: () => nm.nextAfter(nm.tensor([1, 1, 0, -1, 0]), nm.tensor([2, 0, -1, 0, 0])),
  bitwiseCount: () => nm.bitwiseCount(ints(0, 7, -7, 2 ** 31 - 1)),
  nanToNum: () => nm.nanToNum(f64([NaN, Infinity, -Infinity, 1]), { nan: 7, posinf: 8 }),
  // special
  log1mExp: () => nm.log1mExp(f64(up)),
  logit: () => nm.logit(f64(tails)),
  xlogy: () => nm.xlogy(f64([0, 2, 0, 1.5]), f64([0, 3, Infinity, 0.5])),
  xlog1py: () => nm.xlog1py(f64([0, 2]), f64([-1, 1e-12])),
  entr: () => nm.entr(f64([-1, 0, 0.5, 2])),
  relEntr: () => nm.relEntr(f64([0, 1, 2, -1, 1]), f64([1, 0, 3, 1, -1])),
  klDiv: () => nm.klDiv(f64([0, 1, 2, -1]), f64([1, 0, 3, 1])),
  logGamma: () => nm.logGamma(f64(wide)),
  gamma: () => nm.gamma(f64(wide)),
  factorial: () => nm.factorial(f64([0, 1, 5, 10])),
  digamma: () => nm.digamma(f64(wide)),
  polygamma: () => [1, 2, 5].map((n) => nm.polygamma(n, f64(up))),
  zeta: () => [1.1, 2, 7.5].map((s) => nm.zeta(s, f64(up))),
  beta: () => nm.beta(f64(up), 2.5),
  logBeta: () => nm.logBeta(f64(up), 2.5),
  multiLogGamma: () => nm.multiLogGamma(nm.add(f64(up), 2), 4),
  i0e: () => nm.i0e(f64(wide)),
  i1e: () => nm.i1e(f64(wide)),
  i0: () => nm.i0(f64(wide)),
  i1: () => nm.i1(f64(wide)),
  ndtr: () => nm.ndtr(f64(wide)),
  logNdtr: () => nm.logNdtr(f64([-1e3, -40, -21, -19, -5, 0, 5, 30])),
  ndtri: () => nm.ndtri(f64(tails)),
  // order
  sort: () => nm.sort(ties),
  'sort axis 0': () => nm.sort(ties, { axis: 0 }),
  argsort: () => nm.argsort(ties),
  lexsort: () => nm.lexsort([v, ints(3, 1, 3, 2, 1)]),
  cumsum: () => nm.cumsum(x, { axis: 1 }),
  cumprod: () => nm.cumprod(nm.subtract(x, 2), { axis: 0 }),
  cummax: () => nm.cummax(v),
  cummin: () => nm.cummin(v),
  cumLogSumExp: () => nm.cumLogSumExp(f64([-Infinity, 1000, 1000, -1000, 1001])),
  // indexing
  'x[i, j]': () => nm.at(x, [ints(2, 0), nm.tensor([[1], [-1]], 'int32')]).get(),
  'cube[:, i, j]': () => nm.at(cube, [null, ints(2, 0), ints(3, 1)]).get(),
  'cube[i, :, j]': () => nm.at(cube, [ints(1, 0), null, ints(3, 1)]).get(),
  'cube[..., i]': () => nm.at(cube, ['...', ints(3, 1)]).get(),
  'cube[1, ::-1, i]': () => nm.at(cube, [1, [null, null, -1], ints(3, 1)]).get(),
  'x[mask]': () => nm.at(x, [nm.equal(nm.remainder(x, 3), 0)]).get(),
  'cube[mask]': () => nm.at(cube, [null, nm.tensor([true, false, true])]).get(),
  set: () => nm.at(w, [places]).set(by),
  add: () => nm.at(w, [places]).add(by),
  multiply: () => nm.at(w, [places]).multiply(by),
  min: () => nm.at(w, [places]).min(nm.negative(by)),
  max: () => nm.at(w, [places]).max(by),
  nonzero: () => nm.nonzero(nm.remainder(x, 3)),
  compress: () => nm.compress(nm.tensor([false, true, true]), x, { axis: 0 }),
  extract: () => nm.extract(nm.greater(x, 5), x),
  choose: () => nm.choose(ints(1, 0, 1, 0), [x, nm.negative(x)]),
  select: () => nm.select([nm.less(x, 3), nm.less(x, 7)], [x, nm.multiply(x, 10)], -1),
  // statistics
  median: () => nm.median(x, { axis: 0 }),
  quantile: () => nm.quantile(cube, [0.1, 0.77], { axis: [0, 2], keepdims: true }),
  ...Object.fromEntries(
    (['linear', 'lower', 'higher', 'midpoint', 'nearest'] as const).map((method) => [
      `percentile ${method}`,
      () => nm.percentile(v, [0, 33, 60, 100], { method }),
    ]),
  ),
  nanQuantile: () => nm.nanQuantile(holes, [0.25, 0.9], { axis: 1 }),
  nanMedian: () => nm.nanMedian(holes, { axis: 0 }),
  nan: () => [
    ...[nm.nanSum, nm.nanProd, nm.nanMax, nm.nanMin, nm.nanMean, nm.nanVariance, nm.nanStd].map((f) =>
      f(holes, { axis: 1 }),
    ),
    ...[nm.nanArgmax, nm.nanArgmin].map((f) => f(holes, { axis: 1 })),
  ],
  ptp: () => nm.ptp(x, { axis: 1 }),
  average: () => nm.average(x, { axis: 1, weights: f64([1, 2, 3, 0.5]) }),
  cov: () => nm.cov(nm.add(x, nm.square(x))),
  corrcoef: () => nm.corrcoef(nm.stack([v, nm.square(v), nm.flip(v)])),
  searchsorted: () => nm.searchsorted(f64([1, 2, 2, 3]), f64([0, 2, 2.5, 9, NaN]), { side: 'right' }),
  digitize: () => nm.digitize(f64([0, 1, 2.5]), f64([0, 1, 2]), { right: true }),
  histogram: () => nm.histogram(v, { bins: 4, weights: nm.square(v) }),
  'histogram density': () => nm.histogram(x, { bins: f64([0, 2, 5, 11]), density: true }),
  bincount: () => nm.bincount(ints(0, 3, 3, 1), { weights: f64([1, 2, 3, 4]) }),
  interp: () => nm.interp(f64([-1, 0, 0.3, 1, 2, 9]), f64([0, 1, 1, 3]), f64([5, 7, 8, 0])),
  unique: () => Object.values(nm.uniqueAll(ints(3, 1, 3, 2, 1))),
  isIn: () => nm.isIn(ints(3, 1, 3, 2, 1), ints(1, 2)),
  setxor1d: () => nm.setxor1d(ints(3, 1, 3, 2, 1), ints(1, 5)),
  // series
  diff: () => nm.diff(nm.square(x), { n: 2 }),
  gradient: () => nm.gradient(v, { spacing: 0.5 }),
  trapezoid: () => nm.trapezoid(x, { x: f64([0, 1, 3, 3.5]), axis: 1 }),
  unwrap: () => nm.unwrap(f64([0, 3, -3, 0, Math.PI, 7, -9])),
  ...Object.fromEntries(
    (['full', 'same', 'valid'] as const).map((mode) => [`convolve ${mode}`, () => nm.convolve(v, w, mode)]),
  ),
  ...Object.fromEntries(
    (['full', 'same', 'valid'] as const).map((mode) => [`correlate ${mode}`, () => nm.correlate(w, v, mode)]),
  ),
  polyval: () => nm.polyval(v, w),
  polyadd: () => nm.polyadd(v, w),
  polymul: () => nm.polymul(v, w),
  polyder: () => nm.polyder(v, 2),
  polyint: () => nm.polyint(v),
  tapers: () => [
    ...[nm.bartlett, nm.hanning, nm.hamming, nm.blackman].map((f) => f(5, 'float64')),
    nm.kaiser(5, 3, 'float64'),
  ],
};
