/** A GPT, its training step, and how it writes. */
import { concatenate, divide, jit, random, reshape, slice, type Tensor, valueAndGrad } from '@neumann/core';
import { crossEntropy } from '@neumann/nn';
import { type GptParams, gpt } from '@neumann/nn/models';
import { adamw, applyUpdates, chain, clipByGlobalNorm, warmupCosineDecaySchedule } from '@neumann/optim';

export interface LanguageOptions {
  readonly vocabulary: number;
  /** Letters that it sees at once. */
  readonly length: number;
  readonly layers: number;
  readonly features: number;
  /** Of the whole training, for the learning rate. */
  readonly steps: number;
}

export interface LanguageState {
  readonly params: GptParams;
  readonly optimizer: object;
}

export function makeLanguageModel({ vocabulary, length, layers, features, steps }: LanguageOptions) {
  const model = gpt({ vocabulary, maxLength: length, layers, heads: 4, features });
  const learningRate = warmupCosineDecaySchedule({
    initValue: 0,
    peakValue: 3e-3,
    warmupSteps: Math.min(100, Math.ceil(steps / 10)),
    decaySteps: steps,
    endValue: 1e-4,
  });
  const optimizer = chain(clipByGlobalNorm(1), adamw({ learningRate, weightDecay: 1e-2 }));
  type Memory = ReturnType<typeof optimizer.init>;

  const step = jit(
    (state: LanguageState, windows: Tensor) => {
      const seen = slice(windows, [null, [0, length]]);
      const next = slice(windows, [null, [1, length + 1]]);
      const loss = (params: GptParams) => crossEntropy(model.apply(params, null, seen)[0], next);
      const [value, grads] = valueAndGrad(loss)(state.params);
      const [updates, memory] = optimizer.update(grads, state.optimizer as Memory, state.params);
      return {
        state: { params: applyUpdates(state.params, updates), optimizer: memory },
        metrics: { loss: value },
      };
    },
    { donate: [0] },
  );

  /** The letter after the last of a window, drawn from what the network expects, and the window that ends with it. */
  const writeOne = jit((params: GptParams, window: Tensor, key: Tensor) => {
    const logits = slice(model.apply(params, null, window)[0], [0, length - 1]);
    const letter = random.categorical(key, divide(logits, 0.8)); // colder than it has learned: fewer mistakes
    return {
      letter,
      window: concatenate([slice(window, [null, [1, length]]), reshape(letter, [1, 1])], { axis: 1 }),
    };
  });

  return {
    model,
    init(key: Tensor): LanguageState {
      const { params } = model.init(key, { shape: [1, length], dtype: 'int32' });
      return { params, optimizer: optimizer.init(params) };
    },
    step: (state: LanguageState, windows: Tensor) =>
      step(state, windows) as unknown as { state: LanguageState; metrics: { loss: Tensor } },
    /** `count` letters after a window `[1, length]`. */
    async write(params: GptParams, start: Tensor, key: Tensor, count: number): Promise<number[]> {
      const letters: number[] = [];
      let window = start;
      for (let i = 0; i < count; i++) {
        const next = writeOne(params, window, random.foldIn(key, i));
        window = next.window;
        letters.push((await next.letter.data())[0] as number);
      }
      return letters;
    },
  };
}
