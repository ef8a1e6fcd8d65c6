/**
 * The kernel language: the only thing that backends see.
 *
 * A kernel is a loop nest over named axes. At every point of `axes` it computes, for each output, one scalar
 * expression; the result is a dense row-major buffer of shape `axes`. It may contain reductions over further
 * axes (`reduceAxes`): each folds the scalar `value` over them, and the output expressions (the epilogue) read
 * the results with `acc`. Coordinates stay per axis, never flattened.
 *
 * The reference backend (`reference/interpret.ts`) defines the meaning of every word below.
 */
import type { Aval } from '../aval.ts';
import type { DType } from '../dtype.ts';
import type { Shape } from '../shape.ts';

/** Scalar functions. Operands of `UnaryOp`/`BinaryOp` share the result's dtype; see each table. */
export type UnaryOp =
  // float: correctly rounded or as accurate as JavaScript's Math
  | 'sqrt'
  | 'rsqrt'
  | 'exp'
  | 'expm1'
  | 'log'
  | 'log1p'
  | 'sin'
  | 'cos'
  | 'tan'
  | 'asin'
  | 'acos'
  | 'atan'
  | 'sinh'
  | 'cosh'
  | 'tanh'
  | 'asinh'
  | 'acosh'
  | 'atanh'
  | 'erf'
  | 'erfc'
  | 'erfInv'
  | 'sigmoid'
  | 'floor'
  | 'ceil'
  | 'trunc'
  /** half to even */
  | 'round'
  // any number; int32 wraps
  | 'neg'
  | 'abs'
  /** -1, 0, 1; keeps -0 and NaN */
  | 'sign'
  // int32, uint32, uint8, bool
  | 'not';

/** Scalar functions of two operands, which share the result's dtype. */
export type BinaryOp =
  // any number; integers wrap
  | 'add'
  | 'sub'
  | 'mul'
  /** Floats: IEEE. Integers: towards zero; x/0 is -1 (all bits set), INT_MIN/-1 is INT_MIN. */
  | 'div'
  /** Sign of the dividend (C, JavaScript). Integers: x rem 0 is x. */
  | 'rem'
  /** float: JavaScript's `**`, except that 1**y = 1 for any y; integers: by squaring, negative exponents give 0 (or ±1 for base ±1). */
  | 'pow'
  | 'atan2'
  /** NaN if either is NaN; -0 < +0. */
  | 'max'
  | 'min'
  // int32, uint32, uint8, bool
  | 'and'
  | 'or'
  | 'xor'
  /** int32, uint32; shift counts at or beyond 32 give 0 (shr of int32: the sign). shr is arithmetic for int32, logical for uint32. */
  | 'shl'
  | 'shr';

/** Operands share a dtype of any kind; the result is bool. Comparisons with NaN are false, `ne` true. */
export type CompareOp = 'eq' | 'ne' | 'lt' | 'le';

/**
 * A scalar expression. Expressions are DAGs: a node may be shared, and is then computed once.
 * No cycles. All nodes are immutable.
 */
export type Expr =
  /** bool is 0 or 1. float32 constants are float32 numbers. */
  | { readonly kind: 'const'; readonly dtype: DType; readonly value: number }
  /** The coordinate along loop axis `axis`: parallel axes first, then reduce axes. int32. */
  | { readonly kind: 'coord'; readonly dtype: 'int32'; readonly axis: number }
  /**
   * An element of an input at `index`, one int32 expression for each axis of that input's shape.
   * With a `guard` (bool), the element is only read where the guard holds and is 0 elsewhere.
   * Unguarded indices are always in range.
   */
  | {
      readonly kind: 'load';
      readonly dtype: DType;
      readonly input: number;
      readonly index: readonly Expr[];
      readonly guard?: Expr;
    }
  | { readonly kind: 'unary'; readonly dtype: DType; readonly op: UnaryOp; readonly x: Expr }
  | {
      readonly kind: 'binary';
      readonly dtype: DType;
      readonly op: BinaryOp;
      readonly x: Expr;
      readonly y: Expr;
    }
  | {
      readonly kind: 'compare';
      readonly dtype: 'bool';
      readonly op: CompareOp;
      readonly x: Expr;
      readonly y: Expr;
    }
  /** `cond ? x : y`; cond is bool. */
  | {
      readonly kind: 'select';
      readonly dtype: DType;
      readonly cond: Expr;
      readonly x: Expr;
      readonly y: Expr;
    }
  /**
   * Conversion. float -> integer truncates and saturates, NaN to 0; integer -> narrower integer keeps the low bits
   * (int32 <-> uint32 reinterpret); to bool is `x != 0` (NaN is true); float64 -> float32 rounds to nearest even.
   */
  | { readonly kind: 'cast'; readonly dtype: DType; readonly x: Expr }
  /** The same bits in another dtype of 4 bytes (float32, int32, uint32). */
  | { readonly kind: 'bitcast'; readonly dtype: DType; readonly x: Expr }
  /** The result of reduction `index`; only in output expressions. */
  | { readonly kind: 'acc'; readonly dtype: DType; readonly index: number };

/**
 * A fold over all points of `reduceAxes`, in any order and association.
 * Empty: add 0, mul 1, max -inf (or the smallest integer), min +inf. `argmax`/`argmin` give the int32 row-major
 * position within `reduceAxes` of the first greatest/smallest value; the first NaN wins over all; empty is refused.
 * max and min propagate NaN. bool: `max` is any, `min` is all.
 */
export interface Reduction {
  readonly op: 'add' | 'mul' | 'max' | 'min' | 'argmax' | 'argmin';
  /** Folded in `value.dtype`; the accumulator has that dtype (int32 for argmax, argmin). */
  readonly value: Expr;
}

/** A loop nest, as described at the top of this file. */
export interface Kernel {
  /** For people: profiles, messages, printed programs. Not part of the kernel's identity. */
  readonly name: string;
  /** How each input buffer is viewed: dense, row-major. */
  readonly inputs: readonly Aval[];
  /** Extents of the parallel axes: the shape of every output. */
  readonly axes: Shape;
  /** Extents of the reduce axes; empty without reductions. */
  readonly reduceAxes: Shape;
  readonly reductions: readonly Reduction[];
  /** The scalar computed for each output at each point; its dtype is the buffer's. */
  readonly outputs: readonly Expr[];
  /** Set if a backend may use a tuned implementation with the same meaning instead of the loop nest. */
  readonly routine?: Routine;
}

/**
 * A contraction or window operation by name. `inputs` of the kernel are in the order given here and the only
 * output is the result; the loop nest of the kernel computes the same. A matmul or conv that was joined with pointwise
 * work (see `Backend.fusesEpilogue`) has further inputs after its operands, and outputs that are expressions of `acc`.
 */
export type Routine =
  /** x[B..., M, K] or transposed, y[B..., K, N] or transposed -> [B..., M, N], all float of one dtype. */
  | {
      readonly name: 'matmul';
      readonly batch: number;
      readonly m: number;
      readonly n: number;
      readonly k: number;
      /** x is [B,K,M] */ readonly transposeX: boolean /** y is [B,N,K] */;
      readonly transposeY: boolean;
    }
  /**
   * The trilinear form  sum x[n,i,g c] w[k,c,g f] y[n,o,g f]  over all (i,o,k) with
   * i*dilateX = o*stride + k*dilateW - padLow in every spatial dimension; `target` is the operand being computed
   * from the other two (in the order x, w, y). y: convolution; x: its input gradient; w: its weight gradient.
   */
  | { readonly name: 'conv'; readonly target: 'x' | 'w' | 'y'; readonly conv: ConvGeometry }
  /** `sum`, over the windows of y, of x (target y), or its adjoint (target x). */
  | { readonly name: 'windowSum'; readonly target: 'x' | 'y'; readonly window: WindowGeometry }
  /** x -> y: of each window the greatest element, its position (see argmax), or both: one output for each reduction. */
  | { readonly name: 'windowMax'; readonly window: WindowGeometry }
  /** (x, position) -> y: the element at that position of the window; target x: (y, position) -> x, its adjoint. */
  | { readonly name: 'windowGather'; readonly target: 'x' | 'y'; readonly window: WindowGeometry }
  /** (x[outer, rows, inner], index[count]) -> [outer, count, inner]; out of range gives NaN (0 for integers). */
  | {
      readonly name: 'gather';
      readonly outer: number;
      readonly rows: number;
      readonly count: number;
      readonly inner: number;
    }
  /** (y[outer, count, inner], index[count]) -> x[outer, rows, inner]: adds up; out of range is dropped. */
  | {
      readonly name: 'scatterAdd';
      readonly outer: number;
      readonly rows: number;
      readonly count: number;
      readonly inner: number;
    };

/** Sizes of a convolution with NHWC operands; arrays have one entry for each spatial dimension. */
export interface ConvGeometry {
  readonly n: number;
  /** Channels of x, of y, and groups: w is [...kernel, c/groups, f]. */
  readonly c: number;
  readonly f: number;
  readonly groups: number;
  readonly x: readonly number[];
  readonly kernel: readonly number[];
  readonly y: readonly number[];
  readonly stride: readonly number[];
  readonly padLow: readonly number[];
  readonly dilateX: readonly number[];
  readonly dilateW: readonly number[];
}

/** Windows over the spatial dimensions of x[n, ...x, c]: position k of window o reads i = o*stride + k*dilation - padLow. */
export interface WindowGeometry {
  readonly n: number;
  readonly c: number;
  readonly x: readonly number[];
  readonly window: readonly number[];
  readonly y: readonly number[];
  readonly stride: readonly number[];
  readonly padLow: readonly number[];
  readonly dilation: readonly number[];
}
