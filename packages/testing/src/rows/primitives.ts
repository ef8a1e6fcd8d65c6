import type { Row } from '../row.ts';
import { contractionRows } from './contraction.ts';
import { controlPrimitiveRows } from './control.ts';
import { elementwiseRows } from './elementwise.ts';
import { fourierRows } from './fourier.ts';
import { indexingRows } from './indexing.ts';
import { linalgRows } from './linalg.ts';
import { movementRows } from './movement.ts';
import { orderRows } from './order.ts';
import { otherRows } from './others.ts';
import { reduceRows } from './reduce.ts';
import { specialRows } from './special.ts';
import { variateRows } from './variates.ts';
import { windowRows } from './window.ts';

/** A row for every primitive. The first word of its name is the primitive's. */
export const primitiveRows: readonly Row[] = [
  ...controlPrimitiveRows,
  ...elementwiseRows,
  ...movementRows,
  ...reduceRows,
  ...contractionRows,
  ...specialRows,
  ...orderRows,
  ...windowRows,
  ...indexingRows,
  ...linalgRows,
  ...fourierRows,
  ...variateRows,
  ...otherRows,
];
