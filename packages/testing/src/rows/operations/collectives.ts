/** Operations over the examples of a named batch. */
import * as nm from '@neumann/core';
import { anyOperand, distinctOperand, shapes, smallShapes, smoothOperand } from '../../arbitrary.ts';
import type { DType, Shape, Tensor } from '../../core.ts';
import type { Operand, Row } from '../../row.ts';
import { floats } from '../dtypes.ts';

const axisName = 'batch';

/** `op` of an operand whose first axis is the batch, so that every example gets the result. */
function collective(
  name: string,
  op: (x: Tensor) => Tensor,
  { known, smooth }: { readonly known: readonly DType[]; readonly smooth?: (shape: Shape) => Operand },
): Row {
  const over = (list: typeof shapes, operand: (shape: Shape) => Operand) =>
    list().map((shape) => ({
      f: (x: Tensor) => nm.vmap(op, { axisName })(x),
      text: `vmap(${name})`,
      operands: [operand([3, ...shape])],
    }));
  return {
    name,
    dtypes: known,
    error: 'sum',
    values: (dtype) => over(shapes, (shape) => anyOperand(dtype, shape)),
    ...(smooth && { smooth: over(smallShapes, smooth) }),
  };
}

const smoothly = (shape: Shape): Operand => smoothOperand(shape, -1, 1);

export const collectiveRows: readonly Row[] = [
  collective('psum', (x) => nm.psum(x, axisName), { known: [...floats, 'int32'], smooth: smoothly }),
  collective('pmean', (x) => nm.pmean(x, axisName), { known: floats, smooth: smoothly }),
  collective('pmax', (x) => nm.pmax(x, axisName), { known: [...floats, 'int32'], smooth: distinctOperand }),
  collective('pmin', (x) => nm.pmin(x, axisName), { known: [...floats, 'int32'], smooth: distinctOperand }),
  collective('axisIndex', (x) => nm.add(x, nm.axisIndex(axisName)), { known: ['int32', 'float32'] }),
];
