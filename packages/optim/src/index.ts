export { type AdamOptions, adam } from './aliases/adam.ts';
export { type RmspropOptions, rmsprop } from './aliases/rmsprop.ts';
export { type SgdOptions, sgd } from './aliases/sgd.ts';
export { type ChebyshevOptions, chebyshev } from './curvature/chebyshev.ts';
export {
  type ConjugateGradientOptions,
  type ConjugateGradientSolution,
  conjugateGradient,
} from './curvature/conjugateGradient.ts';
export { type Convexified, convexify } from './curvature/convexify.ts';
export { type CubicStep, type CubicStepOptions, cubicNewton, cubicStep } from './curvature/cubicNewton.ts';
export {
  type ExtremeEigenvalues,
  type ExtremeEigenvaluesOptions,
  extremeEigenvalues,
} from './curvature/extremeEigenvalues.ts';
export { fisherVp } from './curvature/fisherVp.ts';
export { gnvp } from './curvature/gnvp.ts';
export { type HessianDiagonalOptions, hessianDiagonal } from './curvature/hessianDiagonal.ts';
export { type LanczosOptions, type LanczosResult, lanczos } from './curvature/lanczos.ts';
export { neumannSeries } from './curvature/neumannSeries.ts';
export { type NewtonCGOptions, type NewtonCGStep, newtonCG } from './curvature/newtonCG.ts';
export { type Eigenpair, type PowerIterationOptions, powerIteration } from './curvature/powerIteration.ts';
export { type RichardsonOptions, richardson } from './curvature/richardson.ts';
export {
  type SpectralDensity,
  type SpectralDensityOptions,
  spectralDensity,
} from './curvature/spectralDensity.ts';
export type { Solution, SystemOptions } from './curvature/system.ts';
export type { Matvec } from './curvature/vectors.ts';
export {
  type AnchorRegularizerOptions,
  type AnchorState,
  addAnchorRegularizer,
} from './neumann/addAnchorRegularizer.ts';
export { type NeumannEpochsOptions, type NeumannSteps, neumannEpochs } from './neumann/epochs.ts';
export {
  type ConvexifiedDirectionOptions,
  convexifiedDirection,
  type GradientFunction,
  type InnerLoopOptions,
  type NeumannIdealizedOptions,
  neumannIdealized,
} from './neumann/idealized.ts';
export { type NeumannMomentum, neumannMomentum } from './neumann/momentum.ts';
export { type NeumannTransformation, neumann } from './neumann/neumann.ts';
export { neumannChain } from './neumann/neumannChain.ts';
export type { BetaCount, NeumannOptions, ResetInterval, ResetMode } from './neumann/options.ts';
export { type NeumannClock, type NeumannPhase, neumannPhase } from './neumann/phase.ts';
export { type NeumannResetsOptions, neumannResets } from './neumann/resets.ts';
export {
  type NeumannHyper,
  type NeumannMemory,
  type NeumannSettings,
  type NeumannState,
  neumannInit,
} from './neumann/state.ts';
export { neumannEvalParams, neumannStep } from './neumann/step.ts';
export {
  applyUpdates,
  chain,
  type ExtraArgs,
  type GradientTransformation,
  identity,
  type Predicate,
  type Scalar,
  type Schedule,
  stateless,
  type TensorTree,
} from './protocol.ts';
export { constantSchedule } from './schedules/constantSchedule.ts';
export { type CosineDecayScheduleOptions, cosineDecaySchedule } from './schedules/cosineDecaySchedule.ts';
export { type DataSize, epochs, stepsPerEpoch } from './schedules/epochs.ts';
export { type ExponentialDecayOptions, exponentialDecay } from './schedules/exponentialDecay.ts';
export { type InverseTimeDecayOptions, inverseTimeDecay } from './schedules/inverseTimeDecay.ts';
export { joinSchedules } from './schedules/joinSchedules.ts';
export {
  type PiecewiseConstantScheduleOptions,
  piecewiseConstantSchedule,
} from './schedules/piecewiseConstantSchedule.ts';
export {
  type LinearScheduleOptions,
  linearSchedule,
  type PolynomialScheduleOptions,
  polynomialSchedule,
  warmupConstantSchedule,
} from './schedules/polynomialSchedule.ts';
export { type RampStepOptions, rampStep } from './schedules/rampStep.ts';
export { addDecayedWeights } from './transforms/addDecayedWeights.ts';
export { clipByGlobalNorm } from './transforms/clipByGlobalNorm.ts';
export {
  type ScaleByScheduleState,
  scale,
  scaleByLearningRate,
  scaleBySchedule,
} from './transforms/scale.ts';
export { type ScaleByAdamOptions, type ScaleByAdamState, scaleByAdam } from './transforms/scaleByAdam.ts';
export {
  type ScaleByRmsOptions,
  type ScaleByRmsState,
  type ScaleByStddevState,
  scaleByRms,
  scaleByStddev,
} from './transforms/scaleByRms.ts';
export { type TraceOptions, type TraceState, trace } from './transforms/trace.ts';
export { globalNorm } from './trees.ts';
