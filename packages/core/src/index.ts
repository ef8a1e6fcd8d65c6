/** `@neumann/core`: tensors, operations on them, and transformations of functions that use them. */

/* ---- Tensors ---- */
export { type Aval, ShapeDtype, showAval } from './aval.ts';
/* ---- Loops and branches ---- */
export { type AssociativeScanOptions, associativeScan } from './control/associativeScan.ts';
export { cond, switchCase } from './control/branches.ts';
export { forLoop, whileLoop } from './control/loops.ts';
export { type ScanOptions, scan } from './control/scan.ts';
export type { DType, TypedArray } from './dtype.ts';
/* ---- Errors ---- */
export {
  BackendError,
  DonatedError,
  DTypeError,
  FileError,
  InternalError,
  NeumannError,
  OptionError,
  RuleError,
  ShapeError,
  TracerError,
  TreeError,
} from './errors.ts';
export type { Complex, ComplexLike, FftNorm, FftnOptions, FftOptions } from './fft.ts';
export * as fft from './fft.ts';
export type { MapCoordinatesOptions, ResizeMethod, ResizeOptions } from './image.ts';
export * as image from './image.ts';
/* ---- Backends ---- */
export type { Backend } from './ir/backend.ts';
export { devicePut, getBackend, setBackend } from './ir/device.ts';
export * as linalg from './linalg.ts';
/* ---- Elementwise ---- */
export {
  abs,
  add,
  ceil,
  clip,
  divide,
  floor,
  floorDivide,
  maximum,
  minimum,
  multiply,
  negative,
  power,
  reciprocal,
  remainder,
  round,
  sign,
  square,
  subtract,
  trunc,
} from './ops/arithmetic.ts';
export { at, type Index, type Indexed } from './ops/at.ts';
export {
  bitcast,
  bitwiseAnd,
  bitwiseNot,
  bitwiseOr,
  bitwiseXor,
  leftShift,
  rightShift,
} from './ops/bits.ts';
export type { ShapeLike } from './ops/check.ts';
export { choose, piecewise, putAlong, segmentSum, select } from './ops/choose.ts';
/* ---- Over the examples of a named batch ---- */
export { axisIndex, axisSize, pmax, pmean, pmin, psum } from './ops/collective.ts';
/* ---- Products, convolutions, windows ---- */
export { type ConvOptions, conv } from './ops/conv.ts';
export type { TensorLike } from './ops/convert.ts';
export { type ConvTransposeOptions, convTranspose, depthwiseConv } from './ops/convTranspose.ts';
/* ---- Making tensors ---- */
export {
  arange,
  eye,
  full,
  fullLike,
  linspace,
  type NestedData,
  ones,
  onesLike,
  type TensorData,
  tensor,
  zeros,
  zerosLike,
} from './ops/creation.ts';
export {
  type CumulativeOptions,
  cumLogSumExp,
  cummax,
  cummin,
  cumprod,
  cumsum,
  nanCumprod,
  nanCumsum,
} from './ops/cumulative.ts';
export { type DiagonalOptions, diag, diagonal, trace } from './ops/diagonal.ts';
export { dynamicIndex, dynamicSlice, dynamicUpdateSlice } from './ops/dynamic.ts';
export { einsum } from './ops/einsum.ts';
export type { Padding } from './ops/geometry.ts';
export { broadcastArrays, indices, meshgrid, ravelMultiIndex, unravelIndex, vander } from './ops/grids.ts';
/* ---- Shapes and places ---- */
export { type Indices, oneHot, take, takeAlong } from './ops/indexing.ts';
export { concatenate, type JoinOptions, split, stack } from './ops/join.ts';
export { dot, matmul, outer } from './ops/linalg.ts';
export {
  astype,
  equal,
  greater,
  greaterEqual,
  isFinite,
  isInf,
  isNan,
  less,
  lessEqual,
  logicalAnd,
  logicalNot,
  logicalOr,
  logicalXor,
  notEqual,
  where,
} from './ops/logic.ts';
export {
  arccos,
  arccosh,
  arcsin,
  arcsinh,
  arctan,
  arctan2,
  arctanh,
  cos,
  cosh,
  erf,
  erfc,
  erfInv,
  exp,
  exp2,
  expm1,
  log,
  log1p,
  log2,
  log10,
  logAddExp,
  rsqrt,
  sigmoid,
  sin,
  sinh,
  softplus,
  sqrt,
  tan,
  tanh,
} from './ops/math.ts';
export {
  nanArgmax,
  nanArgmin,
  nanMax,
  nanMean,
  nanMin,
  nanProd,
  nanStd,
  nanSum,
  nanVariance,
} from './ops/nan.ts';
export { compress, extract, flatNonzero, nonzero, type SizeOptions } from './ops/nonzero.ts';
export {
  allClose,
  arrayEqual,
  bitwiseCount,
  type CloseOptions,
  cbrt,
  copysign,
  countLeadingZeros,
  deg2rad,
  divmod,
  fmax,
  fmin,
  fmod,
  frexp,
  gcd,
  heaviside,
  hypot,
  isClose,
  isNegInf,
  isPosInf,
  lcm,
  ldexp,
  logAddExp2,
  modf,
  nanToNum,
  nextAfter,
  rad2deg,
  signbit,
  sinc,
} from './ops/numeric.ts';
export { type PadMode, type PadWidths, pad } from './ops/pad.ts';
export { cross, inner, kron, matvec, tensordot, vdot, vecdot, vecmat } from './ops/products.ts';
/* ---- Reductions ---- */
export {
  type ArgOptions,
  all,
  any,
  argmax,
  argmin,
  logSumExp,
  max,
  mean,
  min,
  norm,
  prod,
  type ReduceOptions,
  std,
  sum,
  type VarianceOptions,
  variance,
} from './ops/reduce.ts';
export {
  bincount,
  digitize,
  type HistogramOptions,
  histogram,
  interp,
  searchsorted,
} from './ops/search.ts';
export {
  type ConvolveMode,
  convolve,
  correlate,
  diff,
  ediff1d,
  gradient,
  polyadd,
  polyder,
  polyint,
  polymul,
  polysub,
  polyval,
  trapezoid,
  unwrap,
} from './ops/series.ts';
export {
  intersect1d,
  isIn,
  setdiff1d,
  setxor1d,
  type Unique,
  union1d,
  unique,
  uniqueAll,
} from './ops/sets.ts';
export {
  broadcastTo,
  expandDims,
  flip,
  moveaxis,
  type Range,
  ravel,
  repeat,
  reshape,
  slice,
  squeeze,
  swapaxes,
  tile,
  transpose,
} from './ops/shape.ts';
export { argsort, lexsort, type SortOptions, sort, topK } from './ops/sort.ts';
export { geomspace, logspace, type SpaceOptions } from './ops/spaces.ts';
export {
  beta,
  digamma,
  entr,
  factorial,
  gamma,
  i0,
  i0e,
  i1,
  i1e,
  klDiv,
  log1mExp,
  logBeta,
  logGamma,
  logit,
  logNdtr,
  logSigmoid,
  multiLogGamma,
  ndtr,
  ndtri,
  polygamma,
  relEntr,
  xlog1py,
  xlogy,
  zeta,
} from './ops/special.ts';
export {
  arraySplit,
  atLeast1d,
  atLeast2d,
  atLeast3d,
  type Blocks,
  block,
  columnStack,
  dstack,
  hstack,
  unstack,
  vstack,
} from './ops/stacks.ts';
export {
  average,
  corrcoef,
  countNonzero,
  cov,
  median,
  nanMedian,
  nanPercentile,
  nanQuantile,
  percentile,
  ptp,
  type QuantileMethod,
  type QuantileOptions,
  quantile,
} from './ops/statistics.ts';
export { bartlett, blackman, hamming, hanning, kaiser } from './ops/tapers.ts';
export { tri, tril, trilIndices, triu, triuIndices } from './ops/triangles.ts';
export { roll, rot90 } from './ops/turn.ts';
export {
  type WindowMeanOptions,
  type WindowOptions,
  windowMax,
  windowMean,
  windowMin,
  windowSum,
} from './ops/window.ts';
export * as random from './random.ts';
export { reference } from './reference/backend.ts';
export type { Shape } from './shape.ts';
export { type Nested, Tensor } from './tensor.ts';
/* ---- Transformations of functions ---- */
export type { Gradient, GradOptions } from './transforms/argnums.ts';
export { checkpoint } from './transforms/checkpoint.ts';
export { type CustomOptions, customJvp, customVjp, type Differentials } from './transforms/custom.ts';
export { evalShape, type ShapeArguments, type Shapes } from './transforms/evalShape.ts';
export { type HvpOptions, hvp } from './transforms/hvp.ts';
export {
  type HessianOf,
  hessian,
  type Jacobian,
  type JacobianOf,
  jacfwd,
  jacobian,
  jacrev,
} from './transforms/jacobian.ts';
export { type JitOptions, type Jitted, jit, makeProgram } from './transforms/jit.ts';
export { jvp } from './transforms/jvp.ts';
export { linearize } from './transforms/linearize.ts';
export { linearTranspose } from './transforms/linearTranspose.ts';
export type { StageStats } from './transforms/staged.ts';
export { stopGradient } from './transforms/stopGradient.ts';
export { grad, valueAndGrad, vjp } from './transforms/vjp.ts';
export { type Axes, type VmapOptions, vmap } from './transforms/vmap.ts';
/* ---- Trees of tensors ---- */
export {
  type Leaf,
  type Leaves,
  Static,
  type Tensors,
  type TreeStructure,
  treeFlatten,
  treeLeaves,
  treeMap,
  treePaths,
  treeStructure,
  treeUnflatten,
} from './tree.ts';
