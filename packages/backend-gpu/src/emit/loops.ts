import { maxWhole } from '../limits.ts';
import type { Coordinate } from './coordinates.ts';

/** An axis up to twice as long is one loop; a longer one is folded in blocks, so that rounding errors grow with their sizes. */
const block = 256;

/** What a fold does in one loop. */
interface Level {
  /** `for (…)`; none for an axis with one point. */
  readonly head: string | undefined;
  /** What must hold for the rest of the body to run. */
  readonly condition: string | undefined;
  /** What is computed before the loops inside this one. */
  readonly lines: string[];
}

/** The loop over one reduce axis, or the two or three of a long one. */
export class Loop {
  readonly coordinate: Coordinate;
  /** Outermost first. */
  readonly levels: readonly Level[];
  /** What is computed at each point of the axis. */
  readonly lines: string[] = [];

  constructor(extent: number, axis: number) {
    const counts = countsOf(extent);
    const names = ['o', 'b', 'r'].slice(-counts.length).map((letter) => `${letter}${axis}`);
    const joined = (parts: readonly string[]): string =>
      parts.reduce((outer, part, i) => `(${outer} * ${counts[i]} + ${part})`);
    const whole = joined(names.map((name) => `k_whole(${name})`));
    const text = extent > maxWhole ? whole : joined(names);
    const padded = counts.reduce((product, count) => product * count, 1);
    this.coordinate =
      extent === 1
        ? { text: '0', whole: '0', lines: [], isWhole: true }
        : { text, whole, lines: [], isWhole: true };
    this.levels = counts.map((count, i) => {
      const [name, isInnermost] = [names[i] as string, i === counts.length - 1];
      return {
        head: extent === 1 ? undefined : `for (let ${name} = 0; ${name} < ${count}; ${name}++)`,
        condition: isInnermost && padded > extent ? `${text} < ${extent}` : undefined,
        lines: isInnermost ? this.lines : [],
      };
    });
  }
}

/** The lengths of the loops over an axis, outermost first. */
function countsOf(extent: number): number[] {
  if (extent <= 2 * block) return [extent];
  if (extent <= 2 * block ** 2) return [Math.ceil(extent / block), block];
  const size = Math.ceil(Math.cbrt(extent));
  return [Math.ceil(extent / size ** 2), size, size];
}

/**
 * The loops inside one another around the steps of all folds. Every loop but the innermost adds up the sums of the
 * next one, instead of all of them adding to one number.
 *
 * @param sums accumulators, declared and started outside.
 * @param step the lines of the innermost body, given the name that the accumulator of a sum has there.
 */
export function nest(
  loops: readonly Loop[],
  sums: readonly string[],
  step: (nameOf: (accumulator: string) => string) => string[],
): string[] {
  const levels = loops.flatMap((loop) => loop.levels);
  const last = levels.findLastIndex(({ head }) => head !== undefined);
  const build = (depth: number, nameOf: (accumulator: string) => string): string[] => {
    const level = levels[depth];
    if (!level) return step(nameOf);
    const { head, condition, lines } = level;
    if (head === undefined) return [...lines, ...build(depth + 1, nameOf)];
    const innermost = depth === last;
    const inner = innermost ? nameOf : (accumulator: string): string => `${accumulator}_${depth}`;
    const body = [
      ...lines,
      ...(innermost ? [] : sums.map((a) => `let ${inner(a)} = 0;`)),
      ...build(depth + 1, inner),
      ...(innermost ? [] : sums.map((a) => `${nameOf(a)} = ${nameOf(a)} + ${inner(a)};`)),
    ];
    return braces(head, condition ? braces(`if (${condition})`, body) : body);
  };
  return build(0, (accumulator) => accumulator);
}

const braces = (head: string, body: readonly string[]): string[] => [
  `${head} {`,
  ...body.map((line) => `  ${line}`),
  '}',
];
