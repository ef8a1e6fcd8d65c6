import fc from 'fast-check';
import type { ErrorModel } from './compare.ts';
import type { DType, Shape, Tensor, TypedArray } from './core.ts';
import { type HostTensor, showHost } from './host.ts';

/** An operand: its type, and the values that it may have. */
export interface Operand {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly values: fc.Arbitrary<TypedArray>;
}

/** A function under test, for operands of given shapes; options are closed over. */
export interface Form {
  readonly f: (...xs: Tensor[]) => Tensor | readonly Tensor[];
  readonly operands: readonly Operand[];
  /** The call, for counterexamples: `slice [1,0] [2,3] [1,1]`. */
  readonly text: string;
  /** The elements of the results by their definition, in plain loops over the operands. */
  readonly define?: (...xs: HostTensor[]) => ArrayLike<number>[];
}

/** One line of the table that the laws run over: a primitive, or an op. */
export interface Row {
  readonly name: string;
  /** The dtypes that `values` knows. */
  readonly dtypes: readonly DType[];
  /** Any values, with 0, -0, NaN, infinities, empty axes: for laws about results. */
  readonly values: (dtype: DType) => fc.Arbitrary<Form>;
  /** float64, where the function is smooth: for laws about derivatives. Absent where there is none. */
  readonly smooth?: fc.Arbitrary<Form>;
  /** Sets of operands in which the function is linear, the others fixed; checked on `smooth`. */
  readonly linear?: readonly (readonly number[])[];
  /** Rounds to float32 on the way, which finite differences would see: the other laws about derivatives still hold. */
  readonly rounds?: true;
  /** Samples drawn, relative to other rows: fewer for what is made of operations that have rows. 1 by default. */
  readonly runs?: number;
  /** How far float results may be from the reference. */
  readonly error: ErrorModel;
}

/** A form together with values for its operands. */
export class Sample {
  readonly form: Form;
  readonly inputs: readonly HostTensor[];

  constructor(form: Form, inputs: readonly HostTensor[]) {
    this.form = form;
    this.inputs = inputs;
  }

  /** What fast-check prints of a counterexample. */
  toString(): string {
    return `${this.form.text}(${this.inputs.map(showHost).join(', ')})`;
  }

  [fc.toStringMethod](): string {
    return this.toString();
  }
}

/** Values for one operand. */
export function drawOperand({ dtype, shape, values }: Operand): fc.Arbitrary<HostTensor> {
  return values.map((drawn) => ({ dtype, shape, values: drawn }));
}

/** Values for all operands of a form. */
export function draw(forms: fc.Arbitrary<Form>): fc.Arbitrary<Sample> {
  return forms.chain((form) =>
    fc.tuple(...form.operands.map(drawOperand)).map((inputs) => new Sample(form, inputs)),
  );
}
