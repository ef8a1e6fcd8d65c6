/**
 * The counter-based generator of JAX's keys: Threefry-2x32 with 20 rounds.
 * Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).
 */
import type { Aval } from '../aval.ts';
import { binary, constant } from '../ir/expr.ts';
import type { Expr } from '../ir/kernel.ts';
import { noTangent, type Primitive } from '../primitive.ts';
import { broadcastShapes } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { bind } from '../trace.ts';
import { alignBatch, pointwiseKernel } from './pointwise.ts';

const rotations = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const;
/** Skein's key-schedule parity constant. */
const parity = 0x1bd11bda;

const u32 = (value: number): Expr => constant('uint32', value);
const plus = (x: Expr, y: Expr): Expr => binary('add', x, y);
const xor = (x: Expr, y: Expr): Expr => binary('xor', x, y);
const rotateLeft = (x: Expr, by: number): Expr =>
  binary('or', binary('shl', x, u32(by)), binary('shr', x, u32(32 - by)));

/** The block function on four words: key (k0, k1) and counter (x0, x1). */
function block([k0, k1, c0, c1]: readonly Expr[]): Expr[] {
  const keys = [k0 as Expr, k1 as Expr, xor(xor(k0 as Expr, k1 as Expr), u32(parity))];
  const keyAt = (i: number): Expr => keys[i % 3] as Expr;
  let x0 = plus(c0 as Expr, keyAt(0));
  let x1 = plus(c1 as Expr, keyAt(1));
  for (let group = 0; group < 5; group++) {
    for (const by of rotations[group % 2] as readonly number[]) {
      x0 = plus(x0, x1);
      x1 = xor(rotateLeft(x1, by), x0);
    }
    x0 = plus(x0, keyAt(group + 1));
    x1 = plus(plus(x1, keyAt(group + 2)), u32(group + 1));
  }
  return [x0, x1];
}

const threefryPrimitive: Primitive = {
  name: 'threefry2x32',
  kind: 'pointwise',
  shape: (inputs: readonly Aval[]) => {
    const out: Aval = {
      shape: broadcastShapes('threefry2x32', ...inputs.map((x) => x.shape)),
      dtype: 'uint32',
    };
    return [out, out];
  },
  jvp: noTangent((inputs) => bind(threefryPrimitive, inputs)),
  batch: (inputs, axes, size) => [bind(threefryPrimitive, alignBatch(inputs, axes, size)), [0, 0]],
  lower: (inputs) => pointwiseKernel('threefry2x32', inputs, block),
};

/** Two words of random bits for each counter (c0, c1) under key (k0, k1); all uint32, broadcast. */
export function threefry2x32(k0: Tensor, k1: Tensor, c0: Tensor, c1: Tensor): [Tensor, Tensor] {
  return bind(threefryPrimitive, [k0, k1, c0, c1]) as [Tensor, Tensor];
}
