/**
 * Kernels with uint32 as kernels without: a word is two integers below 2^16, its high and its low half, so that every
 * sum and product on the way is exact in float32. In memory the halves lie side by side, along one more axis.
 */
import {
  type Aval,
  acc,
  type BackendError,
  type BinaryOp,
  binary,
  cast,
  compare,
  constant,
  coord,
  type Expr,
  type Kernel,
  load,
  mulIndex,
  nodesOf,
  operandsOf,
  type Reduction,
  rowMajorStrides,
  select,
  sizeOf,
  withOperands,
} from '@neumann/core/backend';
import { inexactError } from '../limits.ts';
import { type Nest, type Recurrence, running } from './nest.ts';
import {
  addWords,
  asHalf,
  bitsOf,
  both,
  castWord,
  chosen,
  compareWords,
  divide,
  divideBySmall,
  floatOfBits,
  type Halves,
  int,
  mostHalf,
  mulWords,
  notWord,
  plus,
  power,
  shift,
  wordFrom,
  wordOf,
} from './uint32.ts';

/** Output `index` of a kernel, alone and in halves; its last axis is of extent 2 if it is uint32 itself. */
export function inHalves(kernel: Nest, index: number): Nest {
  const output = kernel.outputs[index] as Expr;
  const uses = nodesOf([output, ...kernel.reductions.map(({ value }) => value)]);
  const isWord = ({ dtype, kind }: { readonly dtype: string; readonly kind?: string }): boolean =>
    dtype === 'uint32' || kind === 'bitcast';
  if (![...uses, ...kernel.inputs].some(isWord)) return { ...kernel, outputs: [output] };
  const rewritten = new Rewriter(kernel as Kernel, output).kernel();
  const roots = [...rewritten.outputs, ...rewritten.reductions.map(({ value }) => value)];
  if (nodesOf(roots).length > mostNodes) throw inexactError(kernel.name, `too much arithmetic of uint32`);
  return rewritten;
}

/** Larger kernels take gpu.js and shader compilers minutes; one block of random bits has 700 nodes. */
const mostNodes = 4000;

class Rewriter {
  readonly #kernel: Kernel;
  readonly #output: Expr;
  readonly #others = new Map<Expr, Expr>();
  readonly #words = new Map<Expr, Halves>();
  /** The accumulators of the halves of a fold over words. */
  readonly #halves = new Map<number, { readonly high: number; readonly low: number }>();

  constructor(kernel: Kernel, output: Expr) {
    this.#kernel = kernel;
    this.#output = output;
  }

  kernel(): Nest {
    const { axes, inputs, reductions } = this.#kernel;
    const isWord = this.#output.dtype === 'uint32';
    const used = new Set(
      nodesOf([this.#output]).flatMap((node) => (node.kind === 'acc' ? [node.index] : [])),
    );
    let accumulators = reductions.length;
    for (const i of used) {
      const { op, value } = reductions[i] as Reduction;
      if (value.dtype !== 'uint32') continue;
      const high = isPosition(op) ? accumulators++ : i;
      this.#halves.set(i, { high, low: accumulators++ });
    }
    const values = reductions.map(({ value }, i) => (used.has(i) ? value : constant('float32', 0)));
    for (const node of nodesOf([...values, this.#output]))
      if (node.dtype === 'uint32') this.#words.set(node, this.#halvesOf(node));
      else this.#others.set(node, this.#rewritten(node));
    const folds: (Reduction | Recurrence)[] = [];
    for (const [i, { op }] of reductions.entries()) {
      const value = values[i] as Expr;
      if (value.dtype === 'uint32') this.#fold(i, op, this.#word(value), folds);
      else folds[i] = { op, value: this.#plain(value) };
    }
    const word = this.#words.get(this.#output);
    return {
      ...this.#kernel,
      inputs: inputs.map(inputInHalves),
      axes: isWord ? [...axes, 2] : axes,
      reductions: folds,
      outputs: [
        word
          ? select(compare('eq', coord(axes.length), int(0)), word.high, word.low)
          : this.#plain(this.#output),
      ],
    };
  }

  /** The recurrences of a fold over words: of both halves, and of the position of the best. */
  #fold(i: number, op: Reduction['op'], x: Halves, folds: (Reduction | Recurrence)[]): void {
    const { high, low } = this.#halves.get(i) as { high: number; low: number };
    const before = { high: running(high), low: running(low) };
    const isMost = op === 'max' || op === 'argmax';
    const isBetter = isMost ? compareWords('lt', before, x) : compareWords('lt', x, before);
    const next =
      op === 'add' ? addWords(before, x) : op === 'mul' ? mulWords(before, x) : chosen(isBetter, x, before);
    const start = op === 'add' || isMost ? wordOf(0) : op === 'mul' ? wordOf(1) : wordOf(2 ** 32 - 1);
    const halfOf = (value: Expr, first: Expr): Recurrence => ({
      op: 'next',
      value,
      start: (first as Expr & { kind: 'const' }).value,
      most: mostHalf,
    });
    folds[high] = halfOf(next.high, start.high);
    folds[low] = halfOf(next.low, start.low);
    if (!isPosition(op)) return;
    const { axes, reduceAxes } = this.#kernel;
    const strides = rowMajorStrides(reduceAxes);
    const first = axes.length + (this.#output.dtype === 'uint32' ? 1 : 0);
    const position = reduceAxes
      .map((_, axis) => mulIndex(coord(first + axis), strides[axis] as number))
      .reduce(plus, int(0));
    const value = select(isBetter, position, running(i));
    folds[i] = { op: 'next', value, start: 0, most: Math.max(0, sizeOf(reduceAxes) - 1) };
  }

  #plain(x: Expr): Expr {
    return this.#others.get(x) as Expr;
  }

  #word(x: Expr): Halves {
    return this.#words.get(x) as Halves;
  }

  /** A node that is not uint32. */
  #rewritten(node: Expr): Expr {
    if (node.kind === 'coord') {
      const moved = this.#output.dtype === 'uint32' && node.axis >= this.#kernel.axes.length ? 1 : 0;
      return coord(node.axis + moved);
    }
    if (node.kind === 'bitcast') {
      const word = node.x.dtype === 'uint32' ? this.#word(node.x) : bitsOf(this.#plain(node.x));
      return node.dtype === 'int32' ? castWord('int32', word) : floatOfBits(word);
    }
    if (operandsOf(node).every(({ dtype }) => dtype !== 'uint32'))
      return withOperands(node, (x) => this.#plain(x));
    switch (node.kind) {
      case 'compare':
        return compareWords(node.op, this.#word(node.x), this.#word(node.y));
      case 'cast':
        return castWord(node.dtype, this.#word(node.x));
      default:
        throw this.#inexact(`${node.kind} of uint32`);
    }
  }

  #halvesOf(node: Expr): Halves {
    switch (node.kind) {
      case 'const':
        return wordOf(node.value);
      case 'load':
        return both((i) => {
          const index = [...node.index.map((x) => this.#plain(x)), int(i)];
          return asHalf(load(node.input, 'int32', index, node.guard && this.#plain(node.guard)));
        });
      case 'unary':
        return this.#unary(node.op, this.#word(node.x));
      case 'binary':
        return this.#binary(node.op, this.#word(node.x), this.#word(node.y), node.y);
      case 'select': {
        const [x, y, cond] = [this.#word(node.x), this.#word(node.y), this.#plain(node.cond)];
        return chosen(cond, x, y);
      }
      case 'acc': {
        const { high, low } = this.#halves.get(node.index) as { high: number; low: number };
        return { high: acc('int32', high), low: acc('int32', low) };
      }
      case 'cast':
        return wordFrom(this.#plain(node.x));
      case 'bitcast':
        return bitsOf(this.#plain(node.x));
      default:
        throw this.#inexact(`${node.kind} of uint32`);
    }
  }

  #unary(op: string, x: Halves): Halves {
    if (op === 'not') return notWord(x);
    if (op === 'neg') return addWords(notWord(x), wordOf(1));
    if (op === 'abs') return x;
    if (op === 'sign') return { high: int(0), low: cast('int32', castWord('bool', x)) };
    throw this.#inexact(`${op} of uint32`);
  }

  #binary(op: BinaryOp, x: Halves, y: Halves, divisor: Expr): Halves {
    switch (op) {
      case 'add':
        return addWords(x, y);
      case 'sub':
        return addWords(addWords(x, notWord(y)), wordOf(1));
      case 'mul':
        return mulWords(x, y);
      case 'and':
      case 'or':
      case 'xor':
        return { high: binary(op, x.high, y.high), low: binary(op, x.low, y.low) };
      case 'max':
        return chosen(compareWords('lt', x, y), y, x);
      case 'min':
        return chosen(compareWords('lt', x, y), x, y);
      case 'shl':
      case 'shr':
        return shift(op, x, y, divisor);
      case 'div':
      case 'rem':
        if (divisor.kind === 'const' && divisor.value > 0 && divisor.value <= mostHalf)
          return divideBySmall(op, x, divisor.value);
        return divide(op, x, y);
      case 'pow':
        return power(x, y, divisor);
      default:
        throw this.#inexact(`${op} of uint32`);
    }
  }

  #inexact(what: string): BackendError {
    return inexactError(this.#kernel.name, what);
  }
}

const isPosition = (op: Reduction['op']): boolean => op === 'argmax' || op === 'argmin';

const inputInHalves = (aval: Aval): Aval =>
  aval.dtype === 'uint32' ? { dtype: 'int32', shape: [...aval.shape, 2] } : aval;
