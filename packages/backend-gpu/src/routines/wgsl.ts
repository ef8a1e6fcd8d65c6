/** A contraction as programs for WebGPU, one after the other. */
import { blockLines, blocksOf, numberLines, type Operand, operandsOf } from './blocks.ts';
import {
  blockRows,
  type Contraction,
  coordinateLines,
  type Language,
  placeLines,
  quotient,
  remainder,
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
  sum: (name) => `var ${name} = vec4f();`,
  loop: (name, from, to) => `for (var ${name} = ${from}; ${name} < ${to}; ${name}++) {`,
  choose: (condition, x, y) => `select(${y}, ${x}, ${condition})`,
  vec4: 'vec4f',
  head: (result, name, parameters) =>
    `fn ${name}(${parameters.map((p) => `${p}: i32`).join(', ')}) -> ${result === 'vec4' ? 'vec4f' : 'f32'} {`,
  toFloat: (integer) => `f32(${integer})`,
  toInteger: (float) => `i32(${float})`,
  element: (index) => `in0[${index}]`,
  four: (index) => `in0[(${index}) >> 2u]`,
};

/** Threads of a workgroup, and the most workgroups in a row. */
export const workgroup = 64;
export const maxGroups = 65_535;

/** A program with one thread for each `n` below `threads`; the types of arrays are those of elements and, where known, sizes. */
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
    `  let n = i32(id.x + id.y * ${maxGroups * workgroup}u);`,
    `  if (n >= ${threads}) { return; }`,
    ...lines.map((line) => `  ${line}`),
    '}',
  ].join('\n');
}

export function launchesOf(c: Contraction): Launches {
  const { batch, rows, columns, parts } = c;
  const { left, right } = operandsOf(c, wgsl, () => true);
  /** The columns of a block are so far apart: then neighbouring threads read and write neighbouring elements. */
  const quads = Math.ceil(columns.size / 4);
  const launches: Launch[] = [];
  const scratch: Partial<Record<Place, number>> = {};
  const pack = ({ fours, copy }: Operand, own: 'left' | 'right', packed: Place): Place => {
    if (!copy) return own;
    const type = copy.isFour ? 'vec4f' : 'f32';
    launches.push({
      source: program(fours, [type], 'vec4f', [...copy.lines, `result[n] = ${copy.value};`], copy.functions),
      places: [own, packed],
      threads: fours,
    });
    scratch[packed] = 4 * fours;
    return packed;
  };
  const [x, y] = [pack(left, 'left', 'packedLeft'), pack(right, 'right', 'packedRight')];

  const each = <T>(f: (r: number) => T): T[] => Array.from({ length: blockRows }, (_, r) => f(r));
  const blocks = blocksOf(c);
  const store = (r: number): string => {
    const i = `band * ${blockRows} + ${r}`;
    return parts === 1
      ? `store(b, ${i}, quad, s${r});`
      : `if (${i} < ${rows.size}) { result[((part * ${batch.size} + b) * ${rows.size} + ${i}) * ${quads} + quad] = s${r}; }`;
  };
  const storing = [
    'fn store(b: i32, i: i32, quad: i32, four: vec4f) {',
    `  if (i >= ${rows.size}) { return; }`,
    ...coordinateLines(batch, 'b', wgsl).map((line) => `  ${line}`),
    ...coordinateLines(rows, 'i', wgsl).map((line) => `  ${line}`),
    '  for (var lane = 0; lane < 4; lane++) {',
    `    let j = quad + lane * ${quads};`,
    `    if (j >= ${columns.size}) { return; }`,
    ...[...coordinateLines(columns, 'j', wgsl), ...resultLines(c, wgsl)].map((line) => `    ${line}`),
    '    result[position] = four[lane];',
    '  }',
    '}',
  ].join('\n');
  const functions = [
    'fn left(n: i32) -> vec4f { return in0[n]; }',
    'fn right(n: i32, quad: i32) -> vec4f {',
    '  let at = 4 * n - 3 * quad;',
    `  return vec4f(in1[at], in1[at + ${quads}], in1[at + ${2 * quads}], in1[at + ${3 * quads}]);`,
    '}',
    ...(parts > 1 ? [] : [storing]),
  ].join('\n');
  launches.push({
    source: program(
      blocks,
      [`vec4f, ${left.fours}`, `f32, ${4 * right.fours}`],
      parts > 1 ? 'vec4f' : 'f32',
      [...numberLines(c, wgsl), ...blockLines(c, left, wgsl), ...each(store)],
      functions,
    ),
    places: [x, y, parts > 1 ? 'partSums' : 'result'],
    threads: blocks,
  });
  if (parts === 1) return { launches, scratch };

  const size = batch.size * rows.size * columns.size;
  scratch.partSums = 4 * parts * batch.size * rows.size * quads;
  const addUp = [
    'let position = n;',
    ...placeLines(c, wgsl),
    'var sum = 0.0;',
    `for (var part = 0; part < ${parts}; part++) {`,
    `  sum += in0[((part * ${batch.size} + b) * ${rows.size} + i) * ${quads} + ${remainder('j', quads, columns.size, wgsl)}][${quotient('j', quads, columns.size, wgsl)}];`,
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
