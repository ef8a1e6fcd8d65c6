/** What a model consists of, as a table. */
import {
  type Aval,
  evalShape,
  makeProgram,
  OptionError,
  ShapeDtype,
  showAval,
  type Tensor,
  treeLeaves,
} from '@neumann/core';
import { dtypeInfo, flopsOf, type Kernel } from '@neumann/core/backend';
import type { AvalsOf, Layer, Observed } from './layer.ts';

/** A layer within a model. */
export interface SummaryRow {
  /** `block1.conv` */
  readonly path: string;
  /** `f32[8,14,14,16]` */
  readonly output: string;
  /** Numbers in its parameters. */
  readonly parameters: number;
  /** Floating-point operations of one call: a multiplication and an addition are two. */
  readonly flops: number;
  /** Bytes of its output. */
  readonly bytes: number;
}

/** A model's layers, and sums over them. */
export interface Summary {
  readonly rows: readonly SummaryRow[];
  readonly parameters: number;
  readonly flops: number;
  /** Of the outputs of all layers: about what the backward pass keeps. */
  readonly activationBytes: number;
  /** The table as text. */
  toString(): string;
}

/**
 * The layers of a model with names, their output shapes, parameters, operations and activations, for an input of a given
 * shape. Nothing is computed: shapes are enough.
 *
 * @param x The shape of an input, with its batch.
 * @throws What `init` and `apply` of the model throw.
 * @example
 * const model = serial({ hidden: dense({ features: 32 }), relu, logits: dense({ features: 10 }) });
 * summary(model, new ShapeDtype([1, 784])).parameters   // 25450
 */
export function summary<P, S, X, Y>(model: Layer<P, S, X, Y>, x: AvalsOf<X>): Summary {
  if (typeof model !== 'object' || model === null || !('init' in model))
    throw new OptionError('summary: takes a layer, such as serial() makes.');
  const input = shapesOf(x);
  const seen: Observed[] = [];
  const whole = (key: Tensor, t: unknown): unknown => {
    const { params, state } = model.init(key, x);
    seen.length = 0; // what init has tried
    const observe = (layer: Observed) => seen.push(layer);
    const [y] = model.apply(params, state, t as X, { training: false, observe });
    seen.push({ path: [], layer: model as Layer, params, state, x: t as Tensor, y: y as Tensor });
    return y;
  };
  evalShape(whole as (key: object, t: object) => object, new ShapeDtype([2], 'uint32'), input);
  const rows = rowsOf(seen);
  const total = (of: (row: SummaryRow) => number): number => rows.reduce((sum, row) => sum + of(row), 0);
  const parts = {
    rows,
    parameters: total((row) => row.parameters),
    flops: total((row) => row.flops),
    activationBytes: total((row) => row.bytes),
  };
  return { ...parts, toString: () => table(parts) };
}

function shapesOf(x: unknown): object {
  const { shape, dtype } = x as Partial<Aval>;
  if (shape && dtype) return new ShapeDtype(shape, dtype);
  return Object.fromEntries(Object.entries(x as object).map(([name, value]) => [name, shapesOf(value)]));
}

const isWithin = (path: readonly string[], around: readonly string[]): boolean =>
  path.length > around.length && around.every((name, i) => path[i] === name);

/** A row for each layer that has no layers within, and for what those that have some do besides. */
function rowsOf(seen: readonly Observed[]): SummaryRow[] {
  const whole = seen.map(rowOf);
  return whole.flatMap((row, i) => {
    const { path } = seen[i] as Observed;
    const within = seen.flatMap((other, j) => (isWithin(other.path, path) ? [j] : []));
    const children = within.filter((j) => !within.some((k) => isWithin(pathAt(seen, j), pathAt(seen, k))));
    const rest = (of: (r: SummaryRow) => number): number =>
      children.reduce((left, j) => left - of(whole[j] as SummaryRow), of(row));
    const own = { ...row, parameters: rest((r) => r.parameters), flops: rest((r) => r.flops) };
    return children.length === 0 || own.flops > 0 || own.parameters > 0 ? [own] : [];
  });
}

const pathAt = (seen: readonly Observed[], i: number): readonly string[] => (seen[i] as Observed).path;

function rowOf({ path, layer, params, state, x, y }: Observed): SummaryRow {
  const run = (p: unknown, s: unknown, t: Tensor) => layer.apply(p, s, t)[0];
  const outputs = treeLeaves(y) as Tensor[];
  return {
    path: path.length === 0 ? '(all)' : path.join('.'),
    output: outputs.map((t) => showAval(t.aval)).join(' '),
    parameters: (treeLeaves(params) as Tensor[]).reduce((sum, p) => sum + p.size, 0),
    flops: programFlops(
      makeProgram(run as (...args: object[]) => unknown, params as object, state as object, shapesOf(x)),
    ),
    bytes: outputs.reduce((sum, t) => sum + t.size * dtypeInfo(t.dtype).bytes, 0),
  };
}

interface Listed {
  readonly equations: ReturnType<typeof makeProgram>['equations'];
}

/** Of the kernels that a program is made of, before they are fused, and of the programs within it. */
function programFlops({ equations }: Listed): number {
  return equations.reduce((sum, { primitive, inputs, params }) => {
    const avals = inputs.map((a) => a.aval);
    const kernel: Kernel | undefined = primitive.lower?.(avals, params);
    const passes = typeof params['length'] === 'number' ? params['length'] : 1;
    const within = Object.values(params)
      .filter(isProgram)
      .reduce((inner, program) => inner + programFlops(program), 0);
    return sum + (kernel ? flopsOf(kernel) : 0) + passes * within;
  }, 0);
}

const isProgram = (x: unknown): x is Listed => typeof x === 'object' && x !== null && 'equations' in x;

function table({ rows, parameters, flops, activationBytes }: Omit<Summary, 'toString'>): string {
  const lines = [
    ['layer', 'output', 'parameters', 'flops', 'activation'],
    ...rows.map((r) => [r.path, r.output, count(r.parameters), count(r.flops), showBytes(r.bytes)]),
    ['total', '', count(parameters), count(flops), showBytes(activationBytes)],
  ];
  const widths = lines[0]?.map((_, c) => Math.max(...lines.map((line) => line[c]?.length ?? 0))) ?? [];
  const show = (line: readonly string[]) =>
    line.map((cell, c) => (c < 2 ? cell.padEnd(widths[c] ?? 0) : cell.padStart(widths[c] ?? 0))).join('  ');
  const rule = '─'.repeat(widths.reduce((sum, w) => sum + w + 2, -2));
  return [show(lines[0] ?? []), rule, ...lines.slice(1, -1).map(show), rule, show(lines.at(-1) ?? [])].join(
    '\n',
  );
}

/** With commas between thousands, whatever the machine's language. */
const count = (n: number): string => n.toLocaleString('en-US');

const showBytes = (bytes: number): string =>
  bytes < 1e4
    ? `${bytes} B`
    : bytes < 1e7
      ? `${Math.round(bytes / 1e3)} kB`
      : `${Math.round(bytes / 1e6)} MB`;
