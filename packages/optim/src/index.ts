export { type AdabeliefOptions, adabelief } from './aliases/adabelief.ts';
export { type AdadeltaOptions, adadelta } from './aliases/adadelta.ts';
export { type AdafactorOptions, type AdafactorState, adafactor } from './aliases/adafactor.ts';
export { type AdagradOptions, adagrad } from './aliases/adagrad.ts';
export { type AdamOptions, type AdamwOptions, adam, adamw } from './aliases/adam.ts';
export { type AdamaxOptions, type AdamaxwOptions, adamax, adamaxw } from './aliases/adamax.ts';
export { type AdanOptions, adan } from './aliases/adan.ts';
export { type AdemamixOptions, ademamix } from './aliases/ademamix.ts';
export { type AmsgradOptions, amsgrad } from './aliases/amsgrad.ts';
export { type DogOptions, dog, dowg } from './aliases/dog.ts';
export { type FromageOptions, fromage } from './aliases/fromage.ts';
export { type LambOptions, lamb } from './aliases/lamb.ts';
export { type LarsOptions, lars } from './aliases/lars.ts';
export { type LbfgsOptions, lbfgs } from './aliases/lbfgs.ts';
export { type LionOptions, lion } from './aliases/lion.ts';
export { type MuonOptions, type MuonState, muon } from './aliases/muon.ts';
export { type NadamOptions, type NadamwOptions, nadam, nadamw } from './aliases/nadam.ts';
export { type NoisySgdOptions, noisySgd } from './aliases/noisySgd.ts';
export { type NovogradOptions, novograd } from './aliases/novograd.ts';
export {
  type OptimisticAdamOptions,
  type OptimisticAdamV2Options,
  type OptimisticGradientDescentOptions,
  optimisticAdam,
  optimisticAdamV2,
  optimisticGradientDescent,
} from './aliases/optimistic.ts';
export { type PolyakSgdOptions, polyakSgd } from './aliases/polyakSgd.ts';
export { prodigy } from './aliases/prodigy.ts';
export { type RadamOptions, radam } from './aliases/radam.ts';
export type { DecayOptions, RateOptions } from './aliases/rate.ts';
export { type RmspropOptions, rmsprop } from './aliases/rmsprop.ts';
export { rprop } from './aliases/rprop.ts';
export { type SgdOptions, sgd } from './aliases/sgd.ts';
export { type SignumOptions, signSgd, signum } from './aliases/signSgd.ts';
export { type Sm3Options, sm3 } from './aliases/sm3.ts';
export { type SophiaOptions, sophia } from './aliases/sophia.ts';
export { type YogiOptions, yogi } from './aliases/yogi.ts';
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
export { type BacktrackingOptions, scaleByBacktrackingLinesearch } from './linesearch/backtracking.ts';
export { type LinesearchState, valueAndGradFromState } from './linesearch/state.ts';
export { scaleByZoomLinesearch, type ZoomOptions } from './linesearch/zoom.ts';
export type { Choice, ChoiceTree, Mask } from './masks.ts';
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
export { type NeumannChain, neumannChain } from './neumann/neumannChain.ts';
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
export * as projections from './projections.ts';
export {
  applyUpdates,
  chain,
  type ExtraArgs,
  type GradientTransformation,
  identity,
  incrementalUpdate,
  namedChain,
  type Predicate,
  periodicUpdate,
  type Scalar,
  type Schedule,
  setToZero,
  stateless,
  statelessWithTreeMap,
  type TensorTree,
} from './protocol.ts';
export { constantSchedule } from './schedules/constantSchedule.ts';
export { type CosineDecayScheduleOptions, cosineDecaySchedule } from './schedules/cosineDecaySchedule.ts';
export { type DataSize, epochs, stepsPerEpoch } from './schedules/epochs.ts';
export { type ExponentialDecayOptions, exponentialDecay } from './schedules/exponentialDecay.ts';
export { type InverseTimeDecayOptions, inverseTimeDecay } from './schedules/inverseTimeDecay.ts';
export { joinSchedules } from './schedules/joinSchedules.ts';
export { linearScaling } from './schedules/linearScaling.ts';
export {
  cosineOnecycleSchedule,
  type LinearOnecycleOptions,
  linearOnecycleSchedule,
  type OnecycleOptions,
} from './schedules/onecycle.ts';
export {
  type PiecewiseConstantScheduleOptions,
  piecewiseConstantSchedule,
} from './schedules/piecewiseConstantSchedule.ts';
export {
  type PiecewiseInterpolateOptions,
  piecewiseInterpolateSchedule,
} from './schedules/piecewiseInterpolateSchedule.ts';
export {
  type LinearScheduleOptions,
  linearSchedule,
  type PolynomialScheduleOptions,
  polynomialSchedule,
  warmupConstantSchedule,
} from './schedules/polynomialSchedule.ts';
export { type RampStepOptions, rampStep } from './schedules/rampStep.ts';
export { sgdrSchedule } from './schedules/sgdrSchedule.ts';
export {
  type WarmupCosineDecayOptions,
  type WarmupExponentialDecayOptions,
  type WarmupOptions,
  warmupCosineDecaySchedule,
  warmupExponentialDecaySchedule,
} from './schedules/warmups.ts';
export { type AddDecayedWeightsOptions, addDecayedWeights } from './transforms/addDecayedWeights.ts';
export { type AddNoiseOptions, type AddNoiseState, addNoise } from './transforms/addNoise.ts';
export { centralize } from './transforms/centralize.ts';
export { clipByGlobalNorm } from './transforms/clipByGlobalNorm.ts';
export { adaptiveGradClip, clipByBlockRms, clipByValue } from './transforms/clipping.ts';
export { type EmaOptions, type EmaState, ema } from './transforms/ema.ts';
export { keepParamsNonnegative } from './transforms/keepParamsNonnegative.ts';
export { normalizeByUpdateNorm } from './transforms/normalizeByUpdateNorm.ts';
export { type ParamsEmaTransformation, paramsEma } from './transforms/paramsEma.ts';
export {
  type ScaleByScheduleState,
  scale,
  scaleByLearningRate,
  scaleBySchedule,
} from './transforms/scale.ts';
export {
  type ScaleByAdadeltaOptions,
  type ScaleByAdadeltaState,
  scaleByAdadelta,
} from './transforms/scaleByAdadelta.ts';
export {
  type MomentOptions,
  type ScaleByAdamOptions,
  type ScaleByAdamState,
  scaleByAdam,
} from './transforms/scaleByAdam.ts';
export { type ScaleByAdamaxOptions, scaleByAdamax } from './transforms/scaleByAdamax.ts';
export { type ScaleByAdanOptions, type ScaleByAdanState, scaleByAdan } from './transforms/scaleByAdan.ts';
export {
  type ScaleByAdemamixOptions,
  type ScaleByAdemamixState,
  scaleByAdemamix,
} from './transforms/scaleByAdemamix.ts';
export { type ScaleByAmsgradState, scaleByAmsgrad } from './transforms/scaleByAmsgrad.ts';
export { scaleByBelief } from './transforms/scaleByBelief.ts';
export {
  type ScaleByDistanceOptions,
  type ScaleByDistanceState,
  scaleByDistanceOverGradients,
  scaleByDistanceOverWeightedGradients,
} from './transforms/scaleByDistance.ts';
export {
  type ScaleByFactoredRmsOptions,
  type ScaleByFactoredRmsState,
  scaleByFactoredRms,
} from './transforms/scaleByFactoredRms.ts';
export {
  type LbfgsPair,
  type ScaleByLbfgsOptions,
  type ScaleByLbfgsState,
  scaleByLbfgs,
} from './transforms/scaleByLbfgs.ts';
export { type ScaleByLionOptions, type ScaleByLionState, scaleByLion } from './transforms/scaleByLion.ts';
export {
  type NewtonSchulzOptions,
  orthogonalize,
  type ScaleByMuonOptions,
  type ScaleByMuonState,
  scaleByMuon,
} from './transforms/scaleByMuon.ts';
export { type ScaleByNovogradOptions, scaleByNovograd } from './transforms/scaleByNovograd.ts';
export {
  type ScaleByOptimisticGradientOptions,
  type ScaleByOptimisticGradientState,
  scaleByOptimisticGradient,
} from './transforms/scaleByOptimisticGradient.ts';
export {
  type ScaleByParamBlockOptions,
  scaleByParamBlockNorm,
  scaleByParamBlockRms,
} from './transforms/scaleByParamBlock.ts';
export { type ScaleByPolyakOptions, scaleByPolyak } from './transforms/scaleByPolyak.ts';
export {
  type ScaleByProdigyOptions,
  type ScaleByProdigyState,
  scaleByProdigy,
} from './transforms/scaleByProdigy.ts';
export { type ScaleByRadamOptions, scaleByRadam } from './transforms/scaleByRadam.ts';
export {
  type ScaleByRmsOptions,
  type ScaleByRmsState,
  type ScaleByStddevState,
  scaleByRms,
  scaleByStddev,
} from './transforms/scaleByRms.ts';
export { type ScaleByRpropOptions, type ScaleByRpropState, scaleByRprop } from './transforms/scaleByRprop.ts';
export { type ScaleByRssOptions, type ScaleByRssState, scaleByRss } from './transforms/scaleByRss.ts';
export { scaleBySign } from './transforms/scaleBySign.ts';
export { type ScaleBySm3Options, type ScaleBySm3State, scaleBySm3 } from './transforms/scaleBySm3.ts';
export {
  type ScaleBySophiaOptions,
  type ScaleBySophiaState,
  scaleBySophia,
} from './transforms/scaleBySophia.ts';
export { type ScaleByTrustRatioOptions, scaleByTrustRatio } from './transforms/scaleByTrustRatio.ts';
export { type ScaleByYogiOptions, scaleByYogi } from './transforms/scaleByYogi.ts';
export { type TraceOptions, type TraceState, trace } from './transforms/trace.ts';
export { type ZeroNansState, zeroNans } from './transforms/zeroNans.ts';
export * as tree from './tree/index.ts';
export { globalNorm } from './trees.ts';
export { type ApplyEveryState, applyEvery } from './wrappers/applyEvery.ts';
export { type ApplyIfFiniteState, applyIfFinite } from './wrappers/applyIfFinite.ts';
export {
  type ConditionalState,
  conditionallyMask,
  conditionallyTransform,
  type ShouldTransform,
} from './wrappers/conditionally.ts';
export { flattened } from './wrappers/flattened.ts';
export {
  type Injected,
  type InjectHyperparamsState,
  injectHyperparams,
  type StatefulSchedule,
} from './wrappers/injectHyperparams.ts';
export {
  type LookaheadOptions,
  type LookaheadState,
  type LookaheadTransformation,
  lookahead,
} from './wrappers/lookahead.ts';
export { freeze, masked, selectiveTransform } from './wrappers/masked.ts';
export { type MechanizeOptions, type MechanizeState, mechanize } from './wrappers/mechanize.ts';
export {
  type Measure,
  type MeasureArgs,
  type MonitorEmaState,
  monitor,
  monitorEma,
  snapshot,
} from './wrappers/monitor.ts';
export {
  type MultiStepsOptions,
  type MultiStepsState,
  multiSteps,
  type ShouldSkip,
  skipLargeUpdates,
  skipNotFinite,
} from './wrappers/multiSteps.ts';
export { type PartitionState, partition } from './wrappers/partition.ts';
export {
  type ReduceOnPlateauOptions,
  type ReduceOnPlateauState,
  reduceOnPlateau,
} from './wrappers/reduceOnPlateau.ts';
export { type SamOptions, sam } from './wrappers/sam.ts';
export {
  type ScheduleFreeAdamwOptions,
  type ScheduleFreeOptions,
  type ScheduleFreeSgdOptions,
  type ScheduleFreeState,
  type ScheduleFreeTransformation,
  scheduleFree,
  scheduleFreeAdamw,
  scheduleFreeSgd,
} from './wrappers/scheduleFree.ts';
