import type { NdArray } from 'ndarray';
import { showAval } from '../aval.ts';
import { type DType, dtypeInfo, dtypeOfArray, type TypedArray } from '../dtype.ts';
import { OptionError, ShapeError } from '../errors.ts';
import { compare, convert } from '../primitives/arithmetic.ts';
import { broadcastTo, iota, reshape } from '../primitives/movement.ts';
import { broadcastShapes, rowMajorStrides, type Shape, sameShape, sizeOf } from '../shape.ts';
import { Tensor } from '../tensor.ts';
import { add, multiply } from './arithmetic.ts';
import { checkInteger, checkNumber, checkOptions, type ShapeLike, show, toShape } from './check.ts';
import { literal, operand, placed, type TensorLike, toTensor } from './convert.ts';

/** What {@link tensor} makes a tensor of. */
export type TensorData = NestedData | TypedArray | NdArray | Tensor;

/** A number, a boolean, or arrays of them, nested in rows of equal length. */
export type NestedData = number | boolean | readonly NestedData[];

/**
 * A tensor of the given values, on the current backend.
 *
 * @param data Numbers (`float32` by default), booleans (`bool`), arrays of them, a typed array (1-D, keeps its dtype),
 *   an `ndarray` (npm; any strides), or a tensor.
 * @param dtype Converts. Integer dtypes take integers in their range only; a tensor is converted as by `astype`.
 * @throws {ShapeError} if rows have different lengths.
 * @throws {DTypeError} if a value is no number of the dtype.
 * @throws {OptionError} if an element is neither number nor boolean.
 * @example
 * tensor([[1, 2], [3, 4]])                 // f32[2,2]
 * tensor([0, 2], 'int32')                  // i32[2]
 * tensor(new Float64Array(8))              // f64[8]
 */
export function tensor(data: TensorData, dtype?: DType): Tensor {
  if (dtype !== undefined) dtypeInfo(dtype);
  if (data instanceof Tensor) return dtype === undefined ? data : convert(data, dtype);
  if (typeof data === 'number' || typeof data === 'boolean' || ArrayBuffer.isView(data))
    return toTensor(data, dtype);
  if (isNdArray(data)) return placed(dtype ?? dtypeOfElements(data), data.shape, elementsOf(data));
  if (!Array.isArray(data)) throw new OptionError(`tensor: data ${describeElement(data)}.`);
  const shape = shapeOf(data);
  const values: number[] = [];
  let onlyBooleans = sizeOf(shape) > 0;
  const visit = (x: NestedData, path: readonly number[]): void => {
    const extent = shape[path.length];
    if (Array.isArray(x) && x.length === extent)
      for (const [i, child] of x.entries()) visit(child as NestedData, [...path, i]);
    else if (extent === undefined && (typeof x === 'number' || typeof x === 'boolean')) {
      onlyBooleans &&= typeof x === 'boolean';
      values.push(Number(x));
    } else refuseElement(x, path, extent);
  };
  visit(data as NestedData, []);
  return placed(dtype ?? (onlyBooleans ? 'bool' : 'float32'), shape, values);
}

/** The shape that the first elements suggest. */
function shapeOf(data: unknown): number[] {
  const shape: number[] = [];
  for (let x = data; Array.isArray(x); x = x[0]) shape.push(x.length);
  return shape;
}

function refuseElement(x: unknown, path: readonly number[], extent: number | undefined): never {
  const at = path.map((i) => `[${i}]`).join('');
  const first = path.map(() => '[0]').join('');
  if (Array.isArray(x) || ((typeof x === 'number' || typeof x === 'boolean') && extent !== undefined))
    throw new ShapeError(
      `tensor: rows must have one length, but data${first} ` +
        `${extent === undefined ? 'is a number' : `has ${extent} elements`} and data${at} ` +
        `${Array.isArray(x) ? `has ${x.length}` : 'is a number'}.`,
    );
  throw new OptionError(`tensor: data${at} ${describeElement(x)}.`);
}

function describeElement(x: unknown): string {
  if (x instanceof Tensor) return 'is a tensor; join tensors with stack() or concatenate()';
  if (ArrayBuffer.isView(x)) return 'is a typed array; make tensors of the rows and join them with stack()';
  return `is ${typeof x === 'object' && x !== null ? `a ${x.constructor.name}` : show(x)}; elements are numbers or booleans`;
}

function isNdArray(x: unknown): x is NdArray {
  return typeof x === 'object' && x !== null && 'stride' in x && 'offset' in x && 'shape' in x && 'data' in x;
}

function dtypeOfElements({ data }: NdArray): DType {
  return ArrayBuffer.isView(data) ? dtypeOfArray(data as TypedArray) : 'float32';
}

/** The elements in row-major order. */
function elementsOf(x: NdArray): ArrayLike<number> {
  const { data, stride, shape } = x;
  const size = sizeOf(shape);
  if (ArrayBuffer.isView(data) && rowMajorStrides(shape).every((s, axis) => s === stride[axis]))
    return (data as TypedArray).subarray(x.offset, x.offset + size);
  const values = new Array<number>(size);
  let next = 0;
  const visit = (axis: number, offset: number): void => {
    if (axis === shape.length) {
      values[next++] = 'get' in data ? data.get(offset) : (data[offset] as number);
      return;
    }
    for (let i = 0; i < (shape[axis] as number); i++) visit(axis + 1, offset + i * (stride[axis] as number));
  };
  visit(0, x.offset);
  return values;
}

/**
 * A tensor of zeros.
 * @throws {ShapeError} if `shape` holds anything but non-negative integers.
 * @example zeros([2, 3])             // f32[2,3]
 */
export function zeros(shape: ShapeLike, dtype: DType = 'float32'): Tensor {
  return filled('zeros', shape, 0, dtype);
}

/**
 * A tensor of ones.
 * @throws {ShapeError} if `shape` holds anything but non-negative integers.
 * @example ones(4, 'int32')          // i32[4]
 */
export function ones(shape: ShapeLike, dtype: DType = 'float32'): Tensor {
  return filled('ones', shape, 1, dtype);
}

/**
 * A tensor of one value.
 *
 * @param value A number (`float32` unless `dtype` says otherwise), a boolean, or a tensor that broadcasts to `shape`.
 * @throws {DTypeError} if the value is no number of the dtype.
 * @example full([2], 7)              // f32[2] [7, 7]
 */
export function full(shape: ShapeLike, value: TensorLike, dtype?: DType): Tensor {
  if (typeof value === 'number') return filled('full', shape, value, dtype ?? 'float32');
  return stretched('full', value, toShape('full', shape), dtype);
}

/**
 * Zeros of the shape of `x`, and of its dtype unless another is given.
 * @example zerosLike(ones([2]))   // f32[2] [0, 0]
 */
export function zerosLike(x: TensorLike, dtype?: DType): Tensor {
  const { aval } = operand('zerosLike', x);
  return filled('zerosLike', aval.shape, 0, dtype ?? aval.dtype);
}

/**
 * Ones of the shape of `x`, and of its dtype unless another is given.
 * @example onesLike(zeros([2]))   // f32[2] [1, 1]
 */
export function onesLike(x: TensorLike, dtype?: DType): Tensor {
  const { aval } = operand('onesLike', x);
  return filled('onesLike', aval.shape, 1, dtype ?? aval.dtype);
}

/**
 * `value` in the shape of `x`, and in its dtype unless another is given.
 * @throws {DTypeError} if the value is no number of the dtype.
 * @example fullLike(zeros([2]), 3)   // f32[2] [3, 3]
 */
export function fullLike(x: TensorLike, value: TensorLike, dtype?: DType): Tensor {
  const { aval } = operand('fullLike', x);
  if (typeof value === 'number') return filled('fullLike', aval.shape, value, dtype ?? aval.dtype);
  return stretched('fullLike', value, aval.shape, dtype ?? aval.dtype);
}

/** @throws {ShapeError} unless the value stretches to the shape. */
function stretched(op: string, value: TensorLike, shape: Shape, dtype: DType | undefined): Tensor {
  const x = operand(op, value);
  if (!sameShape(broadcastShapes(op, x.shape, shape), shape))
    throw new ShapeError(`${op}: ${showAval(x.aval)} does not stretch to [${shape}].`);
  return broadcastTo(convert(x, dtype ?? x.dtype), shape);
}

const filled = (op: string, shape: ShapeLike, value: number, dtype: DType): Tensor =>
  broadcastTo(literal(op, value, dtype), toShape(op, shape));

/**
 * `start, start + step, …` below `stop` (above it for a negative step); `arange(n)` counts from 0.
 *
 * `int32` if all three are integers, else `float32`, computed in float64 and rounded once.
 *
 * @throws {OptionError} if the step is 0 or anything is not finite.
 * @example
 * arange(4)                          // i32[4] [0, 1, 2, 3]
 * arange(0, 1, 0.25)                 // f32[4] [0, 0.25, 0.5, 0.75]
 */
export function arange(start: number, stop?: number, step = 1, dtype?: DType): Tensor {
  const [from, to] = stop === undefined ? [0, start] : [start, stop];
  if (![from, to, step].every(Number.isFinite) || step === 0)
    throw new OptionError(
      `arange: needs finite numbers and a step that is not 0, but got ${[from, to, step].map(show).join(', ')}.`,
    );
  const size = Math.max(0, Math.ceil((to - from) / step));
  const target = dtype ?? ([from, to, step].every(Number.isInteger) ? 'int32' : 'float32');
  if (target !== 'int32' || size === 0)
    return placed(
      target,
      toShape('arange', size),
      Array.from({ length: size }, (_, i) => from + i * step),
    );
  literal('arange', from + (size - 1) * step, 'int32');
  return add(multiply(iota(size, 'int32'), step), from);
}

/**
 * `count` numbers from `start` to `stop`, evenly spaced.
 *
 * @param options.endpoint Whether `stop` is the last of them; else it would be the next. `true` by default.
 * @returns `[count]`, computed in float64 and rounded once.
 * @throws {OptionError} if `count` is no integer of at least 0.
 * @example linspace(0, 1, 5)         // f32[5] [0, 0.25, 0.5, 0.75, 1]
 */
export function linspace(
  start: number,
  stop: number,
  count = 50,
  options: { readonly endpoint?: boolean; readonly dtype?: DType } = {},
): Tensor {
  checkOptions('linspace', options, ['endpoint', 'dtype']);
  checkNumber('linspace', 'start', start);
  checkNumber('linspace', 'stop', stop);
  checkInteger('linspace', 'count', count, 0);
  const { endpoint = true, dtype = 'float32' } = options;
  const step = (stop - start) / Math.max(1, endpoint ? count - 1 : count);
  const values = Array.from({ length: count }, (_, i) => start + i * step);
  if (endpoint && count > 1) values[count - 1] = stop;
  return placed(dtype, [count], values);
}

/**
 * Ones on the diagonal, zeros elsewhere.
 * @returns `[rows, columns]`
 * @throws {ShapeError} if an extent is no non-negative integer.
 * @example eye(2)                    // f32[2,2] [[1, 0], [0, 1]]
 */
export function eye(rows: number, columns: number = rows, dtype: DType = 'float32'): Tensor {
  const [n, m] = toShape('eye', [rows, columns]) as [number, number];
  return convert(compare('eq', reshape(iota(n, 'int32'), [n, 1]), iota(m, 'int32')), dtype);
}
