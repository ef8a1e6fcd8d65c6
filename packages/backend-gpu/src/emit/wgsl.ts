import { type Gpu, translateToWgsl } from '../gpujs.ts';
import type { Emitted } from './emit.ts';
import { wgslName } from './functions.ts';

export interface WgslProgram {
  readonly source: string;
  readonly groups: readonly [x: number, y: number];
  /** Whether the four numbers of `special` are bound, after the inputs and the result. */
  readonly hasSpecial: boolean;
}

const workgroup = 64;
const maxGroups = 65_535;

/** Programs for fewer elements compute one in a thread, so that a device computes all of them at the same time. */
const fourFrom = 2 ** 12;

/**
 * A program as a compute shader.
 *
 * gpu.js translates the functions; what threads there are is ours. Without a loop, one computes four neighbours, and has
 * four at once of an input that is read at the point itself alone.
 */
export function wgslOf(program: Emitted, gpu: Gpu): WgslProgram {
  const { size, inputs } = program;
  const { functions, body } = translateToWgsl(gpu, program);
  const lanes = size < fourFrom || body.includes('for (') ? 1 : 4;
  const reads = inputs.map((read, unit) => {
    const load = `get_user_in${read.input}(`;
    const own = `${load}0, 0, i32(i32(threadGid.x)))`;
    const isOwn = lanes === 4 && read.size === size && count(body, load) === count(body, own);
    return { unit, load, own, isOwn, size: read.size };
  });
  const owns = reads.filter(({ isOwn }) => isOwn);
  const point = owns
    .reduce((text, { own, unit }) => text.replaceAll(own, `own${unit}`), body)
    .replace(/result\[data_index\] = (\w+);return;/, 'return $1;');
  const natives = new Map(program.functions.map(({ name, wgsl }) => [wgslName(name), wgsl]));
  const hasSpecial = 'special' in program.constants;
  const [threads, groups] = [Math.ceil(size / lanes), Math.ceil(size / lanes / workgroup)];
  const y = Math.ceil(groups / maxGroups);
  const x = Math.ceil(groups / y);
  const typeOf = (elements: number, isFour: boolean): string =>
    isFour ? `array<vec4f, ${Math.ceil(elements / 4)}>` : `array<f32, ${Math.max(1, elements)}>`;
  const call = (lane: number): string =>
    `point(vec3u(${lanes} * thread + ${lane}, 0, 0)${owns.map(({ unit }) => `, q${unit}[${lane}]`).join('')})`;
  const source = [
    ...reads.map(
      (read) =>
        `@group(0) @binding(${read.unit}) var<storage, read> in${read.unit}: ${typeOf(read.size, read.isOwn)};`,
    ),
    `@group(0) @binding(${inputs.length}) var<storage, read_write> result: ${typeOf(size, lanes === 4)};`,
    ...(hasSpecial
      ? [
          `@group(0) @binding(${inputs.length + 1}) var<uniform> special: vec4f;`,
          'fn get_constants_special(z: i32, y: i32, x: i32) -> f32 { return special[x]; }',
        ]
      : []),
    ...reads
      .filter(({ isOwn }) => !isOwn)
      .map(({ load, unit }) => `fn ${load}z: i32, y: i32, x: i32) -> f32 { return in${unit}[x]; }`),
    functions.replaceAll(/fn (fn_\w+)\((?:.|\n)*?\n}/g, (text, name: string) => natives.get(name) ?? text),
    `fn point(threadGid: vec3u${owns.map(({ unit }) => `, own${unit}: f32`).join('')}) -> f32 {`,
    point,
    '}',
    `@compute @workgroup_size(${workgroup}) fn main(@builtin(global_invocation_id) id: vec3u) {`,
    `  let thread = id.x + id.y * ${x * workgroup}u;`,
    `  if (thread >= ${threads}u) { return; }`,
    ...owns.map(({ unit }) => `  let q${unit} = in${unit}[thread];`),
    `  result[thread] = ${lanes === 4 ? `vec4f(${[0, 1, 2, 3].map(call).join(', ')})` : call(0)};`,
    '}',
  ].join('\n');
  return { source, groups: [x, y], hasSpecial };
}

const count = (text: string, part: string): number => text.split(part).length - 1;
