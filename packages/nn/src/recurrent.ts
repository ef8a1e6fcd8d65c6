/** Recurrent layers: one cell, applied to each element of a sequence in turn, by `scan`. */
import {
  type Aval,
  add,
  concatenate,
  type DType,
  matmul,
  moveaxis,
  multiply,
  OptionError,
  ones,
  random,
  ShapeError,
  scan,
  showAval,
  sigmoid,
  split,
  subtract,
  type Tensor,
  type Tensors,
  tanh,
  zeros,
} from '@neumann/core';
import { checkOptions } from '@neumann/core/extend';
import { branch } from './beside.ts';
import { glorotUniform, type Initializer } from './initializers.ts';
import type { Layer } from './layer.ts';
import { checkTensors, positiveInteger } from './options.ts';
import { parameterDType } from './weights.ts';

/** What a recurrent layer does with one element: a pair of pure functions with parameters `P` and a carry `H`. */
export interface Cell<P, H> {
  /** Features of the output. */
  readonly features: number;
  /** New parameters for elements with so many features. */
  init(key: Tensor, inputs: number, dtype: DType): P;
  /** The carry before the first element. */
  start(examples: number, dtype: DType): H;
  /** The part of the work that needs no carry, done for the whole sequence at once: `[..., C] -> [..., G]`. */
  project(params: P, x: Tensor): Tensor;
  /** The next carry, and the output, from the carry and a projected element `[N, G]`. */
  step(params: P, carry: H, projected: Tensor): [H, Tensor];
}

/** Options of {@link lstmCell} and {@link gruCell}. */
export interface CellOptions {
  /** Features of the output. */
  readonly features: number;
  /** Of the weights of the input; `glorotUniform` by default. */
  readonly kernelInit?: Initializer;
}

/** The parameters of {@link lstmCell}. */
export interface LstmParams {
  /** `[C, 4 H]`: input gate, forget gate, candidate, output gate. */
  readonly w: Tensor;
  /** `[H, 4 H]` */
  readonly u: Tensor;
  /** `[4 H]`; 1 for the forget gate at first, else 0. */
  readonly b: Tensor;
}

/** The carry of {@link lstmCell}: each `[N, H]`. */
export interface LstmCarry {
  readonly h: Tensor;
  readonly c: Tensor;
}

/**
 * Long short-term memory (Hochreiter and Schmidhuber 1997, with forget gates):
 * `c' = f c + i g`, `h' = o tanh(c')`, with gates from `x w + h u + b`.
 *
 * @throws {OptionError} for bad options.
 * @example
 * const layer = recurrent(lstmCell({ features: 8 }));
 * const { params } = layer.init(random.key(0), new ShapeDtype([1, 5, 3]));
 * layer.apply(params, null, ones([2, 5, 3]))[0]   // f32[2,5,8]
 */
export function lstmCell(options: CellOptions): Cell<LstmParams, LstmCarry> {
  const { features, kernelInit } = cellOptions('lstmCell', options);
  return {
    features,
    init: (key, inputs, dtype) => ({
      ...weights(key, inputs, features, 4, dtype, kernelInit),
      b: concatenate([zeros([features], dtype), ones([features], dtype), zeros([2 * features], dtype)]),
    }),
    start: (examples, dtype) => ({
      h: zeros([examples, features], dtype),
      c: zeros([examples, features], dtype),
    }),
    project: ({ w, b }, x) => add(matmul(x, w), b),
    step: ({ u }, { h, c }, x) => {
      const [i, f, g, o] = split(add(x, matmul(h, u)), 4, { axis: 1 }) as [Tensor, Tensor, Tensor, Tensor];
      const cell = add(multiply(sigmoid(f), c), multiply(sigmoid(i), tanh(g)));
      const hidden = multiply(sigmoid(o), tanh(cell));
      return [{ h: hidden, c: cell }, hidden];
    },
  };
}

/** The parameters of {@link gruCell}. */
export interface GruParams {
  /** `[C, 3 H]`: reset gate, update gate, candidate. */
  readonly w: Tensor;
  /** `[H, 3 H]` */
  readonly u: Tensor;
  /** `[3 H]` */
  readonly b: Tensor;
  /** `[H]`: added to the part of the candidate that is reset. */
  readonly bn: Tensor;
}

/**
 * Gated recurrent unit (Cho et al. 2014), in the form of PyTorch and cuDNN: `n = tanh(x w + r (h u + bn))`,
 * `h' = (1 - z) n + z h`.
 *
 * @throws {OptionError} for bad options.
 * @example
 * const layer = recurrent(gruCell({ features: 8 }));
 * const { params } = layer.init(random.key(0), new ShapeDtype([1, 5, 3]));
 * layer.apply(params, null, ones([2, 5, 3]))[0]   // f32[2,5,8]
 */
export function gruCell(options: CellOptions): Cell<GruParams, Tensor> {
  const { features, kernelInit } = cellOptions('gruCell', options);
  return {
    features,
    init: (key, inputs, dtype) => ({
      ...weights(key, inputs, features, 3, dtype, kernelInit),
      b: zeros([3 * features], dtype),
      bn: zeros([features], dtype),
    }),
    start: (examples, dtype) => zeros([examples, features], dtype),
    project: ({ w, b }, x) => add(matmul(x, w), b),
    step: ({ u, bn }, h, x) => {
      const [xr, xz, xn] = split(x, 3, { axis: 1 }) as [Tensor, Tensor, Tensor];
      const [hr, hz, hn] = split(matmul(h, u), 3, { axis: 1 }) as [Tensor, Tensor, Tensor];
      const z = sigmoid(add(xz, hz));
      const n = tanh(add(xn, multiply(sigmoid(add(xr, hr)), add(hn, bn))));
      const next = add(n, multiply(z, subtract(h, n)));
      return [next, next];
    },
  };
}

function cellOptions(name: string, options: CellOptions): Required<CellOptions> {
  checkOptions(name, options, ['features', 'kernelInit']);
  const { kernelInit = glorotUniform } = options;
  return { features: positiveInteger(name, 'features', options.features), kernelInit };
}

function weights(
  key: Tensor,
  inputs: number,
  features: number,
  gates: number,
  dtype: DType,
  init: Initializer,
) {
  return {
    w: init(random.foldIn(key, 0), [inputs, gates * features], dtype),
    u: glorotUniform(random.foldIn(key, 1), [features, gates * features], dtype),
  };
}

/** Options of {@link recurrent}. */
export interface RecurrentOptions {
  /** From the last element to the first. */
  readonly reverse?: boolean;
}

/**
 * A cell applied to the elements of a sequence in turn: `[N, T, C] -> [N, T, H]`.
 *
 * @throws {OptionError} for unknown options. {ShapeError} unless x has three axes.
 * @example
 * const model = serial(recurrent(gruCell({ features: 8 })), dense({ features: 2 }));
 * const { params } = model.init(random.key(0), new ShapeDtype([1, 5, 3]));
 */
export function recurrent<P, H>(cell: Cell<P, H>, options: RecurrentOptions = {}): Layer<P, null> {
  checkCell('recurrent', cell);
  checkOptions('recurrent', options, ['reverse']);
  const { reverse = false } = options;
  return {
    init(key, x) {
      return { params: cell.init(key, inputsOf(x), parameterDType(x.dtype)), state: null };
    },
    apply(params, state, x) {
      inputsOf(x.aval);
      return [runCell(cell, params, cell.start(x.shape[0] as number, x.dtype), x, reverse)[1], state];
    },
  };
}

/**
 * The last carry and all outputs of a cell over a sequence `[N, T, C]`, from a given carry on: what an encoder hands to
 * a decoder.
 *
 * @throws {ShapeError} unless x has three axes.
 * @example
 * const cell = gruCell({ features: 8 });
 * const params = cell.init(random.key(0), 3, 'float32');
 * const [carry, outputs] = runCell(cell, params, cell.start(2, 'float32'), ones([2, 5, 3]));
 * carry   // f32[2,8]
 */
export function runCell<P, H>(
  cell: Cell<P, H>,
  params: P,
  start: H,
  x: Tensor,
  reverse = false,
): [H, Tensor] {
  checkCell('runCell', cell);
  checkTensors('runCell', { x });
  inputsOf(x.aval);
  const projected = moveaxis(cell.project(params, x), 1, 0); // [T, N, G]
  const [carry, outputs] = scan(
    (h: Tensors<H>, element: Tensor) => cell.step(params, h as H, element) as never,
    start,
    projected,
    { reverse },
  );
  return [carry as H, moveaxis(outputs as Tensor, 0, 1)];
}

/**
 * A cell that reads a sequence forwards and another that reads it backwards, their outputs joined: `[N, T, C]` to
 * `[N, T, 2 H]`.
 *
 * @throws {ShapeError} unless x has three axes.
 * @example
 * const layer = bidirectional(gruCell({ features: 8 }));
 * const { params } = layer.init(random.key(0), new ShapeDtype([1, 5, 3]));
 * layer.apply(params, null, ones([2, 5, 3]))[0]   // f32[2,5,16]
 */
export const bidirectional = <P, H>(cell: Cell<P, H>) =>
  branch({ forward: recurrent(cell), backward: recurrent(cell, { reverse: true }) });

function checkCell(op: string, cell: unknown): void {
  if (typeof cell !== 'object' || cell === null || !('project' in cell))
    throw new OptionError(`${op}: takes a cell, such as gruCell({ features: 8 }) makes.`);
}

function inputsOf(x: Aval): number {
  const [, , inputs] = x.shape;
  if (x.shape.length !== 3 || inputs === undefined)
    throw new ShapeError(`recurrent: x must be sequences [N, T, C], but is ${showAval(x)}.`);
  return inputs;
}
