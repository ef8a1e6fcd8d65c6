export { type GpuBackend, type GpuDescription, type GpuMode, type GpuOptions, gpu } from './gpu.ts';
