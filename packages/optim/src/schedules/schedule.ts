import { astype, type Tensor } from '@neumann/core';
import type { Scalar, Schedule } from '../protocol.ts';
import { beside } from '../trees.ts';

/** A schedule from its formula; counts that are integers are taken as float32. */
export function schedule(formula: (count: Tensor) => Scalar): Schedule {
  return (count) => {
    const isFloat = count.dtype === 'float64' || count.dtype === 'float32';
    const t = isFloat ? count : astype(count, 'float32');
    return beside(t, formula(t));
  };
}
