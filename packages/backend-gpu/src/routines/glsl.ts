/** A contraction as programs for WebGL 2, which compute one texture after the other. */
import { type Load, sizeOf } from '@neumann/core/backend';
import { elementFunction, type Layout, layoutOf, layoutOfTexels, texelAt } from '../layout.ts';
import { blockLines, blockNumber, blocksOf, numberLines, type Operand, operandsOf } from './blocks.ts';
import { blockRows, type Contraction, type Language, placeLines } from './contraction.ts';

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
  sum: (name) => `vec4 ${name} = vec4(0.0);`,
  loop: (name, from, to) => `for (int ${name} = ${from}, end = ${to}; ${name} < end; ${name}++) {`,
  choose: (condition, x, y) => `(${condition} ? ${x} : ${y})`,
  vec4: 'vec4',
  head: (result, name, parameters) => `${result} ${name}(${parameters.map((p) => `int ${p}`).join(', ')}) {`,
  toFloat: (integer) => `float(${integer})`,
  toInteger: (float) => `int(${float})`,
  element: (index) => `element(${index})`,
  four: (index) => `four((${index}) >> 2)`,
};

const main = (...lines: string[]): string =>
  `void main() {\n${lines.map((line) => `  ${line}\n`).join('')}}\n`;

/** Declares `name`, the number of the texel that is computed. */
const texelNumber = ({ width }: Layout, name: string): string =>
  `int ${name} = int(gl_FragCoord.y) * ${width} + int(gl_FragCoord.x);`;

/** A function that reads four elements, given their number. */
const fourFunction = (name: string, sampler: string, layout: Layout): string =>
  `vec4 ${name}(int n) { return texelFetch(${sampler}, ${texelAt(layout, 'n')}, 0); }`;

/** Sources and textures, or `undefined` where one of these is larger than the device takes. */
export function passesOf(c: Contraction, maxSide: number): Passes | undefined {
  const { columns, parts, kernel } = c;
  const layoutOfInput = ({ input }: Load): Layout => layoutOf(sizeOf(kernel.inputs[input]?.shape ?? []));
  const { left, right } = operandsOf(c, glsl, (load) => layoutOfInput(load).lanes === 4);
  const layoutOfOperand = ({ load, fours, copy }: Operand): Layout =>
    copy ? layoutOfTexels(4 * fours, 4) : layoutOfInput(load);
  const [x, y, tiles] = [layoutOfOperand(left), layoutOfOperand(right), layoutOfTexels(4 * blocksOf(c), 4)];
  if ([x, y, tiles].some(({ width, height }) => Math.max(width, height) > maxSide)) return undefined;

  const pack = ({ load, copy }: Operand, layout: Layout): Pass | undefined => {
    if (!copy) return undefined;
    const input = layoutOfInput(load);
    const source = [
      'uniform sampler2D t0;',
      elementFunction('element', 't0', input),
      fourFunction('four', 't0', input),
      copy.functions,
      'out vec4 o;',
      main(texelNumber(layout, 'n'), ...copy.lines, `o = ${copy.value};`),
    ].join('\n');
    return { source, layout };
  };

  const each = <T>(f: (r: number) => T): T[] => Array.from({ length: blockRows }, (_, r) => f(r));
  const blocks = [
    'uniform sampler2D t0;\nuniform sampler2D t1;',
    fourFunction('left', 't0', x),
    fourFunction('columns', 't1', y),
    'vec4 right(int n, int quad) { return columns(n); }',
    ...each((r) => `layout(location = ${r}) out vec4 o${r};`),
    main(
      texelNumber(tiles, 'n'),
      ...numberLines(c, glsl),
      ...blockLines(c, left, glsl),
      ...each((r) => `o${r} = s${r};`),
    ),
  ].join('\n');

  const result = layoutOf(sizeOf(kernel.axes));
  const last = kernel.axes.length - 1;
  /** Whether four neighbours in the result are one in a block. */
  const isFour =
    result.lanes === 4 && columns.axes.at(-1) === last && (kernel.axes[last] as number) % 4 === 0;
  const places = result.lanes === 1 ? ['at(n)'] : [0, 1, 2, 3].map((lane) => `at(4 * n + ${lane})`);
  const write = [
    'uniform sampler2DArray t0;',
    `${isFour ? 'vec4' : 'float'} at(int position) {`,
    ...placeLines(c, glsl).map((line) => `  ${line}`),
    '  vec4 sum = vec4(0.0);',
    `  for (int n = ${blockNumber(c)}; n < ${blocksOf(c)}; n += ${blocksOf(c) / parts})`,
    `    sum += texelFetch(t0, ivec3(${texelAt(tiles, 'n')}, i & ${blockRows - 1}), 0);`,
    `  return ${isFour ? 'sum' : 'sum[j & 3]'};`,
    '}',
    `out ${result.lanes === 4 ? 'vec4' : 'float'} o;`,
    main(
      texelNumber(result, 'n'),
      `o = ${isFour || result.lanes === 1 ? places[0] : `vec4(${places.join(', ')})`};`,
    ),
  ].join('\n');
  return {
    left: pack(left, x),
    right: pack(right, y),
    blocks: { source: blocks, layout: tiles },
    result: { source: write, layout: result },
  };
}
