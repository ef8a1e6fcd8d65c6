/** `@neumann/core/backend`: what authors of backends need. Kernels go in, buffers come out; no op is mentioned. */
export { type Aval, sameAval, showAval } from './aval.ts';
export {
  type DType,
  dtypeInfo,
  dtypeOfArray,
  hostArray,
  isFloat,
  isInteger,
  type TypedArray,
} from './dtype.ts';
export { BackendError, DTypeError, InternalError, NeumannError, OptionError } from './errors.ts';
export type { Backend, Buffer, Executable } from './ir/backend.ts';
export { checkKernel } from './ir/check.ts';
export { checkPlan } from './ir/checkPlan.ts';
export * from './ir/expr.ts';
export { flopsOf } from './ir/flops.ts';
export type { HostFunction, HostRoutine } from './ir/host.ts';
export * from './ir/kernel.ts';
export { kernelKey, planKey } from './ir/key.ts';
export {
  type BranchStep,
  blocksOf,
  type HostStep,
  type KernelStep,
  type LoopStep,
  type Place,
  type Plan,
  type Slot,
  type Step,
  stepName,
  type WhileStep,
  type WorkStep,
  workSteps,
} from './ir/plan.ts';
export { readsPointwise } from './ir/pointwise.ts';
export { shareEqual } from './ir/share.ts';
export { showKernel, showPlan } from './ir/show.ts';
export { type RunningFold, runningFoldOf } from './primitives/cumulative.ts';
export { Recency, type Recent } from './recency.ts';
export { reference } from './reference/backend.ts';
export { type InterpretOptions, interpret, type View } from './reference/interpret.ts';
export { rangeOf } from './reference/scalar.ts';
export { type ScalarFunctions, scalarFunctions } from './reference/special.ts';
export { rowMajorStrides, type Shape, sizeOf } from './shape.ts';
