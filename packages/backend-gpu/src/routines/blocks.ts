/** The text of a contraction's programs that both shading languages share. */
import type { Load } from '@neumann/core/backend';
import {
  type Axes,
  blockRows,
  type Contraction,
  coordinateLines,
  isInFours,
  isRowMajor,
  type Language,
  quotient,
  readLines,
} from './contraction.ts';

/**
 * An operand as fours of elements, in the order in which blocks read them. For the left one, four are neighbours along the
 * terms, `[b, i, k / 4]`, or along the rows, `[b, k, i / 4]`, whichever it has side by side; for the right one
 * `[b, k, j / 4]`.
 */
export interface Operand {
  readonly load: Load;
  readonly isAlongTerms: boolean;
  readonly fours: number;
  /** Functions, and the value of four number `n`, where they are a copy and not the operand itself. */
  readonly copy:
    | {
        readonly functions: string;
        readonly lines: readonly string[];
        readonly value: string;
        /** Whether it reads fours of the operand, not elements. */
        readonly isFour: boolean;
      }
    | undefined;
}

/** @param hasFours whether four elements of an input, side by side, are read at once. */
export function operandsOf(
  c: Contraction,
  language: Language,
  hasFours: (load: Load) => boolean,
): { readonly left: Operand; readonly right: Operand } {
  const { batch, rows, columns, terms, left, right } = c;
  const isDirect = (load: Load, order: readonly Axes[]): boolean =>
    (order[2] as Axes).size % 4 === 0 && hasFours(load) && isRowMajor(load, c, order);
  const isSideBySide = (load: Load, group: Axes): boolean => hasFours(load) && isInFours(load, c, group);
  const isAlongTerms =
    isDirect(left, [batch, rows, terms]) ||
    (!isDirect(left, [batch, terms, rows]) && (isSideBySide(left, terms) || !isSideBySide(left, rows)));
  const depth = depthOf(c, isAlongTerms);

  const operand = (load: Load, group: Axes, alongTerms: boolean): Operand => {
    const [across, along] = alongTerms ? [group, terms] : [terms, group];
    const quads = Math.ceil((alongTerms ? depth : group.size) / 4);
    const runs = alongTerms ? group.size : depth;
    const fours = batch.size * runs * quads;
    const isWhole = depth === terms.size && isDirect(load, [batch, across, along]);
    if (isWhole) return { load, isAlongTerms: alongTerms, fours, copy: undefined };
    const isFour = isSideBySide(load, along);
    const { lines, value } = readLines(load, c, language, isFour);
    const functions = [
      language.head(isFour ? 'vec4' : 'float', 'at', ['b', 'along', 'k']),
      `  if (along >= ${group.size} || k >= ${terms.size}) { return ${isFour ? `${language.vec4}(0.0)` : '0.0'}; }`,
      ...[
        ...coordinateLines(batch, 'b', language),
        ...coordinateLines(group, 'along', language),
        ...coordinateLines(terms, 'k', language),
        ...lines,
      ].map((line) => `  ${line}`),
      `  return ${value};`,
      '}',
    ].join('\n');
    const places = [0, 1, 2, 3].map((t) =>
      alongTerms ? `at(b, run, first + ${t})` : `at(b, first + ${t}, run)`,
    );
    const copy = {
      isFour,
      functions,
      lines: [
        ...mixedLines([runs, quads], ['b', 'run', 'four'], fours, language),
        language.declare('int', 'first', '4 * four'),
      ],
      value: isFour ? (places[0] as string) : `${language.vec4}(${places.join(', ')})`,
    };
    return { load, isAlongTerms: alongTerms, fours, copy };
  };
  return { left: operand(left, rows, isAlongTerms), right: operand(right, columns, false) };
}

/** How many terms the operands have, copies with zeros after the last. */
const depthOf = ({ terms }: Contraction, isAlongTerms: boolean): number =>
  isAlongTerms ? 4 * Math.ceil(terms.size / 4) : terms.size;

const each = <T>(f: (r: number) => T): T[] => Array.from({ length: blockRows }, (_, r) => f(r));

/**
 * The lines that make `s0` to `s7`, the rows of a block, from functions `left` and `right` that read fours, the right one also
 * given `quad`. Declared are
 * `b`, `part`, and the number of the block as `band` and `quad`.
 */
export function blockLines(c: Contraction, left: Operand, language: Language): string[] {
  const { rows, columns, steps } = c;
  const depth = depthOf(c, left.isAlongTerms);
  const quads = Math.ceil(columns.size / 4);
  const { declare, sum, loop } = language;
  const start = [...each((r) => sum(`s${r}`)), declare('int', 'p', `b * ${depth * quads} + quad`)];
  const [from, to] = ['part', '(part + 1)'].map((part) => `${part} * ${steps}`) as [string, string];
  const end = (all: string, limit: number): string => language.choose(`${all} < ${limit}`, all, `${limit}`);
  if (left.isAlongTerms) {
    const allSteps = depth / 4;
    return [
      ...start,
      ...each((r) => {
        const row = `band * ${blockRows} + ${r}`;
        const last = rows.size - 1;
        const inside =
          rows.size % blockRows === 0 ? `(${row})` : language.choose(`${row} < ${last}`, row, `${last}`);
        return declare('int', `p${r}`, `(b * ${rows.size} + ${inside}) * ${allSteps}`);
      }),
      loop('step', from, end(to, allSteps)),
      ...[0, 1, 2, 3].map(
        (t) => `  ${declare('vec4', `y${t}`, `right(p + (4 * step + ${t}) * ${quads}, quad)`)}`,
      ),
      ...each((r) => [
        `  ${declare('vec4', `x${r}`, `left(p${r} + step)`)}`,
        `  s${r} += x${r}.x * y0; s${r} += x${r}.y * y1; s${r} += x${r}.z * y2; s${r} += x${r}.w * y3;`,
      ]).flat(),
      '}',
    ];
  }
  const bands = Math.ceil(rows.size / 4); // of four rows; what lies beyond the last is dropped
  return [
    ...start,
    declare('int', 'p0', `b * ${depth * bands} + 2 * band`),
    loop('k', `4 * ${from}`, end(`4 * ${to}`, depth)),
    `  ${declare('vec4', 'y', `right(p + k * ${quads}, quad)`)}`,
    `  ${declare('vec4', 'x0', `left(p0 + k * ${bands})`)}`,
    `  ${declare('vec4', 'x1', `left(p0 + k * ${bands} + 1)`)}`,
    ...each((r) => `  s${r} += x${Math.floor(r / 4)}.${'xyzw'[r % 4]} * y;`),
    '}',
  ];
}

/** The lines that say which block, and which part of its sums, number `n` is. */
export function numberLines(c: Contraction, language: Language): string[] {
  const { batch, rows, columns } = c;
  const [quads, bands] = [Math.ceil(columns.size / 4), Math.ceil(rows.size / blockRows)];
  return mixedLines([batch.size, bands, quads], ['part', 'b', 'band', 'quad'], blocksOf(c), language);
}

/** The lines that take `n`, which is less than `below`, apart: all digits but the first have a base. */
function mixedLines(
  bases: readonly number[],
  names: readonly string[],
  below: number,
  language: Language,
): string[] {
  const lines: string[] = [];
  let rest = 'n';
  for (const [i, name] of names.toReversed().slice(0, -1).entries()) {
    const base = bases.at(-1 - i) as number;
    lines.push(language.declare('int', `over${i}`, quotient(rest, base, below, language)));
    lines.push(language.declare('int', name, `${rest} - over${i} * ${base}`));
    rest = `over${i}`;
  }
  return [...lines, language.declare('int', names[0] as string, rest)];
}

/** The number of the block with element `b`, `i`, `j` of the first part; that of the next part comes after all of these. */
export const blockNumber = ({ rows, columns }: Contraction): string =>
  `(b * ${Math.ceil(rows.size / blockRows)} + (i >> ${Math.log2(blockRows)}u)) * ${Math.ceil(columns.size / 4)} + (j >> 2u)`;

/** How many blocks there are, of all parts. */
export const blocksOf = ({ batch, rows, columns, parts }: Contraction): number =>
  parts * batch.size * Math.ceil(rows.size / blockRows) * Math.ceil(columns.size / 4);
