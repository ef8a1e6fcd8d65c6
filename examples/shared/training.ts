/** Training of image classifiers with layer state and any optimizer, as one jitted step. */
import { jit, random, type Tensor, valueAndGrad } from '@neumann/core';
import { accuracy, crossEntropy } from '@neumann/nn';
import { batches, type HostArray, type LabelledImages } from '@neumann/nn/data';
import type { Model } from '@neumann/nn/models';
import {
  adamw,
  applyUpdates,
  cosineDecaySchedule,
  type GradientTransformation,
  globalNorm,
  neumann,
  neumannEpochs,
  sgd,
} from '@neumann/optim';

export const optimizerNames = ['neumann', 'momentum', 'adamw'] as const;
export type OptimizerName = (typeof optimizerNames)[number];

/** How long the training is. */
export interface Budget {
  readonly examples: number;
  readonly batch: number;
  readonly epochs: number;
}

type AnyTransformation = GradientTransformation<object>;

/** An optimizer with a rate that falls to zero along half a cosine; `rate` replaces the one that did well. */
export function makeOptimizer(
  name: OptimizerName,
  budget: Budget,
  rate?: number,
): AnyTransformation & { evalParams?(state: object, params: object): object } {
  const { examples, batch, epochs } = budget;
  const decay = (initValue: number) =>
    cosineDecaySchedule({ initValue, decaySteps: Math.max(1, Math.round((epochs * examples) / batch)) });
  switch (name) {
    case 'neumann':
      return neumann({
        learningRate: decay(rate ?? 0.05),
        ...neumannEpochs({
          examples,
          batch,
          burnIn: Math.max(epochs / 12, batch / examples),
          reset: Math.max(epochs / 6, batch / examples),
          tau: epochs / 24,
        }),
      });
    case 'momentum':
      return sgd({ learningRate: decay(rate ?? 0.05), momentum: 0.9 });
    case 'adamw':
      return adamw({ learningRate: decay(rate ?? 2e-3), weightDecay: 1e-2 });
    default:
      return name satisfies never;
  }
}

/** All that a training changes: one tree, to be donated, saved and continued. */
export interface TrainingState {
  readonly params: object;
  /** Running statistics. */
  readonly layers: object;
  readonly optimizer: object;
  readonly key: Tensor;
}

export interface ImageBatch {
  readonly images: Tensor;
  readonly labels: Tensor;
}

/** What turns pixels into the input of the network; in training with randomness. */
export type Prepare = (images: Tensor, key: Tensor | undefined) => Tensor;

/** The step of a training, its first state, and how to test what it made. */
export function makeTraining(
  model: Model,
  optimizer: ReturnType<typeof makeOptimizer>,
  prepare: Prepare,
  labelSmoothing = 0,
) {
  const step = jit(
    (state: TrainingState, { images, labels }: ImageBatch) => {
      const [augmentKey, layerKey, key] = random.split(state.key, 3) as [Tensor, Tensor, Tensor];
      const x = prepare(images, augmentKey);
      const loss = (params: object): [Tensor, { layers: object; accuracy: Tensor }] => {
        const [logits, layers] = model.apply(params, state.layers, x, { training: true, key: layerKey });
        return [
          crossEntropy(logits, labels, { labelSmoothing }),
          { layers, accuracy: accuracy(logits, labels) },
        ];
      };
      const [[value, aux], grads] = valueAndGrad(loss, { hasAux: true })(state.params);
      const [updates, memory] = optimizer.update(grads, state.optimizer, state.params);
      return {
        state: {
          params: applyUpdates(state.params, updates),
          layers: aux.layers,
          optimizer: memory,
          key,
        },
        metrics: { loss: value, accuracy: aux.accuracy, gradientNorm: globalNorm(grads) },
      };
    },
    { donate: [0] },
  );
  const test = jit((params: object, layers: object, { images, labels }: ImageBatch) => {
    const [logits] = model.apply(params, layers, prepare(images, undefined));
    return { loss: crossEntropy(logits, labels), accuracy: accuracy(logits, labels) };
  });
  return {
    init(key: Tensor, shape: readonly number[]): TrainingState {
      const { params, state } = model.init(random.foldIn(key, 0), { shape, dtype: 'float32' });
      return { params, layers: state, optimizer: optimizer.init(params), key: random.foldIn(key, 1) };
    },
    step: (state: TrainingState, batch: ImageBatch) =>
      step(state, batch) as unknown as { state: TrainingState; metrics: Record<string, Tensor> },
    /** Mean loss and accuracy over images; those that do not fill a last batch count, too. */
    async evaluate(
      state: TrainingState,
      data: LabelledImages,
      size: number,
    ): Promise<{ loss: number; accuracy: number }> {
      const params = optimizer.evalParams?.(state.optimizer, state.params) ?? state.params;
      let [loss, correct] = [0, 0];
      const arrays: { images: HostArray; labels: HostArray } = { ...data };
      for await (const { batch, indices } of batches(arrays, {
        size: Math.min(size, data.labels.size),
        epochs: 1,
        dropLast: false,
      })) {
        const result = test(params, state.layers, batch);
        loss += ((await result.loss.data())[0] as number) * indices.length;
        correct += ((await result.accuracy.data())[0] as number) * indices.length;
      }
      return { loss: loss / data.labels.size, accuracy: correct / data.labels.size };
    },
  };
}
