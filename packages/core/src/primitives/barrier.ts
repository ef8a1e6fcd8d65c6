/** An identity that nothing is computed across: equal work on its two sides stays separate, and keeps its order. */
import { LiteralTensor } from '../concrete.ts';
import type { Primitive } from '../primitive.ts';
import type { Tensor } from '../tensor.ts';
import { bind } from '../trace.ts';

const barrierPrimitive: Primitive = {
  name: 'barrier',
  kind: 'alias',
  barrier: true,
  shape: (inputs) => [...inputs],
  // Two barriers, because tangents may be recorded while primals are known.
  jvp: (primals, tangents) => {
    const moved = barrier(tangents.filter((t) => t !== null));
    let next = 0;
    return [barrier(primals), tangents.map((t) => (t === null ? null : (moved[next++] as Tensor)))];
  },
  transpose: (cotangents) => [...cotangents],
  batch: (inputs, axes) => [barrier(inputs), [...axes]],
};

/** The same tensors. Nothing that depends on one of the results is computed before all of `xs` are. */
export function barrier(xs: readonly Tensor[]): Tensor[] {
  const results = bind(
    barrierPrimitive,
    xs.filter((x) => !(x instanceof LiteralTensor)),
  );
  let next = 0;
  return xs.map((x) => (x instanceof LiteralTensor ? x : (results[next++] as Tensor)));
}
