/** A contraction as four programs for WebGL 2, which compute one texture after the other. */
import {
  type Axes,
  blockRows,
  type Contraction,
  coordinateLines,
  type Language,
  placeLines,
  readLines,
} from './contraction.ts';

/** A pass over all texels of a texture. */
export interface Pass {
  readonly source: string;
  readonly width: number;
  readonly height: number;
}

export interface Passes {
  readonly left: Pass;
  readonly right: Pass;
  /** Writes `blockRows` layers. */
  readonly blocks: Pass;
  readonly result: Pass;
}

const glsl: Language = {
  declare: (type, name, value) => `${type} ${name} = ${value};`,
  choose: (condition, x, y) => `(${condition} ? ${x} : ${y})`,
  element: (input, index) => `element${input}(${index})`,
};

const head =
  '#version 300 es\nprecision highp float;\nprecision highp int;\nprecision highp sampler2D;\nprecision highp sampler2DArray;\n';

/** Where runs of `length` texels lie: about a square, because devices draw squares of pixels at a time. */
function layout(runs: number, length: number, maxWidth: number) {
  const beside = Math.max(1, Math.min(Math.floor(maxWidth / length), Math.ceil(Math.sqrt(runs / length))));
  return {
    width: beside * length,
    height: Math.ceil(runs / beside),
    /** The first texel of a run. */
    start: (run: string) => `ivec2((${run} % ${beside}) * ${length}, ${run} / ${beside})`,
    /** Declares `run` and `at`, the place in it. */
    place: `ivec2 texel = ivec2(gl_FragCoord.xy);\nint run = texel.y * ${beside} + texel.x / ${length};\nint at = texel.x % ${length};`,
  };
}

/** Sources and sizes; a result is a texture of `width` texels in a row. */
export function passesOf(
  c: Contraction,
  maxSize: number,
  result: { readonly width: number; readonly height: number },
): Passes | undefined {
  const { batch, rows, columns, terms, steps, parts, left, right } = c;
  const quads = Math.ceil(columns.size / 4);
  const bands = Math.ceil(rows.size / blockRows);
  const leftRuns = layout(batch.size * parts * rows.size, steps, maxSize);
  const rightRuns = layout(batch.size * parts * quads, 4 * steps, maxSize);
  const tiles = layout(batch.size * parts * bands * quads, 1, maxSize);
  if ([leftRuns, rightRuns, tiles].some(({ width, height }) => width > maxSize || height > maxSize))
    return undefined;

  /** A function that reads an operand at b, `along` (i or j) and term k, 0 beyond the last. */
  const reader = (name: string, group: Axes, load: typeof left): string => {
    const { lines, value } = readLines(load, c, glsl);
    const input = load.input;
    return [
      `uniform sampler2D in0;`,
      `float element${input}(int at) { int w = textureSize(in0, 0).x; return texelFetch(in0, ivec2(at % w, at / w), 0).x; }`,
      `float ${name}(int b, int along, int k) {`,
      `  if (along >= ${group.size} || k >= ${terms.size}) return 0.0;`,
      ...[
        ...coordinateLines(batch, 'b', glsl),
        ...coordinateLines(group, 'along', glsl),
        ...coordinateLines(terms, 'k', glsl),
        ...lines,
      ].map((line) => `  ${line}`),
      `  return ${value};`,
      '}',
    ].join('\n');
  };
  const main = (...lines: string[]): string =>
    `void main() {\n${lines.map((line) => `  ${line}\n`).join('')}}\n`;

  const leftSource = `${head}out vec4 o;\n${reader('left', rows, left)}\n${main(
    leftRuns.place,
    `int i = run % ${rows.size};`,
    `int part = (run / ${rows.size}) % ${parts};`,
    `int b = run / ${rows.size * parts};`,
    `int k = 4 * (part * ${steps} + at);`,
    'o = vec4(left(b, i, k), left(b, i, k + 1), left(b, i, k + 2), left(b, i, k + 3));',
  )}`;
  const rightSource = `${head}out vec4 o;\n${reader('right', columns, right)}\n${main(
    rightRuns.place,
    `int j = 4 * (run % ${quads});`,
    `int part = (run / ${quads}) % ${parts};`,
    `int b = run / ${quads * parts};`,
    `int k = part * ${4 * steps} + at;`,
    'o = vec4(right(b, j, k), right(b, j + 1, k), right(b, j + 2, k), right(b, j + 3, k));',
  )}`;

  const each = <T>(f: (r: number) => T): T[] => Array.from({ length: blockRows }, (_, r) => f(r));
  const blocksSource = `${head}uniform sampler2D in0;\nuniform sampler2D in1;\n${each((r) => `layout(location = ${r}) out vec4 o${r};\n`).join('')}${main(
    tiles.place,
    `int quad = run % ${quads};`,
    `int band = (run / ${quads}) % ${bands};`,
    `int outer = run / ${quads * bands};`,
    ...each((r) => `int i${r} = outer * ${rows.size} + min(band * ${blockRows} + ${r}, ${rows.size - 1});`),
    ...each((r) => `ivec2 p${r} = ${leftRuns.start(`i${r}`)};`),
    `int q = outer * ${quads} + quad;`,
    `ivec2 p = ${rightRuns.start('q')};`,
    ...each((r) => `vec4 s${r} = vec4(0.0);`),
    `for (int step = 0; step < ${steps}; step++) {`,
    ...[0, 1, 2, 3].map((t) => `  vec4 y${t} = texelFetch(in1, p + ivec2(4 * step + ${t}, 0), 0);`),
    ...each((r) => [
      `  vec4 x${r} = texelFetch(in0, p${r} + ivec2(step, 0), 0);`,
      `  s${r} += x${r}.x * y0; s${r} += x${r}.y * y1; s${r} += x${r}.z * y2; s${r} += x${r}.w * y3;`,
    ]).flat(),
    '}',
    ...each((r) => `o${r} = s${r};`),
  )}`;

  const resultSource = `${head}uniform sampler2DArray in0;\nout float o;\n${main(
    'ivec2 texel = ivec2(gl_FragCoord.xy);',
    `int position = texel.y * ${result.width} + texel.x;`,
    ...placeLines(c, glsl),
    `int tile = (b * ${parts * bands} + i / ${blockRows}) * ${quads} + j / 4;`,
    'float sum = 0.0;',
    `for (int part = 0; part < ${parts}; part++) {`,
    `  int run = tile + part * ${bands * quads};`,
    `  vec4 four = texelFetch(in0, ivec3(${tiles.start('run')}, i % ${blockRows}), 0);`,
    '  sum += four[j % 4];',
    '}',
    'o = sum;',
  )}`;
  return {
    left: { source: leftSource, width: leftRuns.width, height: leftRuns.height },
    right: { source: rightSource, width: rightRuns.width, height: rightRuns.height },
    blocks: { source: blocksSource, width: tiles.width, height: tiles.height },
    result: { source: resultSource, width: result.width, height: result.height },
  };
}
