import type { Row } from '../row.ts';
import { controlRows } from './control.ts';
import { arrangementRows } from './operations/arrangements.ts';
import { collectiveRows } from './operations/collectives.ts';
import { contractionRows } from './operations/contractions.ts';
import { elementwiseRows } from './operations/elementwise.ts';
import { fourierRows } from './operations/fourier.ts';
import { imageRows } from './operations/image.ts';
import { indexedRows } from './operations/indexed.ts';
import { linalgRows } from './operations/linalg.ts';
import { numericRows } from './operations/numeric.ts';
import { orderedRows } from './operations/ordered.ts';
import { productRows } from './operations/products.ts';
import { randomRows } from './operations/random.ts';
import { reductionRows } from './operations/reductions.ts';
import { shapeRows } from './operations/shapes.ts';
import { sourceRows } from './operations/sources.ts';
import { statisticsRows } from './operations/statistics.ts';

/** A row for every operation that `@neumann/core` exports; those of its namespaces with their prefix. */
export const operationRows: readonly Row[] = [
  ...controlRows,
  ...elementwiseRows,
  ...numericRows,
  ...reductionRows,
  ...orderedRows,
  ...statisticsRows,
  ...shapeRows,
  ...arrangementRows,
  ...indexedRows,
  ...productRows,
  ...contractionRows,
  ...linalgRows,
  ...imageRows,
  ...fourierRows,
  ...sourceRows,
  ...randomRows,
  ...collectiveRows,
];
