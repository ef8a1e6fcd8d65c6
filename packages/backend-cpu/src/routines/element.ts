import type { DType } from '@neumann/core/backend';
import type { MemoryLaneOp, MemoryOp, PlainOp } from '../asm/opcodes.ts';

/** The instructions of one float dtype that tuned routines are written with. */
export interface Element {
  readonly dtype: DType;
  readonly bytes: number;
  /** Elements in a vector of 16 bytes. */
  readonly lanes: number;
  readonly loadSplat: MemoryOp;
  readonly loadLane: MemoryLaneOp;
  readonly storeLane: MemoryLaneOp;
  readonly add: PlainOp;
  readonly mul: PlainOp;
  /** a, b, c -> a * b + c */
  readonly madd: PlainOp;
}

const float32: Element = {
  dtype: 'float32',
  bytes: 4,
  lanes: 4,
  loadSplat: 'v128.load32_splat',
  loadLane: 'v128.load32_lane',
  storeLane: 'v128.store32_lane',
  add: 'f32x4.add',
  mul: 'f32x4.mul',
  madd: 'f32x4.relaxed_madd',
};
const float64: Element = {
  dtype: 'float64',
  bytes: 8,
  lanes: 2,
  loadSplat: 'v128.load64_splat',
  loadLane: 'v128.load64_lane',
  storeLane: 'v128.store64_lane',
  add: 'f64x2.add',
  mul: 'f64x2.mul',
  madd: 'f64x2.relaxed_madd',
};

/** The element of a dtype, or `undefined` if it is no float. */
export function elementOf(dtype: DType | undefined): Element | undefined {
  return dtype === 'float32' ? float32 : dtype === 'float64' ? float64 : undefined;
}
