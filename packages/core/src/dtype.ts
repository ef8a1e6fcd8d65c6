import { DTypeError } from './errors.ts';

/** The element types. `uint8` is for data; `bool` is stored as one byte, 0 or 1. */
export type DType = 'float32' | 'float64' | 'int32' | 'uint32' | 'uint8' | 'bool';

/** Host memory of one tensor; `bool` and `uint8` are both `Uint8Array`. */
export type TypedArray = Float32Array | Float64Array | Int32Array | Uint32Array | Uint8Array;

interface DTypeInfo {
  readonly short: string;
  readonly bytes: number;
  readonly kind: 'float' | 'int' | 'bool';
  readonly array: new (source: number | ArrayLike<number>) => TypedArray;
  readonly view: new (buffer: ArrayBufferLike, byteOffset?: number, length?: number) => TypedArray;
}

const info = {
  float32: { short: 'f32', bytes: 4, kind: 'float', array: Float32Array, view: Float32Array },
  float64: { short: 'f64', bytes: 8, kind: 'float', array: Float64Array, view: Float64Array },
  int32: { short: 'i32', bytes: 4, kind: 'int', array: Int32Array, view: Int32Array },
  uint32: { short: 'u32', bytes: 4, kind: 'int', array: Uint32Array, view: Uint32Array },
  uint8: { short: 'u8', bytes: 1, kind: 'int', array: Uint8Array, view: Uint8Array },
  bool: { short: 'bool', bytes: 1, kind: 'bool', array: Uint8Array, view: Uint8Array },
} satisfies Record<DType, DTypeInfo>;

/** All dtypes, narrowest kind first. */
export const dtypes: readonly DType[] = ['bool', 'uint8', 'int32', 'uint32', 'float32', 'float64'];

/** Size, short name and typed-array class of a dtype. */
export function dtypeInfo(dtype: DType): DTypeInfo {
  const found = Object.hasOwn(info, dtype) ? info[dtype] : undefined;
  if (!found)
    throw new DTypeError(
      `dtype: ${typeof dtype === 'string' ? `"${dtype as string}"` : String(dtype)} is not a dtype; the dtypes are ${dtypes.join(', ')}.`,
    );
  return found;
}

/** Whether the dtype is `float32` or `float64`. */
export function isFloat(dtype: DType): boolean {
  return info[dtype].kind === 'float';
}

/** Whether the dtype is `int32`, `uint32` or `uint8`. */
export function isInteger(dtype: DType): boolean {
  return info[dtype].kind === 'int';
}

/** New zeroed host memory for `size` elements. */
export function hostArray(dtype: DType, size: number): TypedArray {
  return new info[dtype].array(size);
}

/** The dtype of a typed array: `Uint8Array` is `uint8`. */
export function dtypeOfArray(array: TypedArray): DType {
  const found = dtypes.find((d) => d !== 'bool' && array instanceof info[d].array);
  if (!found)
    throw new DTypeError(
      `dtype: ${(array as object).constructor.name} has no dtype here; use a Float32Array, Float64Array, ` +
        `Int32Array, Uint32Array or Uint8Array.`,
    );
  return found;
}

/** Where two dtypes meet in one operation: the narrowest dtype that holds both, as in JAX. */
export function promote(a: DType, b: DType): DType {
  if (a === b) return a;
  const [low, high] = dtypes.indexOf(a) < dtypes.indexOf(b) ? [a, b] : [b, a];
  if (low === 'int32' && high === 'uint32')
    throw new DTypeError(
      'dtype: int32 and uint32 have no common dtype (there is no int64); convert one with astype().',
    );
  return high;
}
