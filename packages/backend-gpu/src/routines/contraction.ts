/**
 * Sums of products of two elements, in blocks: matrix products, convolutions and their gradients.
 *
 * Such a kernel is `out[b, i, j] = Σ_k left[b, i, k] · right[b, k, j]`, where i stands for the axes that only the left
 * operand reads, j for those of the right one alone, b for those of both. Both operands are first copied in the order
 * in which blocks of the result read them, four elements at a time, so that an element that is read is used many times.
 */
import { type Expr, type Kernel, type Load, nodesOf, rowMajorStrides, sizeOf } from '@neumann/core/backend';

/** Axes that are run through together, the last one fastest. */
export interface Axes {
  readonly axes: readonly number[];
  readonly extents: readonly number[];
  readonly size: number;
}

export interface Contraction {
  readonly batch: Axes;
  readonly rows: Axes;
  readonly columns: Axes;
  readonly terms: Axes;
  readonly left: Load;
  readonly right: Load;
  readonly kernel: Kernel;
  /** Four terms at a time, and how many such steps are summed up in one go; there are `parts` of these sums. */
  readonly steps: number;
  readonly parts: number;
}

/** Rows of a block of the result; it has four columns. */
export const blockRows = 8;

/** Longer sums are made of parts, for their rounding errors, and so that there is work for a whole device. */
const longestPart = 512;

/** A kernel as a contraction; `undefined` if it is none, or if its own loops read less than `gain` times as much. */
export function contractionOf(kernel: Kernel, gain: number): Contraction | undefined {
  const { reductions, outputs, axes, reduceAxes } = kernel;
  const [reduction, output] = [reductions[0], outputs[0]];
  if (reductions.length !== 1 || outputs.length !== 1 || output?.kind !== 'acc' || reduction?.op !== 'add')
    return undefined;
  const { value } = reduction;
  if (value.kind !== 'binary' || value.op !== 'mul' || value.dtype !== 'float32') return undefined;
  const [x, y] = [value.x, value.y];
  if (!isPlainLoad(x) || !isPlainLoad(y)) return undefined;
  const [ofX, ofY] = [axesOf(x), axesOf(y)];
  const extents = [...axes, ...reduceAxes];
  const group = (holds: (axis: number) => boolean, from = 0, to = axes.length): Axes => {
    const chosen = extents.flatMap((_, axis) => (axis >= from && axis < to && holds(axis) ? [axis] : []));
    const sizes = chosen.map((axis) => extents[axis] as number);
    return { axes: chosen, extents: sizes, size: sizeOf(sizes) };
  };
  const batch = group((axis) => ofX.has(axis) === ofY.has(axis));
  const onlyX = group((axis) => ofX.has(axis) && !ofY.has(axis));
  const onlyY = group((axis) => ofY.has(axis) && !ofX.has(axis));
  const terms = group(() => true, axes.length, extents.length);
  const turned = onlyX.size < onlyY.size; // the longer side is the rows, which come in blocks of more
  const parts = Math.ceil(terms.size / longestPart);
  const contraction: Contraction = {
    batch,
    rows: turned ? onlyY : onlyX,
    columns: turned ? onlyX : onlyY,
    terms,
    left: turned ? y : x,
    right: turned ? x : y,
    kernel,
    steps: Math.ceil(terms.size / parts / 4),
    parts,
  };
  return fits(contraction) && isWorthIt(contraction, gain) ? contraction : undefined;
}

/** Whether the copies, and the sums of parts, are no larger than what every WebGPU device can bind: 128 MiB each. */
function fits({ batch, rows, columns, steps, parts }: Contraction): boolean {
  const [k, m, n] = [4 * steps * parts, roundUp(rows.size, blockRows), roundUp(columns.size, 4)];
  return batch.size * Math.max(k * m, k * n, parts * m * n) <= 2 ** 25;
}

/** Reads from memory, which are what such kernels wait for: far fewer than in the kernel's own loops. */
function isWorthIt(c: Contraction, gain: number): boolean {
  const { batch, rows, columns, terms, steps, parts, left, right } = c;
  const [k, m, n] = [4 * steps * parts, rows.size, columns.size];
  const own = 2 * m * n * k;
  const copy = (elements: number, isSideBySide: boolean): number => (2 * elements) / (isSideBySide ? 4 : 1);
  const copies =
    copy(k * m, isInFours(left, c, terms) || isInFours(left, c, rows)) +
    copy(k * roundUp(n, 4), isInFours(right, c, columns));
  const blocks = (roundUp(m, blockRows) / blockRows) * (roundUp(n, 4) / 4) * parts;
  const reads = copies + blocks * steps * (blockRows + 4) + 2 * m * n * parts;
  const isWide = n >= 4 || batch.size * blocks >= 2 ** 11; // else there are few threads, and most of each is for nothing
  return batch.size * own > 2 ** 17 && own > gain * reads && isWide;
}

const roundUp = (x: number, to: number): number => Math.ceil(x / to) * to;

/** A float32 element at a place that is computed from coordinates alone. */
function isPlainLoad(x: Expr): x is Load {
  const words = new Set(['add', 'sub', 'mul', 'div', 'rem', 'and', 'or']);
  return (
    x.kind === 'load' &&
    x.dtype === 'float32' &&
    nodesOf([x]).every(
      (node) =>
        node === x ||
        node.kind === 'const' ||
        node.kind === 'coord' ||
        node.kind === 'compare' ||
        (node.kind === 'binary' && words.has(node.op)),
    )
  );
}

const axesOf = (x: Load): Set<number> =>
  new Set(nodesOf([x]).flatMap((node) => (node.kind === 'coord' ? [node.axis] : [])));

/** What the two shading languages write differently. */
export interface Language {
  readonly declare: (type: 'int' | 'bool' | 'vec4', name: string, value: string) => string;
  /** Declares a sum of fours, 0 at first. */
  readonly sum: (name: string) => string;
  /** The start of a loop over integers. */
  readonly loop: (name: string, from: string, to: string) => string;
  readonly choose: (condition: string, x: string, y: string) => string;
  readonly vec4: string;
  /** The head of a function of integers, down to the brace. */
  readonly head: (result: 'float' | 'vec4', name: string, parameters: readonly string[]) => string;
  readonly toFloat: (integer: string) => string;
  readonly toInteger: (float: string) => string;
  /** An element of the operand that is copied, and four that lie side by side, the first at a multiple of 4. */
  readonly element: (index: string) => string;
  readonly four: (index: string) => string;
}

/**
 * The quotient of an integer from 0 to `below` - 1 by a literal. Devices divide integers slowly. By floats, the quotient
 * of half an integer is never nearer to a whole number than all rounding errors, up to 2^20 and beyond.
 */
export function quotient(x: string, y: number, below: number, { toFloat, toInteger }: Language): string {
  if (y === 1) return x;
  if (Number.isInteger(Math.log2(y))) return `(${x} >> ${Math.log2(y)}u)`;
  return below <= 2 ** 20 ? toInteger(`(${toFloat(x)} + 0.5) * ${1 / y}`) : `(${x} / ${y})`;
}

export function remainder(x: string, y: number, below: number, language: Language): string {
  if (Number.isInteger(Math.log2(y))) return `(${x} & ${y - 1})`;
  return `(${x} - ${quotient(x, y, below, language)} * ${y})`;
}

/** The lines that make the coordinates of `group` from the variable `index`. */
export function coordinateLines(group: Axes, index: string, language: Language): string[] {
  const strides = rowMajorStrides(group.extents);
  return group.axes.flatMap((axis, i) => {
    const [stride, extent] = [strides[i] as number, group.extents[i] as number];
    const whole = quotient(index, stride, group.size, language);
    if (i === 0) return [language.declare('int', `c${axis}`, whole)];
    if (stride === 1)
      return [language.declare('int', `c${axis}`, remainder(index, extent, group.size, language))];
    return [
      language.declare('int', `q${axis}`, whole),
      language.declare('int', `c${axis}`, remainder(`q${axis}`, extent, group.size, language)),
    ];
  });
}

/** The lines that read an operand where its coordinates are declared, and the text of the element, or of four. */
export function readLines(
  load: Load,
  { kernel }: Contraction,
  language: Language,
  isFour: boolean,
): { lines: string[]; value: string } {
  const lines: string[] = [];
  const texts = new Map<Expr, string>();
  const of = (x: Expr): string => texts.get(x) as string;
  for (const node of nodesOf([...load.index, ...(load.guard ? [load.guard] : [])])) {
    if (node.kind === 'const')
      texts.set(node, node.dtype === 'bool' ? String(node.value !== 0) : `(${node.value})`);
    else if (node.kind === 'coord') texts.set(node, `c${node.axis}`);
    else if (node.kind === 'binary' || node.kind === 'compare') {
      const word = words[node.op] as string;
      const type = node.dtype === 'bool' ? 'bool' : 'int';
      lines.push(language.declare(type, `v${lines.length}`, `${of(node.x)} ${word} ${of(node.y)}`));
      texts.set(node, `v${lines.length - 1}`);
    }
  }
  const shape = kernel.inputs[load.input]?.shape ?? [];
  const strides = rowMajorStrides(shape);
  const index = load.index.map((x, axis) => `${of(x)} * ${strides[axis]}`).join(' + ') || '0';
  const read = (at: string): string => (isFour ? language.four(at) : language.element(at));
  if (!load.guard) return { lines, value: read(index) };
  const guard = of(load.guard);
  const zero = isFour ? `${language.vec4}(0.0)` : '0.0';
  return { lines, value: language.choose(guard, read(language.choose(guard, index, '0')), zero) };
}

/** Whether four neighbours along the last axis of a group lie side by side in an operand, the first at a multiple of 4. */
export function isInFours({ index, guard, input }: Load, { kernel }: Contraction, group: Axes): boolean {
  const [axis, extent] = [group.axes.at(-1), group.extents.at(-1)];
  const last = index.at(-1);
  const others = [...index.slice(0, -1), ...(guard ? [guard] : [])];
  return (
    extent !== undefined &&
    extent % 4 === 0 &&
    (kernel.inputs[input]?.shape.at(-1) ?? 1) % 4 === 0 &&
    last?.kind === 'coord' &&
    last.axis === axis &&
    nodesOf(others).every((node) => node.kind !== 'coord' || node.axis !== axis)
  );
}

const words: Readonly<Record<string, string>> = {
  add: '+',
  sub: '-',
  mul: '*',
  div: '/',
  rem: '%',
  and: '&&',
  or: '||',
  eq: '==',
  ne: '!=',
  lt: '<',
  le: '<=',
};

/** The lines that make `b`, `i` and `j` from the coordinates of `position` in the result. */
export function placeLines({ batch, rows, columns, kernel }: Contraction, language: Language): string[] {
  const all: Axes = {
    axes: kernel.axes.map((_, axis) => axis),
    extents: kernel.axes,
    size: sizeOf(kernel.axes),
  };
  const flat = ({ axes, extents }: Axes): string => {
    const strides = rowMajorStrides(extents);
    return axes.map((axis, i) => `c${axis} * ${strides[i]}`).join(' + ') || '0';
  };
  return [
    ...coordinateLines(all, 'position', language),
    language.declare('int', 'b', flat(batch)),
    language.declare('int', 'i', flat(rows)),
    language.declare('int', 'j', flat(columns)),
  ];
}

/** The line that makes `position` in the result from all its coordinates. */
export function resultLines({ kernel }: Contraction, language: Language): string[] {
  const strides = rowMajorStrides(kernel.axes);
  const flat = kernel.axes.map((_, axis) => `c${axis} * ${strides[axis]}`).join(' + ');
  return [language.declare('int', 'position', flat || '0')];
}

/** Whether an operand lies in memory in the order of these axes, with nothing between. */
export function isRowMajor(
  { index, guard, input }: Load,
  { kernel }: Contraction,
  order: readonly Axes[],
): boolean {
  const axes = order.flatMap((group) => group.axes);
  const extents = order.flatMap((group) => group.extents);
  const shape = kernel.inputs[input]?.shape ?? [];
  return (
    guard === undefined &&
    axes.length === index.length &&
    index.every((x, at) => x.kind === 'coord' && x.axis === axes[at] && shape[at] === extents[at])
  );
}
