import { type Gpu, translateToGlsl } from '../gpujs.ts';
import { elementFunction, layoutOf } from '../layout.ts';
import type { Emitted } from './emit.ts';

/**
 * A program as a fragment shader that computes the elements of one texel of its result.
 *
 * gpu.js translates the functions; how elements lie in textures is ours. What is read at the point itself lies in the
 * same texel of its own texture, and is read once for all elements.
 */
export function glslOf(program: Emitted, gpu: Gpu): string {
  const { size, inputs } = program;
  const { width, lanes } = layoutOf(size);
  const own = new Set<number>();
  const functions = translateToGlsl(gpu, program)
    .replaceAll(/get\w+\(\w+?_(\w+), \w+Size, \w+Dim, 0, 0, /g, '$1(')
    .replaceAll(/\bin(\d+)\(threadId\.x\)/g, (text, input: string) => {
      const unit = inputs.findIndex((read) => read.input === Number(input));
      const layout = layoutOf((inputs[unit] as { size: number }).size);
      if (layout.width !== width || layout.lanes !== lanes) return text;
      own.add(unit);
      return `own${unit}`;
    });
  const owns = [...own];
  const point = [...owns.map((unit) => `own${unit} = q${unit}.x; q${unit} = q${unit}.yzwx;`), 'kernel();'];
  const hasLoop = functions.includes('for (');
  const each = (lane: string): string =>
    `threadId.x = first + ${lane}; ${point.join(' ')} texel = vec4(texel.yzw, kernelResult);`;
  return [
    ...inputs.map((_, unit) => `uniform sampler2D t${unit};`),
    ...inputs.map(({ input, size: elements }, unit) =>
      elementFunction(`in${input}`, `t${unit}`, layoutOf(elements)),
    ),
    'uniform vec4 specials;',
    'float special(int i) { return specials[i]; }',
    'ivec3 threadId;',
    'float kernelResult;',
    ...owns.map((unit) => `float own${unit};`),
    functions,
    `out ${lanes === 4 ? 'vec4' : 'float'} result;`,
    'void main() {',
    '  ivec2 at = ivec2(gl_FragCoord.xy);',
    ...owns.map((unit) => `  vec4 q${unit} = texelFetch(t${unit}, at, 0);`),
    `  int first = (at.y * ${width} + at.x) * ${lanes};`,
    ...(lanes === 1
      ? ['  threadId.x = first;', `  ${point.join(' ')}`, '  result = kernelResult;']
      : [
          '  vec4 texel = vec4(0.0);',
          ...(hasLoop
            ? [`  for (int lane = 0; lane < 4; lane++) { ${each('lane')} }`]
            : ['0', '1', '2', '3'].map((lane) => `  ${each(lane)}`)),
          '  result = texel;',
        ]),
    '}',
    '',
  ].join('\n');
}
