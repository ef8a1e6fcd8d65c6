/** The kernels of routines as the core lowers them, caught on their way to a backend. */
import {
  acc,
  type Backend,
  type ConvGeometry,
  type DType,
  hostArray,
  type Kernel,
  reference,
  sizeOf,
  type WindowGeometry,
} from '@neumann/core/backend';
import { ConcreteTensor } from '../../core/src/concrete.ts';
import { convolve, convShape, sourcesOf } from '../../core/src/primitives/conv.ts';
import { gather, scatterAdd } from '../../core/src/primitives/gather.ts';
import { matmul } from '../../core/src/primitives/matmul.ts';
import { windowArgmax, windowGather, windowMax, windowSum } from '../../core/src/primitives/window.ts';
import type { Tensor } from '../../core/src/tensor.ts';

export function matmulKernel(
  {
    batch,
    m,
    n,
    k,
    transposeX = false,
    transposeY = false,
  }: { batch?: number; m: number; n: number; k: number; transposeX?: boolean; transposeY?: boolean },
  dtype: DType = 'float32',
): Kernel {
  const lead = batch === undefined ? [] : [batch];
  const x = [...lead, ...(transposeX ? [k, m] : [m, k])];
  const y = [...lead, ...(transposeY ? [n, k] : [k, n])];
  return caught([x, y], [dtype, dtype], (a, b) => matmul(a, b, transposeX, transposeY));
}

export function convKernel(target: 'x' | 'w' | 'y', conv: ConvGeometry, dtype: DType = 'float32'): Kernel {
  const shapes = sourcesOf(target).map((operand) => convShape(operand, conv));
  return caught(shapes, [dtype, dtype], (a, b) => convolve(target, conv, a, b));
}

export type WindowName = 'windowSum' | 'windowMax' | 'windowArgmax' | 'windowMaxAndArgmax' | 'windowGather';

export function windowKernel(
  name: WindowName,
  target: 'x' | 'y',
  window: WindowGeometry,
  dtype: DType = 'float32',
): Kernel {
  const shapes = { x: [window.n, ...window.x, window.c], y: [window.n, ...window.y, window.c] };
  const source = target === 'y' ? shapes.x : shapes.y;
  switch (name) {
    case 'windowSum':
      return caught([source], [dtype], (t) => windowSum(target, window, t));
    case 'windowMax':
      return caught([source], [dtype], (t) => windowMax(window, t));
    case 'windowArgmax':
      return caught([source], [dtype], (t) => windowArgmax(window, t));
    case 'windowMaxAndArgmax': {
      const [greatest, found] = [
        windowKernel('windowMax', 'y', window, dtype),
        windowKernel('windowArgmax', 'y', window, dtype),
      ];
      return {
        ...greatest,
        reductions: [...greatest.reductions, ...found.reductions],
        outputs: [...greatest.outputs, acc('int32', 1)],
      };
    }
    case 'windowGather':
      return caught([source, shapes.y], [dtype, 'int32'], (t, found) =>
        windowGather(target, window, t, found),
      );
    default:
      return name satisfies never;
  }
}

export interface RowExtents {
  readonly outer: number;
  readonly rows: number;
  readonly count: number;
  readonly inner: number;
}

export function gatherKernel(extents: RowExtents, dtype: DType): Kernel {
  const { outer, rows, count, inner } = extents;
  return caught([[outer, rows, inner], [count]], [dtype, 'int32'], (x, index) => gather(x, index, extents));
}

export function scatterAddKernel(extents: RowExtents, dtype: DType): Kernel {
  const { outer, count, inner } = extents;
  return caught([[outer, count, inner], [count]], [dtype, 'int32'], (y, index) =>
    scatterAdd(y, index, extents),
  );
}

/** The kernel of the one operation that `apply` runs. */
function caught(
  shapes: readonly (readonly number[])[],
  dtypes: readonly DType[],
  apply: (...x: [Tensor, Tensor]) => Tensor,
): Kernel {
  let kernel: Kernel | undefined;
  const real = reference();
  const backend: Backend = {
    ...real,
    compile: (plan) => {
      const [step] = plan.steps;
      if (step?.kind === 'kernel') kernel = step.kernel;
      return {
        run: () =>
          plan.outputs.map((slot) =>
            real.upload(
              plan.slots[slot]?.dtype ?? 'float32',
              hostArray(plan.slots[slot]?.dtype ?? 'float32', 0),
            ),
          ),
      };
    },
  };
  const tensors = shapes.map((shape, i) => {
    const dtype = dtypes[i] ?? 'float32';
    return new ConcreteTensor(
      { shape, dtype },
      backend,
      backend.upload(dtype, hostArray(dtype, sizeOf(shape))),
    );
  });
  apply(...(tensors as unknown as [Tensor, Tensor]));
  if (!kernel?.routine) throw new Error('no kernel with a routine was caught.');
  return kernel;
}
