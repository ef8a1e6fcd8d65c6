import type { Code, Local } from '../asm/code.ts';
import type { LaneOp, PlainOp } from '../asm/opcodes.ts';

/** Puts a vector on the stack. */
export type Value = () => void;

/** What the functions are written with. */
export interface Setting {
  readonly code: Code;
  /** Whether there is a fused multiply-add. */
  readonly fused: boolean;
  /** Puts JavaScript's result for float64 operands, which are on the stack, in their place. */
  readonly fallback: () => void;
}

/** Vector arithmetic: every operation is computed where it is written, and gives what puts its result on the stack. */
export class Floats {
  readonly #setting: Setting;

  constructor(setting: Setting) {
    this.#setting = setting;
  }

  get code(): Code {
    return this.#setting.code;
  }

  local(local: Local): Value {
    return () => this.code.get(local);
  }

  /** What is on the stack. */
  kept(): Value {
    const local = this.code.local('v128');
    this.code.set(local);
    return this.local(local);
  }

  op(name: PlainOp, ...operands: readonly Value[]): Value {
    for (const operand of operands) operand();
    this.code.op(name);
    return this.kept();
  }

  number(x: number): Value {
    return this.#constant(new Float32Array(4).fill(x));
  }

  double(x: number): Value {
    return this.#constant(new Float64Array(2).fill(x));
  }

  integer(x: number): Value {
    return this.#constant(new Int32Array(4).fill(x));
  }

  #constant(lanes: Float32Array | Float64Array | Int32Array): Value {
    return this.local(this.code.constant(new Uint8Array(lanes.buffer)));
  }

  shift(name: 'i32x4.shl' | 'i32x4.shr_s', x: Value, by: number): Value {
    x();
    this.code.i32(by).op(name);
    return this.kept();
  }

  add(x: Value, y: Value): Value {
    return this.op('f32x4.add', x, y);
  }

  mul(x: Value, y: Value): Value {
    return this.op('f32x4.mul', x, y);
  }

  /** `x y + z` */
  madd(x: Value, y: Value, z: Value): Value {
    if (this.#setting.fused) return this.op('f32x4.relaxed_madd', x, y, z);
    return this.add(this.mul(x, y), z);
  }

  /** `x y + z` of float64. */
  madd64(x: Value, y: Value, z: Value): Value {
    if (this.#setting.fused) return this.op('f64x2.relaxed_madd', x, y, z);
    return this.op('f64x2.add', this.op('f64x2.mul', x, y), z);
  }

  /** `x` where `mask` is set, else `y`. */
  select(mask: Value, x: Value, y: Value): Value {
    return this.op('v128.bitselect', x, y, mask);
  }

  /** `Σ coefficients[i] x^i` */
  polynomial(x: Value, coefficients: readonly number[]): Value {
    const [last, ...rest] = coefficients.toReversed().map((c) => this.number(c));
    return rest.reduce((sum, c) => this.madd(sum, x, c), last as Value);
  }

  polynomial64(x: Value, coefficients: readonly number[]): Value {
    const [last, ...rest] = coefficients.toReversed().map((c) => this.double(c));
    return rest.reduce((sum, c) => this.madd64(sum, x, c), last as Value);
  }

  /** What `rarely` writes if `rare` is set in any lane, else what `usually` does. */
  either(rare: Value, rarely: () => Value, usually: () => Value): Value {
    rare();
    this.code.op('v128.any_true').choose(
      'v128',
      () => rarely()(),
      () => usually()(),
    );
    return this.kept();
  }

  /** The result of JavaScript's function in the lanes where `rare` is set, in the others what `usual` writes. */
  unless(rare: Value, operands: readonly Value[], usual: () => Value): Value {
    const { code } = this;
    const slow = () => {
      const result = code.local('v128');
      for (let lane = 0; lane < 4; lane++) {
        code.get(result);
        for (const operand of operands) {
          operand();
          code.lane('f32x4.extract_lane' satisfies LaneOp, lane).op('f64.promote_f32');
        }
        this.#setting.fallback();
        code.op('f32.demote_f64').lane('f32x4.replace_lane', lane).set(result);
      }
      return this.select(rare, this.local(result), usual());
    };
    return this.either(rare, slow, usual);
  }
}
