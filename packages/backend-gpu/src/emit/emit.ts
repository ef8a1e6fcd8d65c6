import {
  BackendError,
  type BinaryOp,
  type DType,
  type Expr,
  type Load,
  nodesOf,
  operandsOf,
  rangeOf,
  rowMajorStrides,
  type Shape,
  shareEqual,
  showAval,
  sizeOf,
} from '@neumann/core/backend';
import { gpuDtypes, inexactError, maxElements, maxWhole } from '../limits.ts';
import { naturalsOf } from '../range.ts';
import type { Contraction } from '../routines/contraction.ts';
import { type Coordinate, coordinatesOf, position } from './coordinates.ts';
import type { Dialect } from './dialect.ts';
import { functionsOf, type Helper, orderOf } from './functions.ts';
import { inHalves } from './halves.ts';
import { Loop, nest } from './loops.ts';
import { accumulatorOf, foldsOf, type Nest } from './nest.ts';
import { farPositions } from './positions.ts';
import { binaryText, castText, compareText, selectText, special, unaryText } from './words.ts';

/** One output of a kernel as a program for gpu.js's `createKernel`. */
export interface Emitted {
  /** Programs with the same key are the same. */
  readonly key: string;
  /** The kernel's name, for messages. */
  readonly name: string;
  readonly source: string;
  readonly functions: readonly Helper[];
  /** Arrays that the source reads as `this.constants.name`. */
  readonly constants: Readonly<Record<string, Float32Array>>;
  /** Number of threads. */
  readonly size: number;
  /** The inputs of the kernel that are the arguments, in order, and how many elements each has. */
  readonly inputs: readonly { readonly input: number; readonly size: number }[];
  /** What the program is, where the device has a faster way to it. */
  readonly contraction?: Contraction | undefined;
}

/**
 * The JavaScript that computes output `index` of a kernel at one thread.
 *
 * Each node of the expressions is one `const`, in the outermost loop where it can be. The form is what gpu.js gets
 * right in every mode: loops have literal bounds, what is infinite, NaN or -0 is data, and every index is in range.
 *
 * @throws {BackendError} if the kernel has a word, a dtype or a size that is not exact here.
 */
export function emit(whole: Nest, index = 0, dialect: Dialect = 'exact'): Emitted {
  const kernel = inHalves(whole, index);
  checkSizes(kernel);
  const emitter = new Emitter(kernel, dialect);
  const lines = emitter.lines();
  const functions = functionsOf(lines.join('\n'), dialect);
  if (dialect === 'device' && functions.length > 2) lines.unshift(orderOf(functions));
  const body = lines.map((line) => `  ${line}\n`).join('');
  const inputs = kernel.inputs.flatMap(({ shape }, input) =>
    body.includes(`in${input}[`) ? [{ input, size: sizeOf(shape) }] : [],
  );
  const size = sizeOf(kernel.axes);
  const source = `function (${inputs.map(({ input }) => `in${input}`).join(', ')}) {\n${body}}`;
  return {
    key: `${inputs.map(({ size }) => size).join()}>${size} ${source}`,
    name: kernel.name,
    source,
    functions,
    constants: body.includes('special[') ? { special: Float32Array.from(special) } : {},
    size,
    inputs,
  };
}

/** An index expression longer than this gets a name, and is then a float32 to gpu.js. */
const longText = 80;

/** A reduction that the output reads; `accumulator` is the name of its running result. */
type Fold = Nest['reductions'][number] & { readonly accumulator: string };

class Emitter {
  readonly #kernel: Nest;
  readonly #dialect: Dialect;
  readonly #root: Expr;
  readonly #folds = new Map<number, Fold>();
  readonly #coordinates: readonly Coordinate[];
  readonly #declared = new Set<Coordinate>();
  readonly #text = new Map<Expr, string>();
  /** Nodes whose value may be too great for float32, and whose text is an integer. */
  readonly #far: ReadonlySet<Expr>;
  /** Integers that are never negative. */
  readonly #naturals: ReadonlySet<Expr>;
  /** Nodes whose text is an integer to gpu.js. */
  readonly #whole = new Set<Expr>();
  #numbers = 0;
  readonly #before: string[] = [];
  readonly #loops: readonly Loop[];
  readonly #after: string[] = [];

  constructor(kernel: Nest, dialect: Dialect) {
    this.#dialect = dialect;
    const { axes, reduceAxes, reductions, outputs } = kernel;
    const shared = shareEqual([...reductions.map((r) => r.value), outputs[0] as Expr]);
    this.#kernel = kernel;
    this.#root = shared.at(-1) as Expr;
    for (const i of foldsOf(this.#root, kernel)) {
      const reduction = reductions[i] as Nest['reductions'][number];
      this.#folds.set(i, { ...reduction, value: shared[i] as Expr, accumulator: `a${i}` });
    }
    const roots = [...[...this.#folds.values()].map(({ value }) => value), this.#root];
    this.#naturals = naturalsOf(roots, kernel);
    this.#loops = reduceAxes.map((extent, axis) => new Loop(extent, axis));
    this.#far = farPositions(roots, kernel);
    const points = coordinatesOf(axes, dialect) ?? this.#refuse(`a result [${axes.join(',')}], whose axes`);
    this.#coordinates = [...points, ...this.#loops.map((loop) => loop.coordinate)];
  }

  /** The body of the function. */
  lines(): string[] {
    const folds = [...this.#folds.values()];
    const empty = sizeOf(this.#kernel.reduceAxes) === 0; // then what is reduced is never evaluated
    const depths = new Map<Expr, number>();
    for (const node of nodesOf([...(empty ? [] : folds.map((fold) => fold.value)), this.#root])) {
      const depth = this.#depthOf(node, depths);
      depths.set(node, depth);
      if (!gpuDtypes.includes(node.dtype)) this.#refuse(`${node.dtype}`);
      if (node.kind !== 'coord') this.#text.set(node, this.#place(node, this.#linesAt(depth)));
    }
    const starts = folds.flatMap((fold) => this.#start(fold, empty));
    const sums = folds.filter((fold) => fold.op === 'add' && fold.value.dtype === 'float32');
    const step = (nameOf: (accumulator: string) => string): string[] =>
      folds.flatMap((fold) =>
        this.#step(fold, sums.includes(fold) ? nameOf(fold.accumulator) : fold.accumulator),
      );
    const loops =
      folds.length === 0 || empty
        ? []
        : nest(
            this.#loops,
            sums.map((fold) => fold.accumulator),
            step,
          );
    const result = `const result = ${this.#textOf(this.#root)};`; // a name, because gpu.js looks at the type of what is returned
    return [...starts, ...this.#before, ...loops, ...this.#after, result, 'return result;'];
  }

  /** 0 before the loops, axis + 1 in the loop of reduce axis `axis`, infinity after the loops. */
  #depthOf(node: Expr, depths: ReadonlyMap<Expr, number>): number {
    if (node.kind === 'coord') return Math.max(0, node.axis - this.#kernel.axes.length + 1);
    if (node.kind === 'acc') return accumulatorOf(node.index).isRunning ? this.#loops.length : Infinity;
    return Math.max(0, ...operandsOf(node).map((operand) => depths.get(operand) ?? 0));
  }

  #linesAt(depth: number): string[] {
    return depth === 0 ? this.#before : (this.#loops[depth - 1]?.lines ?? this.#after);
  }

  /** The text of a node; a coordinate is declared when it is first needed. */
  #textOf(node: Expr): string {
    if (node.kind === 'const') return this.#constant(node.dtype, node.value);
    if (node.kind !== 'coord') return this.#text.get(node) ?? '';
    const coordinate = this.#coordinates[node.axis] as Coordinate;
    this.#declare(coordinate);
    return coordinate.text;
  }

  #declare(coordinate: Coordinate): void {
    if (this.#declared.has(coordinate)) return;
    if (coordinate.after) this.#declare(coordinate.after);
    this.#declared.add(coordinate);
    this.#before.push(...coordinate.lines);
  }

  /** The text of an integer, as an integer to gpu.js. */
  #wholeTextOf(node: Expr): string {
    if (node.kind === 'const') return node.value < 0 ? `(${node.value})` : String(node.value);
    const text = this.#textOf(node);
    if (node.kind === 'coord') return (this.#coordinates[node.axis] as Coordinate).whole;
    return this.#far.has(node) ? text : `k_whole(${text})`;
  }

  /** The text of a number that stands beside others in a choice, where shading languages do not convert integers. */
  #numberOf(node: Expr, lines: string[]): string {
    const text = this.#textOf(node);
    const isWhole = node.kind === 'coord' ? !/^\d+$/.test(text) : this.#whole.has(node);
    if (!isWhole || this.#dialect === 'exact') return text;
    const name = `n${this.#numbers++}`;
    lines.push(`const ${name} = ${text};`);
    return name;
  }

  /** Declares a node in `lines`, unless it is a leaf or a short index, and returns what stands for it. */
  #place(node: Exclude<Expr, { kind: 'coord' }>, lines: string[]): string {
    if (node.kind === 'const') return ''; // where it stands, it may be a position
    if (node.kind === 'acc') {
      const { op, accumulator } = this.#folds.get(accumulatorOf(node.index).index) as Fold;
      return isPosition(op) ? `${accumulator}at` : accumulator;
    }
    if (!this.#mayBeFar(node) && operandsOf(node).some((x) => this.#far.has(x)))
      this.#refuse('a position beyond 2^24 that is a number');
    const text = this.#compute(node, lines);
    if (this.#far.has(node) || (this.#isIndex(node) && text.length <= longText)) {
      this.#whole.add(node);
      return `(${text})`;
    }
    const name = `v${this.#text.size}`;
    lines.push(`const ${name} = ${text};`);
    return name;
  }

  /** Whether an operand may be too great for float32: where it stays an integer, or is rounded as it should be. */
  #mayBeFar(node: Expr): boolean {
    const { kind, dtype } = node;
    return (
      kind === 'load' || kind === 'compare' || (kind === 'cast' && dtype === 'float32') || this.#far.has(node)
    );
  }

  #compute(node: Exclude<Expr, { kind: 'coord' | 'const' | 'acc' }>, lines: string[]): string {
    switch (node.kind) {
      case 'load':
        return this.#load(node, lines);
      case 'unary':
        return this.#known(
          unaryText(node.op, node.dtype, this.#textOf(node.x), this.#dialect),
          node.op,
          node.dtype,
        );
      case 'binary':
        if (this.#far.has(node))
          return `${this.#wholeTextOf(node.x)} ${{ add: '+', sub: '-', mul: '*' }[node.op as 'add']} ${this.#wholeTextOf(node.y)}`;
        return this.#binary(
          node.op,
          node.dtype,
          this.#textOf(node.x),
          this.#textOf(node.y),
          this.#naturals.has(node.x) && this.#naturals.has(node.y),
        );
      case 'compare':
        if (this.#far.has(node.x) || this.#far.has(node.y))
          return compareText(node.op, this.#wholeTextOf(node.x), this.#wholeTextOf(node.y));
        return compareText(node.op, this.#textOf(node.x), this.#textOf(node.y));
      case 'select':
        return selectText(
          this.#textOf(node.cond),
          this.#numberOf(node.x, lines),
          this.#numberOf(node.y, lines),
        );
      case 'cast':
        return this.#known(castText(node.x.dtype, node.dtype, this.#textOf(node.x)), 'cast', node.dtype);
      case 'bitcast':
        return this.#refuse(`bitcast to ${node.dtype}`);
      default:
        return node satisfies never;
    }
  }

  #binary(op: BinaryOp, dtype: DType, x: string, y: string, areNatural = false): string {
    return this.#known(binaryText(op, dtype, x, y, this.#dialect, areNatural), op, dtype);
  }

  /** Sums and products of whole numbers stay integers to gpu.js as long as they have no name. */
  #isIndex(node: Expr): boolean {
    if (node.kind !== 'binary' || node.dtype !== 'int32' || !['add', 'sub', 'mul'].includes(node.op))
      return false;
    return [node.x, node.y].every((x) => {
      if (x.kind === 'coord') return this.#coordinates[x.axis]?.isWhole === true;
      return x.kind === 'const' || this.#whole.has(x);
    });
  }

  /** Where the guard does not hold, element 0 is read and dropped: no mode reads out of range. */
  #load(node: Load, lines: string[]): string {
    const index = this.#indexOf(node);
    if (node.guard && this.#isFar(node)) {
      const at = `i${this.#text.size}`;
      lines.push(`const ${at} = ${this.#textOf(node.guard)} !== 0 ? 1 : 0;`);
      return `${at} !== 0 ? in${node.input}[k_times(${at}, ${index})] : 0`;
    }
    if (!node.guard && this.#dialect === 'device' && !/^\d+$|[a-z]/.test(index)) {
      lines.push(`const i${this.#text.size} = ${index};`); // a sum of literals is no index to shading languages
      return `in${node.input}[i${this.#text.size}]`;
    }
    if (!node.guard) return `in${node.input}[${index}]`;
    const guard = `${this.#textOf(node.guard)} !== 0`;
    if (this.#dialect === 'device') {
      // Shading languages do not convert a choice to an index, and branches cost more than a product.
      const declared = `${this.#textOf(node.guard)} * (${index});`;
      const same = lines.find((line) => line.endsWith(`= ${declared}`)); // several inputs at one place
      const at = same?.split(' ')[1] ?? `i${this.#text.size}`;
      if (!same) lines.push(`const ${at} = ${declared}`);
      return `${guard} ? in${node.input}[${at}] : 0`;
    }
    return `${guard} ? in${node.input}[${guard} ? ${index} : 0] : 0`;
  }

  /** Whether an array has positions that float32 does not hold. */
  #isFar({ input }: Load): boolean {
    return sizeOf(this.#kernel.inputs[input]?.shape ?? []) > maxWhole;
  }

  #indexOf(node: Load): string {
    const { input, index } = node;
    const shape = this.#kernel.inputs[input]?.shape ?? [];
    if (isOwnPoint(index, shape, this.#kernel.axes)) return position;
    const strides = rowMajorStrides(shape);
    const terms = index.flatMap((x, axis) => {
      if (shape[axis] === 1 || (x.kind === 'const' && x.value === 0)) return [];
      const text = this.#isFar(node) ? this.#wholeTextOf(x) : this.#textOf(x);
      return text === '0' ? [] : [strides[axis] === 1 ? text : `${text} * ${strides[axis]}`];
    });
    return terms.join(' + ') || '0';
  }

  #constant(dtype: DType, value: number): string {
    const place = special.findIndex((x) => Object.is(x, value));
    if (place >= 0) return `this.constants.special[${place}]`;
    if (Math.fround(value) !== value) this.#refuse(`the ${dtype} constant ${value}`);
    return value < 0 ? `(${value})` : String(value);
  }

  #start(fold: Fold, empty: boolean): string[] {
    const {
      op,
      value: { dtype },
      accumulator,
    } = fold;
    if (op === 'next') return [`let ${accumulator} = ${fold.start};`];
    const [least, greatest] = empty ? rangeOf[dtype] : rangeOf.float32;
    const start = { add: 0, mul: 1, max: least, argmax: least, min: greatest, argmin: greatest }[op];
    const line = `let ${accumulator} = ${this.#constant(dtype, start)};`;
    return isPosition(op) ? [line, `let ${accumulator}at = 0;`] : [line];
  }

  /** One step of a fold into `a`. */
  #step({ op, value, accumulator }: Fold, a: string): string[] {
    const v = this.#textOf(value);
    if (op === 'next') return [`${a} = ${v};`]; // a name, which no other accumulator changes
    if (op === 'max' || op === 'min')
      return this.#dialect === 'device' && value.dtype === 'float32'
        ? [`${a} = k_${op}(${a}, ${v});`]
        : [`${a} = Math.${op}(${a}, ${v});`];
    if (op === 'add' || op === 'mul') return [`${a} = ${this.#binary(op, value.dtype, a, v)};`];
    const strides = rowMajorStrides(this.#kernel.reduceAxes);
    const terms = this.#loops.flatMap(({ coordinate: { text } }, axis) =>
      text === '0' ? [] : [`${text} * ${strides[axis]}`],
    );
    return [
      `const ${a}nan = ${a} === ${a} ? 0 : 1;`,
      `const ${a}new = ${v} === ${v} ? 0 : 1;`,
      `if (${v} ${op === 'argmax' ? '>' : '<'} ${a} || ${a}new > ${a}nan) {`,
      `  ${a} = ${v};`,
      `  ${accumulator}at = ${terms.join(' + ') || '0'};`,
      '}',
    ];
  }

  #known(text: string | undefined, word: string, dtype: DType): string {
    return text ?? this.#refuse(`${word} of ${dtype}`);
  }

  #refuse(what: string): never {
    throw inexactError(this.#kernel.name, what);
  }
}

const isPosition = (op: Fold['op']): boolean => op === 'argmax' || op === 'argmin';

/** Whether an index into an array of the shape of the axes is the point's own. */
function isOwnPoint(index: readonly Expr[], shape: Shape, axes: Shape): boolean {
  return (
    shape.length === axes.length &&
    shape.every((extent, axis) => {
      const x = index[axis];
      return extent === axes[axis] && (extent === 1 || (x?.kind === 'coord' && x.axis === axis));
    })
  );
}

function checkSizes({ name, inputs, axes, reduceAxes, reductions }: Nest): void {
  const check = (what: string, size: number, most: number): void => {
    if (size > most)
      throw new BackendError(
        `gpu: kernel ${name} has ${what} of ${size} elements, and this backend takes ${most} only; ` +
          `use smaller tensors or another backend.`,
      );
  };
  for (const aval of inputs) check(`an input ${showAval(aval)}`, sizeOf(aval.shape), maxElements);
  check(`a result [${axes.join(',')}]`, sizeOf(axes), maxElements);
  for (const extent of reduceAxes) check('a reduced axis', extent, maxElements);
  if (reductions.some(({ op }) => isPosition(op))) check('positions', sizeOf(reduceAxes), maxWhole);
}
