/** What the page and the worker tell each other. */
import type { OptimizerName } from '../../mnist/options.ts';

export const backendNames = ['cpu', 'webgpu', 'webgl2'] as const;
export type BackendName = (typeof backendNames)[number];

export interface TrainOptions {
  readonly optimizer: OptimizerName;
  readonly batch: number;
  readonly epochs: number;
  readonly backend: BackendName;
}

/** From the page. */
export type Request =
  | { readonly kind: 'train'; readonly options: TrainOptions }
  | { readonly kind: 'stop' }
  /** Grey levels of 28 × 28 pixels. */
  | { readonly kind: 'recognise'; readonly pixels: Uint8Array };

/** From the worker. */
export type Answer =
  | { readonly kind: 'started'; readonly description: string; readonly steps: number }
  | {
      readonly kind: 'step';
      readonly step: number;
      readonly loss: number;
      readonly accuracy: number;
      readonly imagesPerSecond: number;
    }
  | {
      readonly kind: 'epoch';
      readonly step: number;
      readonly epoch: number;
      readonly loss: number;
      readonly accuracy: number;
    }
  | { readonly kind: 'finished'; readonly accuracy: number; readonly stopped: boolean }
  | { readonly kind: 'recognised'; readonly probabilities: readonly number[] }
  | { readonly kind: 'failed'; readonly message: string };
