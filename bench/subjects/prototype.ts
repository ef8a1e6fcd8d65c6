/** Kernels by hand. */
import { workloads } from '../programs/prototype.ts';
import { serve } from './serve.mjs';

await serve(workloads);
