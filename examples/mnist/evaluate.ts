import { argmax, jit, type Tensor } from '@neumann/core';
import { accuracy, crossEntropy } from '@neumann/nn';
import { type Images, select, toBatch } from './data.ts';
import { type Params, predict } from './model.ts';

export interface Evaluation {
  /** Cross-entropy in nats, averaged over the images. */
  readonly loss: number;
  /** Fraction of images whose digit was found. */
  readonly accuracy: number;
  /** The digit found for each image. */
  readonly predictions: Uint8Array;
}

const batchSize = 500;

const evaluateBatch = jit((params: Params, images: Tensor, labels: Tensor) => {
  const logits = predict(params, images);
  return {
    loss: crossEntropy(logits, labels),
    accuracy: accuracy(logits, labels),
    predictions: argmax(logits, { axis: -1 }),
  };
});

/** How well parameters do on images. */
export async function evaluate(params: Params, images: Images): Promise<Evaluation> {
  const total = images.labels.length;
  const predictions = new Uint8Array(total);
  let [loss, correct] = [0, 0];
  for (let at = 0; at < total; at += batchSize) {
    const size = Math.min(batchSize, total - at);
    const batch = toBatch(
      select(
        images,
        Array.from({ length: size }, (_, i) => at + i),
      ),
    );
    const result = evaluateBatch(params, batch.images, batch.labels);
    predictions.set(await result.predictions.data(), at);
    loss += size * (await numberOf(result.loss));
    correct += size * (await numberOf(result.accuracy));
  }
  return { loss: loss / total, accuracy: correct / total, predictions };
}

/** The value of a scalar, on backends that cannot be read without waiting, too. */
export async function numberOf(x: Tensor): Promise<number> {
  return Number((await x.data())[0]);
}
