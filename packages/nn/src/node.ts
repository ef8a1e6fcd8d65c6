/** `@neumann/nn/node`: data sets from the disk, checkpoints, logs, and data made in worker threads. For Node only. */
export { type CheckpointsOptions, checkpoints, exitOnInterrupt, memoryUsage } from './node/callbacks.ts';
export {
  type Checkpoint,
  type LoadOptions,
  loadCheckpoint,
  type SaveOptions,
  saveCheckpoint,
} from './node/checkpoint.ts';
export { readCifar, readIdx, readMnist, type TrainingAndTest } from './node/datasets.ts';
export { writeAtomically } from './node/files.ts';
export { type ImageFolder, listImages, type ReadImagesOptions, readImages } from './node/imageFolder.ts';
export { csvLog, jsonlLog, type LogOptions, tensorboardLog } from './node/logs.ts';
export { type ProgressOptions, progress, type TextStream } from './node/progress.ts';
export { type InWorkerOptions, inWorker } from './node/workerData.ts';
