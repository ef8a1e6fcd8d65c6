/**
 * Kernels with uint32 as kernels without: a word is two integers below 2^16, its high and its low half, so that every
 * sum and product on the way is exact in float32. In memory the halves lie side by side, along one more axis.
 */
import {
  type Aval,
  type BackendError,
  type BinaryOp,
  binary,
  type CompareOp,
  cast,
  compare,
  constant,
  coord,
  type Expr,
  type Kernel,
  load,
  nodesOf,
  operandsOf,
  type Reduction,
  select,
  unary,
} from '@neumann/core/backend';
import { inexactError } from '../limits.ts';

interface Halves {
  readonly high: Expr;
  readonly low: Expr;
}

const half = 2 ** 16;
const most = half - 1;

/** Output `index` of a kernel, alone and in halves; its last axis is of extent 2 if it is uint32 itself. */
export function inHalves(kernel: Kernel, index: number): Kernel {
  const output = kernel.outputs[index] as Expr;
  const uses = nodesOf([output, ...kernel.reductions.map(({ value }) => value)]);
  if (![...uses, ...kernel.inputs].some(({ dtype }) => dtype === 'uint32'))
    return { ...kernel, outputs: [output] };
  const rewritten = new Rewriter(kernel, output).kernel();
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

  constructor(kernel: Kernel, output: Expr) {
    this.#kernel = kernel;
    this.#output = output;
  }

  kernel(): Kernel {
    const { axes, inputs, reductions } = this.#kernel;
    const isWord = this.#output.dtype === 'uint32';
    const used = new Set(
      nodesOf([this.#output]).flatMap((node) => (node.kind === 'acc' ? [node.index] : [])),
    );
    const folds = [...used].map((i) => reductions[i] as Reduction);
    const fold = folds.find(({ value }) => value.dtype === 'uint32');
    if (fold) throw this.#inexact(`${fold.op} over uint32`);
    const values = reductions.map(({ value }, i) => (used.has(i) ? value : constant('float32', 0)));
    for (const node of nodesOf([...values, this.#output]))
      if (node.dtype === 'uint32') this.#words.set(node, this.#halvesOf(node));
      else this.#others.set(node, this.#rewritten(node));
    const word = this.#words.get(this.#output);
    return {
      ...this.#kernel,
      inputs: inputs.map(inputInHalves),
      axes: isWord ? [...axes, 2] : axes,
      reductions: reductions.map(({ op }, i): Reduction => ({ op, value: this.#plain(values[i] as Expr) })),
      outputs: [
        word
          ? select(compare('eq', coord(axes.length), int(0)), word.high, word.low)
          : this.#plain(this.#output),
      ],
    };
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
    if (operandsOf(node).every(({ dtype }) => dtype !== 'uint32'))
      return withOperands(node, (x) => this.#plain(x));
    switch (node.kind) {
      case 'compare':
        return compareWords(node.op, this.#word(node.x), this.#word(node.y));
      case 'cast':
        return castWord(node.dtype, this.#word(node.x));
      case 'bitcast':
        return node.dtype === 'int32'
          ? castWord('int32', this.#word(node.x))
          : floatOfBits(this.#word(node.x));
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
      case 'cast':
        return wordFrom(this.#plain(node.x));
      case 'bitcast':
        if (node.x.dtype === 'int32') return wordFrom(this.#plain(node.x));
        throw this.#inexact('bitcast of float32 to uint32');
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
        if (divisor.kind === 'const' && divisor.value > 0 && divisor.value < half)
          return divideBySmall(op, x, divisor.value);
        return divide(op, x, y);
      default:
        throw this.#inexact(`${op} of uint32`);
    }
  }

  #inexact(what: string): BackendError {
    return inexactError(this.#kernel.name, what);
  }
}

const int = (value: number): Expr => constant('int32', value);
const float = (value: number): Expr => constant('float32', value);
const both = (f: (i: 0 | 1) => Expr): Halves => ({ high: f(0), low: f(1) });
const wordOf = (value: number): Halves => ({ high: int(Math.floor(value / half)), low: int(value % half) });
const plus = (x: Expr, y: Expr): Expr => binary('add', x, y);
const minus = (x: Expr, y: Expr): Expr => binary('sub', x, y);
const times = (x: Expr, by: number): Expr => binary('mul', x, int(by));
const quotient = (x: Expr, by: number): Expr => binary('div', x, int(by));
const rest = (x: Expr, by: number): Expr => binary('rem', x, int(by));

/** What is one already, so that intervals can see it. */
const asHalf = (x: Expr): Expr => binary('min', binary('max', x, int(0)), int(most));

const inputInHalves = (aval: Aval): Aval =>
  aval.dtype === 'uint32' ? { dtype: 'int32', shape: [...aval.shape, 2] } : aval;

function withOperands(node: Expr, f: (x: Expr) => Expr): Expr {
  switch (node.kind) {
    case 'load':
      return { ...node, index: node.index.map(f), ...(node.guard ? { guard: f(node.guard) } : {}) };
    case 'unary':
    case 'cast':
    case 'bitcast':
      return { ...node, x: f(node.x) };
    case 'binary':
    case 'compare':
      return { ...node, x: f(node.x), y: f(node.y) };
    case 'select':
      return { ...node, cond: f(node.cond), x: f(node.x), y: f(node.y) };
    default:
      return node;
  }
}

function addWords(x: Halves, y: Halves): Halves {
  const low = plus(x.low, y.low);
  return { high: rest(plus(plus(x.high, y.high), quotient(low, half)), half), low: rest(low, half) };
}

const notWord = (x: Halves): Halves => both((i) => minus(int(most), i === 0 ? x.high : x.low));

const chosen = (cond: Expr, x: Halves, y: Halves): Halves => ({
  high: select(cond, x.high, y.high),
  low: select(cond, x.low, y.low),
});

/** The product of two halves; 8 bits of one at a time, so that nothing reaches 2^24. */
function product(x: Expr, y: Expr): Halves {
  const above = binary('mul', x, quotient(y, 256));
  const below = plus(times(rest(above, 256), 256), binary('mul', x, rest(y, 256)));
  return { high: rest(plus(quotient(above, 256), quotient(below, half)), half), low: rest(below, half) };
}

function mulWords(x: Halves, y: Halves): Halves {
  const { high, low } = product(x.low, y.low);
  const crossed = plus(product(x.high, y.low).low, product(x.low, y.high).low);
  return { high: rest(plus(high, crossed), half), low };
}

/** Long division by bytes, for divisors below 2^16. */
function divideBySmall(op: 'div' | 'rem', x: Halves, by: number): Halves {
  let left: Expr = int(0);
  const quotients = [x.high, x.low]
    .flatMap((h) => [quotient(h, 256), rest(h, 256)])
    .map((byte) => {
      const next = plus(times(left, 256), byte);
      left = rest(next, by);
      return quotient(next, by);
    });
  if (op === 'rem') return { high: int(0), low: left };
  const [a, b, c, d] = quotients as [Expr, Expr, Expr, Expr];
  return { high: plus(times(a, 256), b), low: plus(times(c, 256), d) };
}

/** Long division by bits. By zero, every bit of the quotient is 1. */
function divide(op: 'div' | 'rem', x: Halves, y: Halves): Halves {
  let left = wordOf(0);
  const halves = [x.high, x.low].map((h) => {
    let result: Expr = int(0);
    for (let bit = half / 2; bit >= 1; bit /= 2) {
      const low = plus(times(left.low, 2), rest(quotient(h, bit), 2));
      const high = plus(times(left.high, 2), quotient(low, half));
      const next = { high, low: rest(low, half) };
      const fits = compareWords('le', y, next);
      const below = minus(next.low, y.low);
      const borrow = cast('int32', compare('lt', below, int(0)));
      const subtracted = {
        high: minus(minus(high, y.high), borrow),
        low: plus(below, times(borrow, half)),
      };
      const kept = chosen(fits, subtracted, next);
      left = { high: asHalf(kept.high), low: asHalf(kept.low) };
      result = plus(result, times(cast('int32', fits), bit));
    }
    return result;
  });
  const [high, low] = halves as [Expr, Expr];
  return op === 'div' ? { high, low } : chosen(compareWords('eq', y, wordOf(0)), x, left);
}

/** By a number of places from 0 to 31. */
function shiftBy(op: 'shl' | 'shr', { high, low }: Halves, places: number): Halves {
  if (places === 0) return { high, low };
  const [up, down] = [2 ** (places % 16), 2 ** (16 - (places % 16))];
  if (op === 'shl') {
    const moved = (x: Expr): Expr => (up === 1 ? x : times(rest(x, down), up));
    if (places >= 16) return { high: moved(low), low: int(0) };
    return { high: plus(moved(high), quotient(low, down)), low: moved(low) };
  }
  const moved = (x: Expr): Expr => (up === 1 ? x : quotient(x, up));
  if (places >= 16) return { high: int(0), low: moved(high) };
  return { high: moved(high), low: plus(times(rest(high, up), down), moved(low)) };
}

function shift(op: 'shl' | 'shr', x: Halves, y: Halves, places: Expr): Halves {
  if (places.kind === 'const') return places.value < 32 ? shiftBy(op, x, places.value) : wordOf(0);
  let shifted = x;
  for (const step of [1, 2, 4, 8, 16])
    shifted = chosen(
      compare('eq', rest(quotient(y.low, step), 2), int(1)),
      shiftBy(op, shifted, step),
      shifted,
    );
  return chosen(compareWords('lt', y, wordOf(32)), shifted, wordOf(0));
}

function compareWords(op: CompareOp, x: Halves, y: Halves): Expr {
  const [highs, lows] = [compare('eq', x.high, y.high), compare(op, x.low, y.low)];
  if (op === 'eq') return binary('and', highs, lows);
  if (op === 'ne') return binary('or', compare('ne', x.high, y.high), lows);
  return binary('or', compare('lt', x.high, y.high), binary('and', highs, lows));
}

/** A word as a number of another dtype. */
function castWord(dtype: Expr['dtype'], { high, low }: Halves): Expr {
  if (dtype === 'bool') return binary('or', compare('ne', high, int(0)), compare('ne', low, int(0)));
  if (dtype === 'uint8') return cast('uint8', low);
  if (dtype !== 'int32')
    // one rounding: the high half is exact
    return binary('add', binary('mul', cast(dtype, high), constant(dtype, half)), cast(dtype, low));
  if (high.kind === 'const' && high.value <= most >> 1) return plus(times(high, half), low);
  // Of a negative number, what is beyond -1.
  const negative = compare('lt', int(most >> 1), high);
  const { high: h, low: l } = chosen(negative, notWord({ high, low }), { high, low });
  const beyond = binary('mul', plus(times(h, half), l), select(negative, int(-1), int(1)));
  return plus(beyond, select(negative, int(-1), int(0)));
}

/** A number of another dtype as a word. */
function wordFrom(x: Expr): Halves {
  if (x.dtype === 'bool' || x.dtype === 'uint8') return { high: int(0), low: cast('int32', x) };
  if (x.kind === 'coord') return { high: quotient(x, half), low: rest(x, half) };
  if (x.dtype === 'int32') {
    const [q, r] = [quotient(x, half), rest(x, half)];
    const borrows = compare('lt', r, int(0));
    const high = minus(q, cast('int32', borrows));
    return {
      high: select(compare('lt', high, int(0)), plus(high, int(half)), high),
      low: select(borrows, plus(r, int(half)), r),
    };
  }
  // Byte by byte, because a byte from a float saturates.
  let left = unary('trunc', binary('min', binary('max', x, float(0)), float(4294967040)));
  const [a, b, c, d] = [2 ** 24, half, 256, 1].map((unit) => {
    const digit = unary('trunc', binary('mul', left, float(1 / unit)));
    left = binary('sub', left, binary('mul', digit, float(unit)));
    return cast('int32', cast('uint8', digit));
  }) as [Expr, Expr, Expr, Expr];
  const word = { high: plus(times(a, 256), b), low: plus(times(c, 256), d) };
  return chosen(compare('le', float(2 ** 32), x), wordOf(2 ** 32 - 1), word);
}

/** The float32 that has these bits: its mantissa times a power of two, by products that are all exact. */
function floatOfBits({ high, low }: Halves): Expr {
  const exponent = rest(quotient(high, 128), 256);
  const mantissa = plus(times(rest(high, 128), half), low);
  const hidden = select(compare('eq', exponent, int(0)), int(0), int(2 ** 23));
  const power = minus(binary('max', exponent, int(1)), int(150));
  const size = unary('abs', power);
  const isSmall = compare('lt', power, int(0));
  let value = cast('float32', plus(mantissa, hidden));
  for (const [bit, part] of [[128, 64], [128, 64], ...[64, 32, 16, 8, 4, 2, 1].map((b) => [b, b])] as [
    number,
    number,
  ][]) {
    const factor = select(isSmall, float(2 ** -part), float(2 ** part));
    const isSet = compare('eq', rest(quotient(size, bit), 2), int(1));
    value = select(isSet, binary('mul', value, factor), value);
  }
  const special = select(compare('eq', mantissa, int(0)), float(Infinity), float(Number.NaN));
  value = select(compare('eq', exponent, int(255)), special, value);
  return select(compare('lt', int(most >> 1), high), unary('neg', value), value);
}
