/** Mistakes are refused by name, with what to do instead: the text of each. */
import { describe, expect, test } from 'vitest';
import * as nm from '../src/index.ts';

const { jit, grad, vmap, ones, tensor, add, reference, setBackend } = nm;
type Tensor = nm.Tensor;

setBackend(reference());

const remedy =
  'return it from the function and read it there, or use where(), cond() or whileLoop() in place of a JavaScript condition.';
const big = 2 ** 16;

describe.each<[string, new (message: string) => Error, () => unknown, string]>([
  [
    'reading a traced value',
    nm.TracerError,
    () => jit((x: Tensor) => add(x, x.item()))(1),
    `jit: dataSync() needs a value, but f32[] is being traced; ${remedy}`,
  ],
  [
    'coercing a traced value',
    nm.TracerError,
    () => grad((x: Tensor) => add(x, Number(x)))(1),
    `grad: conversion to a number needs a value, but f32[] is being traced; ${remedy}`,
  ],
  [
    'branching on a comparison',
    nm.TracerError,
    () => vmap((x: Tensor) => ((x as never) > 0 ? x : add(x, 1)))(ones([2])),
    `vmap: conversion to a number needs a value, but f32[] is being traced; ${remedy}`,
  ],
  [
    'a promise',
    nm.TracerError,
    () => jit((async (x: Tensor) => x) as never)(1),
    'jit: the function returned a promise, but traced functions are synchronous; await data before the call and pass it in.',
  ],
  [
    'a tensor that is no scalar as a number',
    nm.ShapeError,
    () => Number(ones([2])),
    'tensor: f32[2] cannot become a number; use add(), less(), … instead of operators, or read it with toArray().',
  ],
  [
    'item() of several elements',
    nm.ShapeError,
    () => ones([2]).item(),
    'item: needs a tensor with one element, but this is f32[2].',
  ],
  [
    'a slice out of range',
    nm.ShapeError,
    () => nm.slice(ones([3]), [7]),
    'slice: index 7 is out of range for axis 0 of f32[3].',
  ],
  [
    'an index out of range',
    nm.ShapeError,
    () => nm.take(ones([3]), [3]),
    'take: index 3 is out of range for f32[3], which has 3 along that axis.',
  ],
  [
    'an axis out of range',
    nm.ShapeError,
    () => nm.sum(ones([3]), { axis: 1 }),
    'sum: axis 1 is out of range for rank 1; use an integer in [-1, 0].',
  ],
  [
    'a shape with too many elements',
    nm.ShapeError,
    () => nm.zeros([big, big]),
    'zeros: [65536,65536] has more than 2^31-1 elements, the most a tensor can have.',
  ],
  [
    'a result with too many elements',
    nm.ShapeError,
    () => nm.outer(ones([big]), ones([big])),
    '[65536,65536] has more than 2^31-1 elements, the most a tensor can have.',
  ],
  [
    'the same while tracing',
    nm.ShapeError,
    () => nm.makeProgram((x: Tensor) => nm.outer(x, x), ones([big])),
    '[65536,65536] has more than 2^31-1 elements, the most a tensor can have.',
  ],
  [
    'sizes beyond 2^53',
    nm.ShapeError,
    () => nm.broadcastTo(1, [2 ** 30, 2 ** 30, 2 ** 30]),
    'has more than 2^31-1 elements, the most a tensor can have.',
  ],
  [
    'a fractional extent',
    nm.ShapeError,
    () => nm.zeros([1.5]),
    'zeros: a shape holds non-negative integers, but got [1.5].',
  ],
  [
    'an integer that the dtype cannot hold',
    nm.DTypeError,
    () => tensor([300], 'uint8'),
    'tensor: 300 is no uint8, which holds the integers from 0 to 255; round or clip it, or use another dtype.',
  ],
  [
    'int32 beside uint32',
    nm.DTypeError,
    () => add(tensor(1, 'int32'), tensor(1, 'uint32')),
    'add: int32 and uint32 have no common dtype (there is no int64); convert one with astype().',
  ],
  [
    'no dtype',
    nm.DTypeError,
    () => nm.zeros([1], 'float16' as never),
    'dtype: "float16" is not a dtype; the dtypes are bool, uint8, int32, uint32, float32, float64.',
  ],
  [
    'a dtype that the backend lacks',
    nm.DTypeError,
    () => {
      const narrow = Object.assign(Object.create(reference()) as nm.Backend, {
        name: 'narrow',
        dtypes: new Set(['float32']),
      });
      setBackend(narrow);
      try {
        return nm.zeros([1], 'float64');
      } finally {
        setBackend(reference());
      }
    },
    'narrow: has no float64; it has float32. Convert with astype(), or use another backend.',
  ],
  [
    'a string in a tree',
    nm.TreeError,
    () => jit((p: { name: string }) => p as never)({ name: 'x' }),
    'tree: name is the string "x", which is neither a leaf (tensor, number, boolean, typed array) nor an array or plain object; wrap values that are not data in new Static(value).',
  ],
  [
    'trees that differ',
    nm.TreeError,
    () => nm.treeMap((a, b) => add(a, b), { a: 1 }, { b: 1 }),
    'treeMap: tree 1 and tree 2 must have the same structure, but at (root) tree 1 has keys {a} and tree 2 has keys {b}.',
  ],
  [
    'the promise of a backend',
    nm.OptionError,
    () => setBackend(Promise.resolve(reference()) as never),
    'setBackend: needs a backend, such as `await cpu()` from @neumann/backend-cpu (did you forget the await?).',
  ],
])('%s', (_, Class, f, text) => {
  test('is a named error that says what to do', () => {
    expect(f).toThrow(text);
    expect(f).toThrow(Class);
  });
});

describe('tensors of several backends', () => {
  const [first, second] = [reference(), reference()];
  const on = (backend: nm.Backend, values: number[]): Tensor => {
    setBackend(backend);
    return tensor(values);
  };

  test('meet on the current one, and the others are copied', () => {
    const [x, y] = [on(first, [1, 2]), on(second, [10, 20])];
    expect(add(x, y).toArray()).toEqual([11, 22]);
    expect(jit((a: Tensor) => add(a, x))(y).toArray()).toEqual([11, 22]);
    expect(grad((a: Tensor) => nm.sum(nm.multiply(a, y)))(x).toArray()).toEqual([10, 20]);
  });

  test('a donated argument of another backend stays as it was', () => {
    const x = on(first, [1, 2]);
    setBackend(second);
    const step = jit((a: Tensor, b: Tensor) => add(a, b), { donate: [0] });
    const y = on(second, [1, 1]);
    expect([step(x, y), step(x, y)].map((t) => t.toArray())).toEqual([
      [2, 3],
      [2, 3],
    ]);
    expect(x.toArray()).toEqual([1, 2]);
  });
});
