/** The law of `vmap`. */
import fc from 'fast-check';
import { hostArray, sizeOf, type Tensor, vmap } from '../core.ts';
import { type HostTensor, stack } from '../host.ts';
import { draw, drawOperand, type Form, type Operand } from '../row.ts';

import { anyForms, asTuple, exampleOf, expectEqual, type Law, run } from './common.ts';

/** Where one `vmap` finds its batch: the size, an axis or null for each operand, and the axis of the results. */
interface Level {
  readonly size: number;
  readonly inAxes: readonly (number | null)[];
  readonly outAxis: 0 | -1;
}

/** A form one level up: each mapped operand holds `size` examples. */
export class BatchedForm implements Form {
  readonly text: string;
  readonly operands: readonly Operand[];
  readonly inner: Form;
  readonly level: Level;

  constructor(inner: Form, level: Level) {
    const { size, inAxes } = level;
    this.inner = inner;
    this.level = level;
    this.text = `vmap[${inAxes.map(String)} of ${size} -> ${level.outAxis}] ${inner.text}`;
    this.operands = inner.operands.map((operand, i) => {
      const axis = inAxes[i] ?? null;
      if (axis === null) return operand;
      const { dtype, shape } = operand;
      const place = axis < 0 ? axis + shape.length + 1 : axis;
      return {
        dtype,
        shape: [...shape.slice(0, place), size, ...shape.slice(place)],
        values: fc
          .array(drawOperand(operand), { minLength: size, maxLength: size })
          .map((examples) => (size === 0 ? hostArray(dtype, 0) : stack(examples, place).values)),
      };
    });
  }

  readonly f = (...xs: Tensor[]): Tensor[] => {
    const { inAxes, outAxis } = this.level;
    return vmap(asTuple(this.inner.f), { inAxes, outAxes: outAxis })(...xs);
  };

  /** The operands of example `b`. */
  example(inputs: readonly HostTensor[], b: number): HostTensor[] {
    return inputs.map((x, i) => {
      const { dtype, shape } = this.inner.operands[i] as Operand;
      const axis = this.level.inAxes[i] ?? null;
      if (axis === null) return x;
      return { dtype, shape, values: take(x, axis < 0 ? axis + x.shape.length : axis, b) };
    });
  }
}

/** The elements at position `b` along an axis. */
function take({ shape, values }: HostTensor, axis: number, b: number): HostTensor['values'] {
  const size = shape[axis] as number;
  const inner = shape.slice(axis + 1).reduce((n, extent) => n * extent, 1);
  return values.filter((_, place) => Math.floor(place / inner) % size === b);
}

/** The form under one level of vmap, over a subset of its operands that is not empty. */
function batched(form: Form): fc.Arbitrary<BatchedForm> {
  const axes = form.operands.map(({ shape }) => {
    const rank = shape.length;
    return fc.option(fc.oneof(fc.integer({ min: 0, max: rank }), fc.integer({ min: -rank - 1, max: -1 })), {
      freq: 3,
    });
  });
  return fc
    .record({
      size: fc.integer({ min: 0, max: 3 }),
      drawn: fc.tuple(...axes),
      outAxis: fc.constantFrom(0 as const, -1 as const),
      first: fc.nat(),
    })
    .map(({ size, drawn, outAxis, first }) => {
      const inAxes = drawn.every((axis) => axis === null)
        ? drawn.map((_, i) => (i === first % drawn.length ? 0 : null))
        : drawn;
      return new BatchedForm(form, { size, inAxes, outAxis });
    });
}

/** The batch of one that `y` is, without its example. */
const none =
  (outAxis: 0 | -1) =>
  (y: HostTensor): HostTensor => ({
    ...y,
    shape: outAxis === 0 ? [0, ...y.shape.slice(1)] : [...y.shape.slice(0, -1), 0],
    values: y.values.slice(0, 0),
  });

/** A batch at once gives what its examples give one by one; also under another vmap. */
export const vmapIsLoop: Law = {
  name: 'vmap ≡ loop',
  runs: 25,
  samples: (row, backend) => {
    const forms = anyForms(row, backend);
    if (!forms || exampleOf(forms).operands.length === 0) return undefined;
    return draw(
      forms.chain((form) =>
        fc.boolean().chain((twice) => (twice ? batched(form).chain(batched) : batched(form))),
      ),
    );
  },
  async holds(sample, row, backend) {
    const form = sample.form as BatchedForm;
    const { size, outAxis } = form.level;
    const whole = await run(backend, form.f, sample.inputs);
    if (size === 0) {
      const zeros = form.inner.operands.map(({ dtype, shape }) => ({
        dtype,
        shape,
        values: hostArray(dtype, sizeOf(shape)),
      }));
      const like = await run(backend, form.inner.f, zeros);
      const nothing = like.map((y) => stack([y], outAxis === 0 ? 0 : y.shape.length)).map(none(outAxis));
      await expectEqual(whole, nothing, 'exact', sample);
      return;
    }
    const examples = await Promise.all(
      Array.from({ length: size }, (_, b) => run(backend, form.inner.f, form.example(sample.inputs, b))),
    );
    const stacked = whole.map((_, i) => {
      const results = examples.map((results) => results[i] as HostTensor);
      return stack(results, outAxis === 0 ? 0 : (results[0] as HostTensor).shape.length);
    });
    await expectEqual(whole, stacked, row.error, sample);
  },
};
