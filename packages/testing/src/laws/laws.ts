import { vmapIsLoop } from './batches.ts';
import type { Law } from './common.ts';
import { compositions } from './compositions.ts';
import { adjoint, gradients, transposes } from './derivatives.ts';
import { definition, donation, jitIsEager, programs, sameAsReference, shapes } from './results.ts';

/** Every law. */
export const laws: readonly Law[] = [
  definition,
  sameAsReference,
  shapes,
  jitIsEager,
  donation,
  vmapIsLoop,
  adjoint,
  transposes,
  gradients,
  compositions,
  programs,
];
