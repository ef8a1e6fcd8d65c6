/** What operations say when they refuse: the operation, what it needs, what arrived, what to do. */
import { expect, test } from 'vitest';
import * as nm from '../../src/index.ts';

const { ones, tensor, jit } = nm;
const i32 = (...xs: number[]): nm.Tensor => tensor(xs, 'int32');

test.each<[() => unknown, string]>([
  [
    () => nm.einsum('ij,jk', ones([2, 3]), ones([4, 5])),
    'einsum: "ij,jk" has extents 3 and 4 for j; operands are f32[2,3], f32[4,5].',
  ],
  [() => nm.einsum('ij', ones([2])), 'einsum: "ij" names 2 axes of operand 0, which is f32[2].'],
  [() => nm.einsum('i,j', ones([2])), 'einsum: "i,j" names 2 operands, but there are 1.'],
  [() => nm.einsum('i->k', ones([2])), 'einsum: "i->k" has k in the result, but in no operand.'],
  [() => nm.einsum('i->ii', ones([2])), 'einsum: "i->ii" has i twice in the result.'],
  [() => nm.einsum('i1', ones([2])), 'einsum: "i1" holds something other than letters, "...", "," and "->".'],
  [
    () => nm.tensordot(ones([2, 3]), ones([4, 5]), 1),
    'tensordot: axes [1] of f32[2,3] and [0] of f32[4,5] have different extents.',
  ],
  [() => nm.at(ones([2, 3]), [5]).get(), 'at: index 5 is out of range for axis 0 of f32[2,3].'],
  [
    () => nm.at(ones([2, 3]), [i32(1, 2)]).set(0),
    'at: index 2 is out of range for f32[2,3], which has 2 along that axis.',
  ],
  [() => nm.at(ones([3]), [0, 0]).get(), 'at: 2 axes are indexed, but f32[3] has 1.'],
  [
    () => nm.at(ones([3]), [i32(0, 1)]).set(tensor([1, 2, 3])),
    'at: values f32[3] do not broadcast to the indexed elements [2].',
  ],
  [
    () => nm.at(i32(1, 2), [0]).set(0.5),
    'at: values of 0.5 do not fit into i32[2]; convert one of them with astype().',
  ],
  [
    () => nm.at(ones([3]), [tensor([true, false])]).get(),
    'at: the mask bool[2] does not fit f32[3] from axis 0 on.',
  ],
  [
    () => jit((x: nm.Tensor) => nm.at(x, [nm.greater(x, 0)]).get())(ones([3])),
    'at: how many elements the mask bool[3] chooses is not known while it is being traced; ' +
      'use where(), or nonzero() with a size.',
  ],
  [
    () => jit((x: nm.Tensor) => nm.nonzero(x))(ones([3])),
    'nonzero: how many elements of bool[3] hold is not known while it is being traced; give options.size.',
  ],
  [
    () => jit((x: nm.Tensor) => nm.unique(x))(ones([3])),
    'unique: how many different elements there are is not known while they are being traced; give options.size.',
  ],
  [() => nm.topK(ones([3]), 4), 'topK: k is 4, but f32[3] has only 3 along axis 0.'],
  [() => nm.roll(ones([3]), 0.5), 'roll: shift is an integer, but got 0.5.'],
  [() => nm.pad(ones([0]), 1, { mode: 'edge' }), 'pad: mode edge needs an element along axis 0 of f32[0].'],
  [() => nm.pad(ones([2]), 1, { mode: 'edge', value: 1 }), 'pad: mode edge takes no value.'],
  [() => nm.quantile(ones([3]), 1.5), 'quantile: q lies in [0, 1], but is 1.5.'],
  [() => nm.median(ones([0])), 'median: needs at least one element, but f32[0] has none there.'],
  [() => nm.gcd(1.5, ones([2])), 'gcd: needs integers, but got float32; convert them with astype().'],
  [
    () => nm.nextAfter(tensor(1, 'float64'), 2),
    'nextAfter: needs float32, but got float64; convert it with astype().',
  ],
  [
    () => nm.dynamicSlice(ones([3]), [0], [4]),
    'dynamicSlice: 4 elements along axis 0 are more than f32[3] has.',
  ],
  [() => nm.searchsorted(ones([2, 2]), 1), 'searchsorted: needs a sorted vector, but got f32[2,2].'],
  [
    () => nm.cross(ones([2]), ones([2])),
    'cross: vectors have three elements along the last axis, but got f32[2] and f32[2].',
  ],
  [() => nm.geomspace(-1, 1), 'geomspace: the ends are both positive or both negative, but are -1 and 1.'],
])('%s', (f, message) => {
  let said = '';
  try {
    f();
  } catch (error) {
    said = (error as Error).message;
  }
  expect(said).toBe(message);
});
