import type { Kernel } from '@neumann/core/backend';
import type { Code, Local } from '../asm/code.ts';
import { dividedLoop, NestEmitter, TASKS, whenLast } from './emitNest.ts';
import type { Functions } from './functions.ts';
import { buildGraph, fullRanges } from './graph.ts';
import { buildNest, type Nest } from './nest.ts';
import type { Part, Share, StepCode } from './part.ts';
import { segments } from './segments.ts';
import { splitReduction } from './split.ts';
import { tilesOf } from './tiles.ts';
import { emitTranspose } from './transpose.ts';

/** The loop nest of a kernel, divided along a loop; the partial results of a large reduction come first. */
export function kernelCode(functions: Functions, kernel: Kernel): StepCode {
  if (kernel.axes.includes(0)) return { scratch: 0, parts: [] };
  const nests = nestsOf(kernel);
  const split = splitReduction(kernel, Math.max(...nests.map((nest) => dividedLoop(nest).units)));
  if (!split) {
    const emit: Part['emit'] = (code, params, share) => emitNests(code, functions, nests, params, share);
    return { scratch: 0, parts: [{ tasks: TASKS, emit }] };
  }
  const { chunks, rest, whole, buffers, scratch } = split;
  const inputs = kernel.inputs.length;
  const partials = (code: Code, share: Share, chunk: number) =>
    buffers.map(({ at, bytes }) => {
      const address = code.local('i32');
      code
        .get(share.scratch)
        .i32(at + chunk * bytes)
        .op('i32.add')
        .set(address);
      return address;
    });
  const emitChunks: Part['emit'] = (code, params, share) => {
    const given = params.slice(0, inputs);
    emitNests(code, functions, nestsOf(chunks), [...given, ...partials(code, share, 0)], share);
    if (!rest) return;
    whenLast(code, share, () => {
      const last = partials(code, share, chunks.axes[0] ?? 0);
      emitNests(code, functions, nestsOf(rest), [...given, ...last], undefined);
    });
  };
  const emitWhole: Part['emit'] = (code, params, share) => {
    const operands = [...params.slice(0, inputs), ...partials(code, share, 0), ...params.slice(inputs)];
    emitNests(code, functions, nestsOf(whole), operands, share);
  };
  return {
    scratch,
    parts: [
      { tasks: TASKS, emit: emitChunks },
      { tasks: TASKS, emit: emitWhole },
    ],
  };
}

/** Writes a kernel for some coordinates of its first axis. */
export type EmitRows = (code: Code, params: readonly Local[], rows: Pick<Share, 'first' | 'end'>) => void;

/** What writes a kernel for the coordinates of its first axis from `first` up to `end`, if it is one nest. */
export function rowsCode(functions: Functions, kernel: Kernel): EmitRows | undefined {
  const [graph, ...others] = segments(kernel);
  if (!graph || others.length > 0) return undefined;
  const nest = buildNest(graph.values.length > 0 ? kernel : withoutReductions(kernel), graph, {
    firstApart: true,
  });
  const units = kernel.axes[0] ?? 0;
  if (units < 2) return undefined;
  return (code, params, { first, end }) => {
    const unused = code.local('i32');
    const share = { first, end, scratch: unused, own: unused };
    new NestEmitter(code, functions, nest, params, share, { level: 0, units, tasks: units }).emit();
  };
}

/** Writes loop nests, or a thread's share of them. The parameters are the addresses of inputs, then of outputs. */
function emitNests(
  code: Code,
  functions: Functions,
  nests: readonly Nest[],
  params: readonly Local[],
  share: Share | undefined,
): void {
  for (const nest of nests) {
    if (emitTranspose(code, nest, params, share && { share, tasks: TASKS })) continue;
    const emit = (own: Share | undefined) => new NestEmitter(code, functions, nest, params, own).emit();
    if (share && dividedLoop(nest).units < 2) whenLast(code, share, () => emit(undefined));
    else emit(share);
  }
}

function nestsOf(kernel: Kernel): Nest[] {
  const graphs = segments(kernel);
  const [graph, ...others] = graphs;
  const tiles = graph && others.length === 0 ? tilesOf(kernel, graph) : undefined;
  if (!tiles)
    return graphs.map((part) => buildNest(part.values.length > 0 ? kernel : withoutReductions(kernel), part));
  return [
    buildNest(tiles.kernel, buildGraph(tiles.kernel, fullRanges(tiles.kernel), tiles.strides)),
    ...tiles.rest.map((ranges) => buildNest(kernel, buildGraph(kernel, ranges))),
  ];
}

/** Only the epilogue, for a kernel that folds nothing. */
function withoutReductions(kernel: Kernel): Kernel {
  return { ...kernel, reduceAxes: [], reductions: [] };
}
