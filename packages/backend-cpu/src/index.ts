/** `@neumann/backend-cpu`: the WebAssembly SIMD backend. */
export { type CpuBackend, cpu } from './backend.ts';
export type { Features } from './features.ts';
export type { MemoryStatistics } from './memory/residency.ts';
export type { CpuOptions } from './options.ts';
export type { Peak } from './profile/peak.ts';
export { type Profile, type ProfileRow, profile, type TraceEvent } from './profile/profile.ts';
