/** Loops and branches of random programs, in two forms: staged, and written out in JavaScript. */
import { cond, forLoop, scan, switchCase, whileLoop } from '@neumann/core';
import { arithmetic, movement, scalar, type Tensor } from './core.ts';

const { elementary, add, mul, compare, convert } = arithmetic;

/** What a random program is run with. */
export interface Loops {
  /** Two carries that change places, through the rows of x; the second is a copy of the first. */
  scanRows(x: Tensor, carry: Tensor, reverse: boolean): Tensor;
  /** A loop of `count` passes that chooses a branch by the number of the pass. */
  repeat(x: Tensor, y: Tensor, count: number): Tensor;
  /** `x` or a function of `x` and `y`, as an element of the input says. */
  choose(input: Tensor, least: number, x: Tensor, y: Tensor): Tensor;
  /** A loop that ends when its counter says so. */
  until(x: Tensor, count: number): Tensor;
}

const step = (a: Tensor, row: Tensor): Tensor => elementary.tanh(add(a, row));
const odd = (x: Tensor, y: Tensor): Tensor => elementary.tanh(mul(x, y));
const even = (x: Tensor): Tensor => elementary.sin(x);
const grow = (x: Tensor): Tensor => elementary.tanh(add(x, x));
const first = (input: Tensor): Tensor =>
  movement.reshape(movement.slice(movement.reshape(input, [input.size]), [0], [1], [1]), []);
const isLess = (input: Tensor, least: number): Tensor =>
  compare('lt', first(input), scalar(least, input.dtype));

/** The functions of `@neumann/core`. */
export const staged: Loops = {
  scanRows: (x, carry, reverse) => {
    const start = { a: carry, b: carry };
    const [last, ys] = scan(({ a, b }, row: Tensor) => [{ a: b, b: step(a, row) }, mul(a, row)], start, x, {
      reverse,
    });
    return add(ys, add(last.a, last.b));
  },
  repeat: (x, y, count) =>
    forLoop(
      0,
      count,
      (i, s: Tensor) => cond(compare('lt', i, scalar(2, 'int32')), (t: Tensor) => odd(t, y), even, s),
      x,
    ),
  choose: (input, least, x, y) =>
    switchCase(convert(isLess(input, least), 'int32'), [(t: Tensor) => t, (t: Tensor) => odd(t, y)], x),
  until: (x, count) =>
    whileLoop(
      ({ i }) => compare('lt', i, scalar(count, 'int32')),
      ({ i, s }) => ({ i: add(i, scalar(1, 'int32')), s: grow(s) }),
      { i: scalar(0, 'int32'), s: movement.stop(x) },
    ).s,
};

/** The same without any loop that core would see. */
export const writtenOut: Loops = {
  scanRows: (x, carry, reverse) => {
    const [length = 0, ...inner] = x.shape;
    let [a, b] = [carry, carry];
    const ys: Tensor[] = new Array<Tensor>(length);
    for (let pass = 0; pass < length; pass++) {
      const i = reverse ? length - 1 - pass : pass;
      const zeros = inner.map(() => 0);
      const cut = movement.slice(
        x,
        [i, ...zeros],
        [i + 1, ...inner],
        x.shape.map(() => 1),
      );
      const row = movement.reshape(cut, inner);
      ys[i] = movement.reshape(mul(a, row), [1, ...inner]);
      [a, b] = [b, step(a, row)];
    }
    return add(movement.concatenate(ys, 0), add(a, b));
  },
  repeat: (x, y, count) => {
    let s = x;
    for (let i = 0; i < count; i++) s = i < 2 ? odd(s, y) : even(s);
    return s;
  },
  choose: (input, least, x, y) => arithmetic.select(isLess(input, least), odd(x, y), x),
  until: (x, count) => {
    let s = movement.stop(x);
    for (let i = 0; i < count; i++) s = grow(s);
    return s;
  },
};
