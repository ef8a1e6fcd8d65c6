import { random } from '@neumann/core';
import { ExpectedError } from '../shared/command.ts';
import { batches, distorted, type Split, shuffled } from './data.ts';
import { type Evaluation, evaluate, numberOf } from './evaluate.ts';
import { newParams, type Params } from './model.ts';
import { makeOptimizer } from './optimizers.ts';
import type { OptimizerName } from './options.ts';
import { makeMeter } from './progress.ts';
import { makeStep } from './step.ts';

export interface TrainOptions {
  readonly batch: number;
  readonly epochs: number;
  readonly seed: number;
}

/** Means over one epoch; those of training are of distorted images, while the parameters change. */
export interface EpochMetrics {
  readonly epoch: number;
  readonly trainLoss: number;
  readonly trainAccuracy: number;
  readonly validationLoss: number;
  readonly validationAccuracy: number;
}

export interface Run {
  readonly optimizer: OptimizerName;
  readonly history: readonly EpochMetrics[];
  readonly params: Params;
  readonly test: Evaluation;
  /** From the first step to the last, with the validation in between. */
  readonly seconds: number;
  /** In training alone. */
  readonly imagesPerSecond: number;
}

/** The loss became infinite or NaN. */
class DivergedError extends ExpectedError {}

/**
 * Trains the network from random weights, and tests the result once.
 * @param onEpoch Called after each epoch.
 * @throws {DivergedError} after an epoch whose loss is no finite number.
 */
export async function train(
  name: OptimizerName,
  { training, validation, test }: Split,
  { batch, epochs, seed }: TrainOptions,
  onEpoch: (metrics: EpochMetrics, imagesPerSecond: number) => void,
): Promise<Run> {
  const stepsPerEpoch = Math.floor(training.labels.length / batch);
  const optimizer = makeOptimizer(name, { examples: stepsPerEpoch * batch, batch, epochs });
  const step = makeStep(optimizer);
  let state = optimizer.init(newParams(random.foldIn(random.key(seed), 0)));

  const history: EpochMetrics[] = [];
  const start = performance.now();
  let stepping = 0; // seconds
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const key = random.foldIn(random.key(seed), epoch);
    const order = await shuffled(random.foldIn(key, 0), training.labels.length);
    const seen = await distorted(training, random.foldIn(key, 1));
    const meter = makeMeter({ name, epoch, epochs, stepsPerEpoch, batch });
    for (const { images, labels } of batches(seen, order, batch)) {
      const result = step(state, images, labels);
      state = result.state;
      meter.add(await numberOf(result.loss), await numberOf(result.accuracy));
    }
    const trained = meter.finish();
    const watched = await evaluate(optimizer.evalParams(state), validation);
    const metrics = {
      epoch,
      trainLoss: trained.loss,
      trainAccuracy: trained.accuracy,
      validationLoss: watched.loss,
      validationAccuracy: watched.accuracy,
    };
    stepping += trained.seconds;
    history.push(metrics);
    onEpoch(metrics, (stepsPerEpoch * batch) / trained.seconds);
    if (!Number.isFinite(trained.loss))
      throw new DivergedError(
        `${name}: the loss is ${trained.loss} after epoch ${epoch}; try a larger --batch.`,
      );
  }
  const params = optimizer.evalParams(state);
  return {
    optimizer: name,
    history,
    params,
    test: await evaluate(params, test),
    seconds: (performance.now() - start) / 1000,
    imagesPerSecond: (epochs * stepsPerEpoch * batch) / stepping,
  };
}
