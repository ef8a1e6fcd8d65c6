/** A contraction as programs for WebGPU, one after the other. */
import {
  type Axes,
  blockRows,
  type Contraction,
  coordinateLines,
  isRowMajor,
  type Language,
  placeLines,
  readLines,
  resultLines,
} from './contraction.ts';

/** What a program reads or writes. */
export type Place = 'left' | 'right' | 'packedLeft' | 'packedRight' | 'partSums' | 'result';

interface Launch {
  readonly source: string;
  /** In the order of the bindings, the last one is written. */
  readonly places: readonly Place[];
  readonly threads: number;
}

interface Launches {
  readonly launches: readonly Launch[];
  /** Float32 elements of the places in between. */
  readonly scratch: Partial<Record<Place, number>>;
}

const wgsl: Language = {
  declare: (_, name, value) => `let ${name} = ${value};`,
  choose: (condition, x, y) => `select(${y}, ${x}, ${condition})`,
  element: (_, index) => `in0[${index}]`,
};

/** Threads of a workgroup, and the most workgroups in a row. */
export const workgroup = 64;
export const maxGroups = 65_535;

/** A program with one thread for each `thread` below `threads`. */
function program(
  threads: number,
  inputs: readonly string[],
  output: string,
  lines: readonly string[],
  functions = '',
): string {
  return [
    ...inputs.map((type, i) => `@group(0) @binding(${i}) var<storage, read> in${i}: array<${type}>;`),
    `@group(0) @binding(${inputs.length}) var<storage, read_write> result: array<${output}>;`,
    functions,
    `@compute @workgroup_size(${workgroup}) fn main(@builtin(global_invocation_id) id: vec3u) {`,
    `  let thread = i32(id.x + id.y * ${maxGroups * workgroup}u);`,
    `  if (thread >= ${threads}) { return; }`,
    ...lines.map((line) => `  ${line}`),
    '}',
  ].join('\n');
}

export function launchesOf(c: Contraction): Launches {
  const { batch, rows, columns, terms, steps, parts, left, right } = c;
  const quads = Math.ceil(columns.size / 4);
  const bands = Math.ceil(rows.size / blockRows);
  const allSteps = Math.ceil(terms.size / 4);
  const launches: Launch[] = [];
  const scratch: Partial<Record<Place, number>> = {};

  /** A function that reads an operand at b, `along` (i or j) and term k, 0 beyond the last. */
  const reader = (group: Axes, load: typeof left): string => {
    const { lines, value } = readLines(load, c, wgsl);
    const coordinates = [batch, group, terms].flatMap((axes, i) =>
      coordinateLines(axes, ['b', 'along', 'k'][i] as string, wgsl),
    );
    return [
      'fn element(b: i32, along: i32, k: i32) -> f32 {',
      `  if (along >= ${group.size} || k >= ${terms.size}) { return 0.0; }`,
      ...[...coordinates, ...lines].map((line) => `  ${line}`),
      `  return ${value};`,
      '}',
    ].join('\n');
  };
  /** Copies an operand, unless it lies as it is read. */
  const pack = (place: 'left' | 'right', group: Axes): Place => {
    const load = place === 'left' ? left : right;
    const order = place === 'left' ? [batch, group, terms] : [batch, terms, group];
    if (terms.size % 4 === 0 && (order[2] as Axes).size % 4 === 0 && isRowMajor(load, c, order)) return place;
    const packed = place === 'left' ? 'packedLeft' : 'packedRight';
    const threads = batch.size * (place === 'left' ? rows.size * allSteps : 4 * allSteps * quads);
    const lines =
      place === 'left'
        ? [
            `let k = 4 * (thread % ${allSteps});`,
            `let i = (thread / ${allSteps}) % ${rows.size};`,
            `let b = thread / ${allSteps * rows.size};`,
            'result[thread] = vec4f(element(b, i, k), element(b, i, k + 1), element(b, i, k + 2), element(b, i, k + 3));',
          ]
        : [
            `let j = 4 * (thread % ${quads});`,
            `let k = (thread / ${quads}) % ${4 * allSteps};`,
            `let b = thread / ${4 * allSteps * quads};`,
            'result[thread] = vec4f(element(b, j, k), element(b, j + 1, k), element(b, j + 2, k), element(b, j + 3, k));',
          ];
    launches.push({
      source: program(threads, ['f32'], 'vec4f', lines, reader(group, load)),
      places: [place, packed],
      threads,
    });
    scratch[packed] = 4 * threads;
    return packed;
  };
  const [x, y] = [pack('left', rows), pack('right', columns)];

  const each = <T>(f: (r: number) => T): T[] => Array.from({ length: blockRows }, (_, r) => f(r));
  const tiles = batch.size * parts * bands * quads;
  const store = (r: number): string[] => {
    const i = `band * ${blockRows} + ${r}`;
    if (parts > 1)
      return [
        `if (${i} < ${rows.size}) { result[((part * ${batch.size} + b) * ${rows.size} + ${i}) * ${quads} + quad] = s${r}; }`,
      ];
    return [`store(b, ${i}, 4 * quad, s${r});`];
  };
  const storing = [
    'fn store(b: i32, i: i32, first: i32, four: vec4f) {',
    `  if (i >= ${rows.size}) { return; }`,
    ...coordinateLines(batch, 'b', wgsl).map((line) => `  ${line}`),
    ...coordinateLines(rows, 'i', wgsl).map((line) => `  ${line}`),
    `  for (var lane = 0; lane < min(4, ${columns.size} - first); lane++) {`,
    '    let j = first + lane;',
    ...[...coordinateLines(columns, 'j', wgsl), ...resultLines(c, wgsl)].map((line) => `    ${line}`),
    '    result[position] = four[lane];',
    '  }',
    '}',
  ].join('\n');
  const sumUp = [
    `let quad = thread % ${quads};`,
    `let band = (thread / ${quads}) % ${bands};`,
    `let b = (thread / ${quads * bands}) % ${batch.size};`,
    `let part = thread / ${quads * bands * batch.size};`,
    ...each(
      (r) =>
        `let p${r} = (b * ${rows.size} + min(band * ${blockRows} + ${r}, ${rows.size - 1})) * ${allSteps};`,
    ),
    `let p = b * ${4 * allSteps * quads} + quad;`,
    ...each((r) => `var s${r} = vec4f();`),
    `for (var step = part * ${steps}; step < min((part + 1) * ${steps}, ${allSteps}); step++) {`,
    ...[0, 1, 2, 3].map((t) => `  let y${t} = in1[p + (4 * step + ${t}) * ${quads}];`),
    ...each((r) => [
      `  let x${r} = in0[p${r} + step];`,
      `  s${r} += x${r}.x * y0 + x${r}.y * y1 + x${r}.z * y2 + x${r}.w * y3;`,
    ]).flat(),
    '}',
    ...each(store).flat(),
  ];
  launches.push({
    source: program(tiles, ['vec4f', 'vec4f'], parts > 1 ? 'vec4f' : 'f32', sumUp, parts > 1 ? '' : storing),
    places: [x, y, parts > 1 ? 'partSums' : 'result'],
    threads: tiles,
  });
  if (parts === 1) return { launches, scratch };

  const size = batch.size * rows.size * columns.size;
  scratch.partSums = 4 * parts * batch.size * rows.size * quads;
  const addUp = [
    'let position = thread;',
    ...placeLines(c, wgsl),
    'var sum = 0.0;',
    `for (var part = 0; part < ${parts}; part++) {`,
    `  sum += in0[((part * ${batch.size} + b) * ${rows.size} + i) * ${quads} + j / 4][j % 4];`,
    '}',
    'result[position] = sum;',
  ];
  launches.push({
    source: program(size, ['vec4f'], 'f32', addUp),
    places: ['partSums', 'result'],
    threads: size,
  });
  return { launches, scratch };
}
