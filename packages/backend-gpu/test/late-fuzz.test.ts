import { runFuzz } from '@neumann/testing';
import { lateBackend } from './late.ts';

/** Values that come late, kernels that take few arrays, and memory that is gone once it was given back. */
runFuzz(lateBackend({ maxInputs: 3 }), { runs: 20, dtypes: ['float32'] });
