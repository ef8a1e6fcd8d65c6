/** The table of optimizers: every law in `optimizers.test.ts` holds for each row. */
import { random, type Tensor } from '@neumann/core';
import * as optim from '../src/index.ts';

/** A transformation whose state a test need not know. */
type AnyTransformation = optim.GradientTransformation<never>;

/** What a row makes its optimizer of. */
export type Rate = number | Tensor | optim.Schedule;

export interface OptimizerRow {
  readonly name: string;
  /** A good learning rate for the problems, or `null` where the optimizer has none. */
  readonly rate: number | null;
  readonly make: (rate: Rate) => AnyTransformation;
  /** Steps until losses have become small: 300 by default. */
  readonly steps?: number;
}

const row = (
  name: string,
  rate: number | null,
  make: (learningRate: never) => unknown,
  steps?: number,
): OptimizerRow => ({
  name,
  rate,
  make: make as OptimizerRow['make'],
  ...(steps === undefined ? {} : { steps }),
});

type Options = { readonly learningRate: number };
/** An optimizer whose only option here is its rate. */
const plain = (name: string, rate: number, optimizer: (options: Options) => unknown, steps?: number) =>
  row(name, rate, (learningRate) => optimizer({ learningRate }), steps);

const key = random.key(3);

export const optimizers: readonly OptimizerRow[] = [
  plain('sgd', 0.02, optim.sgd),
  plain('sgd with momentum', 0.01, (o) => optim.sgd({ ...o, momentum: 0.9 })),
  plain('sgd with Nesterov momentum', 0.01, (o) => optim.sgd({ ...o, momentum: 0.9, nesterov: true })),
  plain('adam', 0.05, optim.adam),
  plain('adamw', 0.05, optim.adamw),
  plain('nadam', 0.05, optim.nadam),
  plain('nadamw', 0.05, optim.nadamw),
  plain('amsgrad', 0.05, optim.amsgrad),
  plain('adamax', 0.05, optim.adamax),
  plain('adamaxw', 0.05, optim.adamaxw),
  plain('adagrad', 0.3, optim.adagrad),
  plain('adadelta', 5, optim.adadelta),
  plain('rmsprop', 0.02, optim.rmsprop),
  plain('rmsprop, centered, with momentum', 0.005, (o) =>
    optim.rmsprop({ ...o, centered: true, momentum: 0.9 }),
  ),
  plain('lion', 0.01, optim.lion),
  plain('adabelief', 0.05, optim.adabelief),
  plain('radam', 0.05, optim.radam),
  plain('yogi', 0.05, optim.yogi),
  plain('lamb', 0.05, optim.lamb),
  plain('lars', 8, optim.lars),
  plain('signSgd', 0.01, optim.signSgd),
  plain('signum', 0.01, optim.signum),
  plain('noisySgd', 0.02, (o) => optim.noisySgd({ ...o, key })),
  plain('adan', 0.05, optim.adan),
  plain('adafactor', 0.1, (o) => optim.adafactor({ ...o, minDimSizeToFactor: 2, momentum: 0.5 })),
  plain('ademamix', 0.02, (o) => optim.ademamix({ ...o, b3: 0.99, alpha: 2 })),
  plain('fromage', 0.05, optim.fromage),
  plain('novograd', 0.02, optim.novograd),
  plain('optimisticGradientDescent', 0.012, optim.optimisticGradientDescent),
  plain('optimisticAdam', 0.05, optim.optimisticAdam),
  plain('optimisticAdamV2', 0.05, optim.optimisticAdamV2),
  plain('rprop', 0.02, optim.rprop),
  plain('sm3', 0.3, optim.sm3),
  plain('muon', 0.05, optim.muon),
  plain('sophia', 0.05, (o) => optim.sophia({ ...o, key, updateInterval: 2 })),
  row('polyakSgd', null, () => optim.polyakSgd({ maxLearningRate: 1 })),
  row('prodigy', null, () => optim.prodigy({ estimLr0: 1e-2 })),
  row('dog', null, () => optim.dog({ repsRel: 1e-2 })),
  row('dowg', null, () => optim.dowg({ repsRel: 1e-2 })),
  plain('mechanize(adam)', 1, (o) => optim.mechanize(optim.adam(o), { sInit: 1e-2 })),
  plain('sam(sgd)', 0.02, (o) => optim.sam(optim.sgd(o), { rho: 0.02 })),
  plain('lookahead(adam)', 0.1, (o) => optim.lookahead(optim.adam(o), { syncPeriod: 5, slowStepSize: 0.5 })),
  plain('scheduleFreeSgd', 0.05, optim.scheduleFreeSgd),
  plain('scheduleFreeAdamw', 0.1, optim.scheduleFreeAdamw),
  row('lbfgs', null, () => optim.lbfgs(), 20),
  row(
    'lbfgs with backtracking',
    null,
    () => optim.lbfgs({ linesearch: optim.scaleByBacktrackingLinesearch({ maxBacktrackingSteps: 20 }) }),
    30,
  ),
  row(
    'sgd with backtracking',
    null,
    () =>
      optim.chain(
        optim.sgd({ learningRate: 1 }),
        optim.scaleByBacktrackingLinesearch({ maxBacktrackingSteps: 20, storeGrad: true }),
      ),
    100,
  ),
  row(
    'sgd with a zoom line search',
    null,
    () =>
      optim.chain(optim.sgd({ learningRate: 1 }), optim.scaleByZoomLinesearch({ maxLinesearchSteps: 20 })),
    100,
  ),
  plain('neumann', 0.02, (o) => optim.neumann({ ...o, burnInSteps: 5, resetSteps: 100, betaPerVariable: 0 })),
];
