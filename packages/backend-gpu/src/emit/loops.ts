import type { Coordinate } from './coordinates.ts';

/** A longer axis is folded in blocks of so many, so that rounding errors of a sum grow with the blocks and their number. */
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

/** The loop over one reduce axis, or the two of a long one. */
export class Loop {
  readonly coordinate: Coordinate;
  /** Outermost first. */
  readonly levels: readonly Level[];
  /** What is computed at each point of the axis. */
  readonly lines: string[] = [];

  constructor(extent: number, axis: number) {
    const [r, b] = [`r${axis}`, `b${axis}`];
    const head = (name: string, count: number): string =>
      `for (let ${name} = 0; ${name} < ${count}; ${name}++)`;
    const level = (head?: string, condition?: string): Level => ({ head, condition, lines: this.lines });
    if (extent === 1) {
      this.coordinate = { text: '0', lines: [] };
      this.levels = [level()];
    } else if (extent <= 2 * block) {
      this.coordinate = { text: r, lines: [] };
      this.levels = [level(head(r, extent))];
    } else {
      const text = `(${b} * ${block} + ${r})`;
      this.coordinate = { text, lines: [] };
      const outer = { ...level(head(b, Math.ceil(extent / block))), lines: [] };
      this.levels = [outer, level(head(r, block), extent % block === 0 ? undefined : `${text} < ${extent}`)];
    }
  }
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
