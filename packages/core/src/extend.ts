/**
 * `@neumann/core/extend`: for authors of operations.
 *
 * A new operation is, in this order of preference: a function of other operations; a pointwise primitive ({@link
 * pointwise}: a scalar expression and its differentials); a linear rearrangement ({@link linear}); a whole {@link
 * Primitive} with a kernel and its rules; or, where there is no loop nest, plain JavaScript ({@link hostPrimitive}). This door opens wider than `@neumann/core` and may change in minor versions.
 */

/* ---- Operands, options and shapes, checked as in every operation ---- */
export { type Aval, sameAval, showAval } from './aval.ts';
export { type DType, isFloat, isInteger } from './dtype.ts';
/* ---- Kernels ---- */
export {
  acc,
  addExpr,
  addIndex,
  allOf,
  binary,
  bitcast,
  cast,
  compare,
  constant,
  coord,
  floorDiv,
  inBounds,
  load,
  mod,
  mulExpr,
  mulIndex,
  select,
  unary,
} from './ir/expr.ts';
export type { HostFunction, HostRoutine } from './ir/host.ts';
export type { BinaryOp, CompareOp, Expr, Kernel, Reduction, UnaryOp } from './ir/kernel.ts';
export { checkOptions, show } from './ops/check.ts';
export {
  floatOperand,
  literal,
  numericOperand,
  operand,
  promoteOperands,
  promotePair,
  toTensor,
} from './ops/convert.ts';
/* ---- Primitives ---- */
export {
  type BlockRules,
  type Kind,
  Linear,
  noRule,
  noTangent,
  type Params,
  type Primitive,
  type Zero,
} from './primitive.ts';
export { type HostRules, hostPrimitive } from './primitives/host.ts';
export { type LinearRules, linear, movementKernel } from './primitives/movement.ts';
export {
  alignBatch,
  broadcastIndex,
  type Differential,
  type PointwiseRules,
  pointwise,
  pointwiseKernel,
  scalar,
  unbroadcast,
} from './primitives/pointwise.ts';
export { broadcastShapes, resolveAxes, resolveAxis, type Shape, sameShape, sizeOf } from './shape.ts';
export { bind, bind1 } from './trace.ts';
export { checkSameStructure } from './tree.ts';
