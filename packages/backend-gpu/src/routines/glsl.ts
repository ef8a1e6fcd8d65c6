/** A contraction as programs for WebGL 2, which compute one texture after the other. */
import { sizeOf } from '@neumann/core/backend';
import { elementFunction, type Layout, layoutOf, layoutOfTexels, texelAt } from '../layout.ts';
import {
  type Axes,
  blockRows,
  type Contraction,
  coordinateLines,
  isRowMajor,
  type Language,
  placeLines,
  readLines,
} from './contraction.ts';

/** A pass over all texels of a texture. */
export interface Pass {
  readonly source: string;
  readonly layout: Layout;
}

export interface Passes {
  /** Copies of operands, where these do not lie as they are read. */
  readonly left: Pass | undefined;
  readonly right: Pass | undefined;
  /** Writes `blockRows` layers. */
  readonly blocks: Pass;
  readonly result: Pass;
}

const glsl: Language = {
  declare: (type, name, value) => `${type} ${name} = ${value};`,
  choose: (condition, x, y) => `(${condition} ? ${x} : ${y})`,
  element: (_, index) => `element(${index})`,
};

const main = (...lines: string[]): string =>
  `void main() {\n${lines.map((line) => `  ${line}\n`).join('')}}\n`;

/** Declares `name`, the number of the texel that is computed. */
const texelNumber = ({ width }: Layout, name: string): string =>
  `int ${name} = int(gl_FragCoord.y) * ${width} + int(gl_FragCoord.x);`;

/** Sources and textures, or `undefined` where one of these is larger than the device takes. */
export function passesOf(c: Contraction, maxSide: number): Passes | undefined {
  const { batch, rows, columns, terms, steps, parts, left, right, kernel } = c;
  const quads = Math.ceil(columns.size / 4);
  const bands = Math.ceil(rows.size / blockRows);
  const allSteps = Math.ceil(terms.size / 4);
  const sizeOfInput = ({ input }: typeof left): number => sizeOf(kernel.inputs[input]?.shape ?? []);

  /** A function that reads an operand at b, `along` (i or j) and term k, 0 beyond the last. */
  const reader = (group: Axes, load: typeof left): string => {
    const { lines, value } = readLines(load, c, glsl);
    const coordinates = [batch, group, terms].flatMap((axes, i) =>
      coordinateLines(axes, ['b', 'along', 'k'][i] as string, glsl),
    );
    return [
      'uniform sampler2D t0;',
      elementFunction('element', 't0', layoutOf(sizeOfInput(load))),
      'float at(int b, int along, int k) {',
      `  if (along >= ${group.size} || k >= ${terms.size}) return 0.0;`,
      ...[...coordinates, ...lines].map((line) => `  ${line}`),
      `  return ${value};`,
      '}',
      'out vec4 o;\n',
    ].join('\n');
  };
  /** The pass that copies an operand, unless it lies as it is read, and where its fours are then. */
  const pack = (isLeft: boolean): { pass: Pass | undefined; layout: Layout } => {
    const [load, group] = isLeft ? [left, rows] : [right, columns];
    const order = isLeft ? [batch, rows, terms] : [batch, terms, columns];
    const own = layoutOf(sizeOfInput(load));
    const isWhole = terms.size % 4 === 0 && (order[2] as Axes).size % 4 === 0;
    if (isWhole && own.lanes === 4 && isRowMajor(load, c, order)) return { pass: undefined, layout: own };
    const layout = layoutOfTexels(4 * batch.size * allSteps * (isLeft ? rows.size : 4 * quads), 4);
    const lines = isLeft
      ? [
          `int k = 4 * (n % ${allSteps});`,
          `int i = (n / ${allSteps}) % ${rows.size};`,
          `int b = n / ${allSteps * rows.size};`,
          'o = vec4(at(b, i, k), at(b, i, k + 1), at(b, i, k + 2), at(b, i, k + 3));',
        ]
      : [
          `int j = 4 * (n % ${quads});`,
          `int k = (n / ${quads}) % ${4 * allSteps};`,
          `int b = n / ${4 * allSteps * quads};`,
          'o = vec4(at(b, j, k), at(b, j + 1, k), at(b, j + 2, k), at(b, j + 3, k));',
        ];
    const source = reader(group, load) + main(texelNumber(layout, 'n'), ...lines);
    return { pass: { source, layout }, layout };
  };
  const [x, y] = [pack(true), pack(false)];
  const tiles = layoutOfTexels(4 * batch.size * parts * bands * quads, 4);
  if ([x.layout, y.layout, tiles].some(({ width, height }) => Math.max(width, height) > maxSide))
    return undefined;

  const each = <T>(f: (r: number) => T): T[] => Array.from({ length: blockRows }, (_, r) => f(r));
  const blocks = [
    'uniform sampler2D t0;\nuniform sampler2D t1;',
    `vec4 left(int n) { return texelFetch(t0, ${texelAt(x.layout, 'n')}, 0); }`,
    `vec4 right(int n) { return texelFetch(t1, ${texelAt(y.layout, 'n')}, 0); }`,
    ...each((r) => `layout(location = ${r}) out vec4 o${r};`),
    main(
      texelNumber(tiles, 'n'),
      `int quad = n % ${quads};`,
      `int band = (n / ${quads}) % ${bands};`,
      `int part = (n / ${quads * bands}) % ${parts};`,
      `int b = n / ${quads * bands * parts};`,
      ...each(
        (r) =>
          `int p${r} = (b * ${rows.size} + min(band * ${blockRows} + ${r}, ${rows.size - 1})) * ${allSteps};`,
      ),
      `int p = b * ${4 * allSteps * quads} + quad;`,
      ...each((r) => `vec4 s${r} = vec4(0.0);`),
      `int end = min((part + 1) * ${steps}, ${allSteps});`,
      `for (int step = part * ${steps}; step < end; step++) {`,
      ...[0, 1, 2, 3].map((t) => `  vec4 y${t} = right(p + (4 * step + ${t}) * ${quads});`),
      ...each((r) => [
        `  vec4 x${r} = left(p${r} + step);`,
        `  s${r} += x${r}.x * y0; s${r} += x${r}.y * y1; s${r} += x${r}.z * y2; s${r} += x${r}.w * y3;`,
      ]).flat(),
      '}',
      ...each((r) => `o${r} = s${r};`),
    ),
  ].join('\n');

  const result = layoutOf(sizeOf(kernel.axes));
  /** Whether four neighbours in the result are one in a block. */
  const last = kernel.axes.length - 1;
  const isAligned = columns.axes.at(-1) === last && (kernel.axes[last] as number) % 4 === 0;
  const sum = [
    'uniform sampler2DArray t0;',
    'vec4 four(int position) {',
    ...placeLines(c, glsl).map((line) => `  ${line}`),
    `  int tile = (b * ${parts * bands} + i / ${blockRows}) * ${quads} + j / 4;`,
    '  vec4 sum = vec4(0.0);',
    `  for (int part = 0; part < ${parts}; part++) {`,
    `    int n = tile + part * ${bands * quads};`,
    `    sum += texelFetch(t0, ivec3(${texelAt(tiles, 'n')}, i % ${blockRows}), 0);`,
    '  }',
    '  return TURN;',
    '}',
  ].join('\n');
  const write = (lanes: 1 | 4): string => {
    const each4 = ['0', '1', '2', '3'].map((lane) => `one(position + ${lane})`).join(', ');
    const one = sum.replace('vec4 four', 'float one').replace('TURN', 'sum[j % 4]');
    if (lanes === 1)
      return `${one}\nout float o;\n${main(texelNumber(result, 'position'), 'o = one(position);')}`;
    const [functions, value] = isAligned
      ? [sum.replace('TURN', 'sum'), 'four(position)']
      : [one, `vec4(${each4})`];
    return `${functions}\nout vec4 o;\n${main(texelNumber(result, 'n'), 'int position = 4 * n;', `o = ${value};`)}`;
  };
  return {
    left: x.pass,
    right: y.pass,
    blocks: { source: blocks, layout: tiles },
    result: { source: write(result.lanes), layout: result },
  };
}
