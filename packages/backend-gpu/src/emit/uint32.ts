/** Arithmetic of words of 32 bits, each two integers below 2^16: every sum and product on the way is exact in float32. */
import {
  binary,
  type CompareOp,
  cast,
  compare,
  constant,
  type Expr,
  select,
  unary,
} from '@neumann/core/backend';

export interface Halves {
  readonly high: Expr;
  readonly low: Expr;
}

const half = 2 ** 16;
export const mostHalf: number = half - 1;

export const int = (value: number): Expr => constant('int32', value);
const float = (value: number): Expr => constant('float32', value);
export const both = (f: (i: 0 | 1) => Expr): Halves => ({ high: f(0), low: f(1) });
export const wordOf = (value: number): Halves => ({
  high: int(Math.floor(value / half)),
  low: int(value % half),
});
export const plus = (x: Expr, y: Expr): Expr => binary('add', x, y);
const minus = (x: Expr, y: Expr): Expr => binary('sub', x, y);
const times = (x: Expr, by: number): Expr => binary('mul', x, int(by));
const quotient = (x: Expr, by: number): Expr => binary('div', x, int(by));
const rest = (x: Expr, by: number): Expr => binary('rem', x, int(by));

/** What is one already, so that intervals can see it. */
export const asHalf = (x: Expr): Expr => binary('min', binary('max', x, int(0)), int(mostHalf));

export function addWords(x: Halves, y: Halves): Halves {
  const low = plus(x.low, y.low);
  return { high: rest(plus(plus(x.high, y.high), quotient(low, half)), half), low: rest(low, half) };
}

export const notWord = (x: Halves): Halves => both((i) => minus(int(mostHalf), i === 0 ? x.high : x.low));

export const chosen = (cond: Expr, x: Halves, y: Halves): Halves => ({
  high: select(cond, x.high, y.high),
  low: select(cond, x.low, y.low),
});

/** The product of two halves; 8 bits of one at a time, so that nothing reaches 2^24. */
function product(x: Expr, y: Expr): Halves {
  const above = binary('mul', x, quotient(y, 256));
  const below = plus(times(rest(above, 256), 256), binary('mul', x, rest(y, 256)));
  return { high: rest(plus(quotient(above, 256), quotient(below, half)), half), low: rest(below, half) };
}

export function mulWords(x: Halves, y: Halves): Halves {
  const { high, low } = product(x.low, y.low);
  const crossed = plus(product(x.high, y.low).low, product(x.low, y.high).low);
  return { high: rest(plus(high, crossed), half), low };
}

/** By squaring, for each bit of the exponent. */
export function power(x: Halves, y: Halves, exponent: Expr): Halves {
  const bits = exponent.kind === 'const' ? Math.floor(Math.log2(Math.max(1, exponent.value))) + 1 : 32;
  let [result, square] = [wordOf(1), x];
  for (let bit = 0; bit < bits; bit++) {
    const isSet = compare('eq', rest(quotient(bit < 16 ? y.low : y.high, 2 ** (bit % 16)), 2), int(1));
    if (exponent.kind !== 'const') result = chosen(isSet, mulWords(result, square), result);
    else if (Math.floor(exponent.value / 2 ** bit) % 2 === 1) result = mulWords(result, square);
    if (bit + 1 < bits) square = mulWords(square, square);
  }
  return result;
}

/** Long division by bytes, for divisors below 2^16. */
export function divideBySmall(op: 'div' | 'rem', x: Halves, by: number): Halves {
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
export function divide(op: 'div' | 'rem', x: Halves, y: Halves): Halves {
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

export function shift(op: 'shl' | 'shr', x: Halves, y: Halves, places: Expr): Halves {
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

export function compareWords(op: CompareOp, x: Halves, y: Halves): Expr {
  const [highs, lows] = [compare('eq', x.high, y.high), compare(op, x.low, y.low)];
  if (op === 'eq') return binary('and', highs, lows);
  if (op === 'ne') return binary('or', compare('ne', x.high, y.high), lows);
  return binary('or', compare('lt', x.high, y.high), binary('and', highs, lows));
}

/** A word as a number of another dtype. */
export function castWord(dtype: Expr['dtype'], { high, low }: Halves): Expr {
  if (dtype === 'bool') return binary('or', compare('ne', high, int(0)), compare('ne', low, int(0)));
  if (dtype === 'uint8') return cast('uint8', low);
  if (dtype !== 'int32')
    // one rounding: the high half is exact
    return binary('add', binary('mul', cast(dtype, high), constant(dtype, half)), cast(dtype, low));
  if (high.kind === 'const' && high.value <= mostHalf >> 1) return plus(times(high, half), low);
  // Of a negative number, what is beyond -1.
  const negative = compare('lt', int(mostHalf >> 1), high);
  const { high: h, low: l } = chosen(negative, notWord({ high, low }), { high, low });
  const beyond = binary('mul', plus(times(h, half), l), select(negative, int(-1), int(1)));
  return plus(beyond, select(negative, int(-1), int(0)));
}

/** A number of another dtype as a word. */
export function wordFrom(x: Expr): Halves {
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
  const within = unary('trunc', binary('min', binary('max', x, float(0)), float(4294967040)));
  return chosen(compare('le', float(2 ** 32), x), wordOf(2 ** 32 - 1), wordOfWhole(within));
}

/** A whole float32 from 0 to below 2^32 as a word, byte by byte, because a byte from a float saturates. */
function wordOfWhole(x: Expr): Halves {
  let left = x;
  const [a, b, c, d] = [2 ** 24, half, 256, 1].map((unit) => {
    const digit = unary('trunc', binary('mul', left, float(1 / unit)));
    left = binary('sub', left, binary('mul', digit, float(unit)));
    return cast('int32', cast('uint8', digit));
  }) as [Expr, Expr, Expr, Expr];
  return { high: plus(times(a, 256), b), low: plus(times(c, 256), d) };
}

/** The bits of an int32 or a float32; those of every NaN are 0x7fc00000. */
export function bitsOf(x: Expr): Halves {
  if (x.dtype !== 'float32') return wordFrom(x);
  const size = unary('abs', x);
  // The mantissa from 1 to 2, or the small number without one; its exponent by exact products.
  let value = select(compare('lt', size, float(1)), binary('mul', size, float(2 ** 126)), size);
  let exponent = select(compare('lt', size, float(1)), int(1), int(127));
  for (const step of [64, 32, 16, 8, 4, 2, 1]) {
    const isLarge = compare('le', float(2 ** step), value);
    value = select(isLarge, binary('mul', value, float(2 ** -step)), value);
    exponent = plus(exponent, select(isLarge, int(step), int(0)));
  }
  const isNormal = compare('le', float(2 ** -126), size);
  const fraction = select(isNormal, binary('sub', value, float(1)), value);
  const isNumber = compare('lt', size, float(Infinity));
  const special = select(compare('eq', size, size), float(0), float(2 ** 22));
  const { high, low } = wordOfWhole(select(isNumber, binary('mul', fraction, float(2 ** 23)), special));
  const field = select(isNumber, select(isNormal, exponent, int(0)), int(255));
  const isZero = compare('eq', x, float(0));
  const signed = select(isZero, binary('div', float(1), x), x); // -0 has an inverse below 0
  const sign = select(compare('lt', signed, float(0)), int(2 ** 15), int(0));
  return { high: asHalf(plus(plus(sign, times(field, 128)), high)), low };
}

/** The float32 that has these bits: its mantissa times a power of two, by products that are all exact. */
export function floatOfBits({ high, low }: Halves): Expr {
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
  return select(compare('lt', int(mostHalf >> 1), high), unary('neg', value), value);
}
