/**
 * Sums of products by named axes. Operands are contracted two at a time, in the cheapest order, each pair by a matrix
 * product or, where nothing is summed, by a broadcast product.
 */
import { showAval } from '../aval.ts';
import { isFloat } from '../dtype.ts';
import { OptionError, ShapeError } from '../errors.ts';
import { mul } from '../primitives/arithmetic.ts';
import { matmul } from '../primitives/matmul.ts';
import { reshape, transpose } from '../primitives/movement.ts';
import { reduceSum } from '../primitives/reduce.ts';
import { sizeOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { show } from './check.ts';
import { numericOperand, promoteOperands, type TensorLike } from './convert.ts';
import { diagonal } from './diagonal.ts';

/** A tensor whose axes have names, each at most once. */
export interface Named {
  readonly x: Tensor;
  readonly names: readonly string[];
}

/**
 * Einstein's sums: each letter names an axis; axes that share a letter run together, and letters that are missing in the
 * result are summed over.
 *
 * @param subscripts `ij,jk->ik`: the letters of each operand, then those of the result. Without `->`, the letters that
 *   occur once, in alphabetical order. `...` stands for axes without letters, which broadcast, and lead in the result
 *   by default.
 * @param xs As many operands as there are groups of letters.
 * @throws {OptionError} for subscripts that cannot be read, and other counts of operands.
 * @throws {ShapeError} if letters do not fit the axes, or one letter stands for different extents.
 * @example
 * einsum('ij,jk->ik', ones([2, 3]), ones([3, 4]))            // [2,4]
 * einsum('ii', tensor([[1, 2], [3, 4]]))                     // 5
 * einsum('...c,c->...', ones([2, 5, 3]), tensor([1, 2, 3]))  // [2,5]
 */
export function einsum(subscripts: string, ...xs: readonly TensorLike[]): Tensor {
  const { inputs, output } = parse(subscripts, xs.length);
  const tensors = promoteOperands('einsum', ...xs).map((t) => numericOperand('einsum', t));
  const expanded = expand(subscripts, inputs, output, tensors);
  const sizes = sizesOf(subscripts, expanded.inputs, tensors);
  const operands = tensors.map((x, i) => distinct({ x, names: expanded.inputs[i] as string[] }, sizes));
  const [first = operands[0] as Named, ...rest] = operands;
  const result = rest.length === 0 ? first : contractAll(operands, expanded.output, sizes);
  const summed = sumAway(result, (name) => expanded.output.includes(name));
  return transpose(
    summed.x,
    expanded.output.map((name) => summed.names.indexOf(name)),
  );
}

/* ---- reading the subscripts ---- */

const dots = '...';

function parse(subscripts: string, count: number): { inputs: string[][]; output: string[] | undefined } {
  const refuse = (why: string): never => {
    throw new OptionError(`einsum: ${show(subscripts)} ${why}.`);
  };
  if (typeof subscripts !== 'string') refuse("is no string such as 'ij,jk->ik'");
  const [left = '', right, ...more] = subscripts.replaceAll(' ', '').split('->');
  if (more.length > 0) refuse('has more than one "->"');
  const letters = (part: string): string[] => {
    const found = part.match(/\.\.\.|[A-Za-z]/g) ?? [];
    if (found.join('') !== part) refuse('holds something other than letters, "...", "," and "->"');
    if (found.filter((l) => l === dots).length > 1) refuse('has "..." twice in one operand');
    return found;
  };
  const inputs = left.split(',').map(letters);
  if (inputs.length !== count)
    refuse(`names ${inputs.length} operand${inputs.length === 1 ? '' : 's'}, but there are ${count}`);
  const output = right === undefined ? undefined : letters(right);
  const twice = output?.find((l, i) => output.indexOf(l) !== i);
  if (twice !== undefined) refuse(`has ${twice} twice in the result`);
  const unknown = output?.find((l) => l !== dots && !inputs.some((names) => names.includes(l)));
  if (unknown !== undefined) refuse(`has ${unknown} in the result, but in no operand`);
  return { inputs, output };
}

/** Names for the axes under `...`, counted from the last; and the default result. */
function expand(
  subscripts: string,
  inputs: readonly string[][],
  output: readonly string[] | undefined,
  tensors: readonly Tensor[],
): { inputs: string[][]; output: string[] } {
  let widest = 0;
  const named = inputs.map((names, i) => {
    const { ndim, aval } = tensors[i] as Tensor;
    const hidden = ndim - names.filter((l) => l !== dots).length;
    if (hidden < 0 || (hidden > 0 && !names.includes(dots)))
      throw new ShapeError(
        `einsum: ${JSON.stringify(subscripts)} names ${ndim - hidden} axes of operand ${i}, which is ${showAval(aval)}.`,
      );
    widest = Math.max(widest, names.includes(dots) ? hidden : 0);
    return names.flatMap((l) => (l === dots ? hiddenNames(hidden) : [l]));
  });
  const lead = hiddenNames(widest);
  const all = inputs.flat().filter((l) => l !== dots);
  const once = [...new Set(all)].filter((l) => all.indexOf(l) === all.lastIndexOf(l)).sort();
  const result = output ? output.flatMap((l) => (l === dots ? lead : [l])) : [...lead, ...once];
  return { inputs: named, output: result };
}

const hiddenNames = (count: number): string[] => Array.from({ length: count }, (_, i) => `.${count - i}`);

function sizesOf(
  subscripts: string,
  inputs: readonly string[][],
  tensors: readonly Tensor[],
): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const [i, names] of inputs.entries())
    for (const [axis, name] of names.entries()) {
      const extent = (tensors[i] as Tensor).shape[axis] as number;
      const known = sizes.get(name) ?? 1;
      if (known !== 1 && extent !== 1 && known !== extent)
        throw new ShapeError(
          `einsum: ${JSON.stringify(subscripts)} has extents ${known} and ${extent} for ` +
            `${name.startsWith('.') ? 'an axis under "..."' : name}; operands are ${tensors.map((t) => showAval(t.aval)).join(', ')}.`,
        );
      sizes.set(name, known === 1 ? extent : known);
    }
  return sizes;
}

/** Each name once: diagonals of repeated ones; and axes of extent 1 that meet others go, as they broadcast. */
function distinct({ x, names }: Named, sizes: ReadonlyMap<string, number>): Named {
  const narrow = names.flatMap((name, i) => (x.shape[i] === 1 && sizes.get(name) !== 1 ? [i] : []));
  let current: Named = {
    x: reshape(
      x,
      x.shape.filter((_, i) => !narrow.includes(i)),
    ),
    names: names.filter((_, i) => !narrow.includes(i)),
  };
  for (;;) {
    const axis2 = current.names.findIndex((name, i) => current.names.indexOf(name) !== i);
    if (axis2 < 0) return current;
    const name = current.names[axis2] as string;
    const axis1 = current.names.indexOf(name);
    const others = current.names.filter((_, i) => i !== axis1 && i !== axis2);
    current = { x: diagonal(current.x, { axis1, axis2 }), names: [...others, name] };
  }
}

/* ---- the order of contraction ---- */

/** Contracts the pair that `order` says until one is left. */
function contractAll(
  operands: readonly Named[],
  output: readonly string[],
  sizes: Map<string, number>,
): Named {
  const order = contractionOrder(
    operands.map((o) => o.names),
    output,
    sizes,
  );
  const values: (Named | undefined)[] = [...operands];
  for (const [i, j] of order) {
    const [a, b] = [values[i] as Named, values[j] as Named];
    values[i] = values[j] = undefined;
    const needed = new Set([...output, ...values.flatMap((v) => v?.names ?? [])]);
    values.push(contract(a, b, (name) => needed.has(name)));
  }
  return values.at(-1) as Named;
}

/** Operands up to which all orders are tried. */
const mostTried = 7;

/**
 * Which two values are contracted, step by step; results are numbered on from the operands. The order with the fewest
 * multiplications for a few operands (dynamic programming over subsets), else the cheapest pair each time.
 */
function contractionOrder(
  inputs: readonly (readonly string[])[],
  output: readonly string[],
  sizes: ReadonlyMap<string, number>,
): [number, number][] {
  return inputs.length <= mostTried ? best(inputs, output, sizes) : greedy(inputs, output, sizes);
}

const costOf = (names: Iterable<string>, sizes: ReadonlyMap<string, number>): number =>
  [...names].reduce((n, name) => n * (sizes.get(name) as number), 1);

function best(
  inputs: readonly (readonly string[])[],
  output: readonly string[],
  sizes: ReadonlyMap<string, number>,
): [number, number][] {
  const everything = 2 ** inputs.length - 1;
  const members = (set: number): number[] => inputs.flatMap((_, i) => ((set >> i) & 1 ? [i] : []));
  /** Names of the value that the operands of `set` make together. */
  const namesOf = (set: number): Set<string> => {
    const outside = new Set([...output, ...members(everything & ~set).flatMap((i) => inputs[i] as string[])]);
    return new Set(members(set).flatMap((i) => (inputs[i] as string[]).filter((name) => outside.has(name))));
  };
  const cost = new Map<number, { total: number; left: number }>();
  const names = Array.from({ length: everything + 1 }, (_, set) => namesOf(set));
  for (let set = 1; set <= everything; set++) {
    if ((set & (set - 1)) === 0) {
      cost.set(set, { total: 0, left: 0 });
      continue;
    }
    let found = { total: Infinity, left: 0 };
    for (let left = (set - 1) & set; left > 0; left = (left - 1) & set) {
      const right = set & ~left;
      if (left < right) continue;
      const product = costOf(
        new Set([...(names[left] as Set<string>), ...(names[right] as Set<string>)]),
        sizes,
      );
      const total = product + (cost.get(left)?.total as number) + (cost.get(right)?.total as number);
      if (total < found.total) found = { total, left };
    }
    cost.set(set, found);
  }
  const order: [number, number][] = [];
  const visit = (set: number): number => {
    if ((set & (set - 1)) === 0) return Math.log2(set);
    const left = cost.get(set)?.left as number;
    const pair: [number, number] = [visit(set & ~left), visit(left)];
    order.push([Math.min(...pair), Math.max(...pair)]);
    return inputs.length + order.length - 1;
  };
  visit(everything);
  return order;
}

function greedy(
  inputs: readonly (readonly string[])[],
  output: readonly string[],
  sizes: ReadonlyMap<string, number>,
): [number, number][] {
  const order: [number, number][] = [];
  let live = inputs.map((names, id) => ({ id, names: new Set(names) }));
  while (live.length > 1) {
    let cheapest: { cost: number; pair: [number, number] } = { cost: Infinity, pair: [0, 1] };
    for (const [i, a] of live.entries())
      for (const [j, b] of live.entries()) {
        if (j <= i) continue;
        const cost = costOf(new Set([...a.names, ...b.names]), sizes);
        if (cost < cheapest.cost) cheapest = { cost, pair: [i, j] };
      }
    const [a, b] = cheapest.pair.map((i) => live[i]) as [(typeof live)[0], (typeof live)[0]];
    live = live.filter((v) => v !== a && v !== b);
    const needed = new Set([...output, ...live.flatMap((v) => [...v.names])]);
    const names = new Set([...a.names, ...b.names].filter((name) => needed.has(name)));
    live.push({ id: inputs.length + order.length, names });
    order.push([Math.min(a.id, b.id), Math.max(a.id, b.id)]);
  }
  return order;
}

/* ---- one contraction ---- */

/** Sums over the axes whose names are not kept. */
function sumAway({ x, names }: Named, keep: (name: string) => boolean): Named {
  const axes = names.flatMap((name, i) => (keep(name) ? [] : [i]));
  return axes.length === 0 ? { x, names } : { x: reduceSum(x, axes), names: names.filter(keep) };
}

/**
 * The product of two values, summed over the names that both have and that are not kept; axes in the order: shared,
 * of `a`, of `b`.
 */
export function contract(a: Named, b: Named, keep: (name: string) => boolean): Named {
  const left = sumAway(a, (name) => keep(name) || b.names.includes(name));
  const right = sumAway(b, (name) => keep(name) || a.names.includes(name));
  const shared = left.names.filter((name) => right.names.includes(name));
  const batch = shared.filter(keep);
  const summed = shared.filter((name) => !keep(name));
  const rows = left.names.filter((name) => !shared.includes(name));
  const columns = right.names.filter((name) => !shared.includes(name));
  const names = [...batch, ...rows, ...columns];
  const extent = (name: string): number =>
    (left.names.includes(name)
      ? left.x.shape[left.names.indexOf(name)]
      : right.x.shape[right.names.indexOf(name)]) as number;
  const sizes = (of: readonly string[]): number[] => of.map(extent);
  if (summed.length === 0 || !isFloat(left.x.dtype) || (rows.length === 0 && columns.length === 0)) {
    const all = [...names, ...summed];
    const product = mul(spread(left, all), spread(right, all));
    return {
      x: reduceSum(
        product,
        summed.map((_, i) => names.length + i),
      ),
      names,
    };
  }
  const x = matrixOf(left, batch, rows, summed);
  const y = matrixOf(right, batch, columns, summed);
  const lead = batch.length === 0 ? [] : [sizeOf(sizes(batch))];
  const shape = (m: Matrix, outer: readonly string[]): number[] => {
    const [n, k] = [sizeOf(sizes(outer)), sizeOf(sizes(summed))];
    return [...lead, ...(m.summedFirst ? [k, n] : [n, k])];
  };
  const z = matmul(
    reshape(x.x, shape(x, rows)),
    reshape(y.x, shape(y, columns)),
    x.summedFirst,
    !y.summedFirst,
  );
  return { x: reshape(z, sizes(names)), names };
}

interface Matrix {
  readonly x: Tensor;
  readonly summedFirst: boolean;
}

/** Axes in the order batch, outer, summed, or batch, summed, outer if they already are. */
function matrixOf({ x, names }: Named, batch: string[], outer: string[], summed: string[]): Matrix {
  const isOrder = (order: readonly string[]): boolean => order.every((name, i) => names[i] === name);
  if (isOrder([...batch, ...summed, ...outer])) return { x, summedFirst: true };
  const order = [...batch, ...outer, ...summed];
  return {
    x: transpose(
      x,
      order.map((name) => names.indexOf(name)),
    ),
    summedFirst: false,
  };
}

/** Axes in the order of `all`, with extent 1 where the value has none. */
function spread({ x, names }: Named, all: readonly string[]): Tensor {
  const present = all.filter((name) => names.includes(name));
  const ordered = transpose(
    x,
    present.map((name) => names.indexOf(name)),
  );
  return reshape(
    ordered,
    all.map((name) => (names.includes(name) ? (x.shape[names.indexOf(name)] as number) : 1)),
  );
}
