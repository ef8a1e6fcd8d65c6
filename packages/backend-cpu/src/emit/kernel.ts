import { dtypeInfo, type Kernel, sizeOf } from '@neumann/core/backend';
import type { Code, Local } from '../asm/code.ts';
import { dividedLoop, NestEmitter, TASKS, whenLast } from './emitNest.ts';
import type { Functions } from './functions.ts';
import { buildGraph, fullRanges } from './graph.ts';
import { buildNest, type Nest } from './nest.ts';
import type { Part, Share, StepCode } from './part.ts';
import { segments } from './segments.ts';
import { ofChunks, splitReduction } from './split.ts';
import { type Sweep, sweepOf } from './sweep.ts';
import { tilesOf } from './tiles.ts';
import { emitTranspose } from './transpose.ts';

/** The loop nest of a kernel, divided along a loop; the partial results of a large reduction come first. */
export function kernelCode(functions: Functions, kernel: Kernel): StepCode {
  if (kernel.axes.includes(0)) return { scratch: 0, parts: [] };
  const nests = nestsOf(kernel);
  const split = splitReduction(kernel, Math.max(...nests.map((nest) => dividedLoop(nest).units)));
  if (!split) return unsplitCode(functions, kernel, nests);
  const { chunks, rest, whole, buffers, scratch } = split;
  const inputs = kernel.inputs.length;
  const inChunks = unsplitCode(functions, chunks, nestsOf(chunks)).parts;
  const parts = inChunks.map(
    (part, i): Part => ({
      ...part,
      emit: (code, params, share) => {
        const given = params.slice(0, inputs);
        part.emit(code, [...given, ...partials(code, share, buffers)], share);
        if (!rest || i < inChunks.length - 1) return;
        whenLast(code, share, () => {
          const last = partials(code, share, buffers, chunks.axes[0] ?? 0);
          emitNests(code, functions, nestsOf(rest), [...given, ...last], undefined);
        });
      },
    }),
  );
  return { scratch, parts: [...parts, wholePart(functions, inputs, whole, buffers)] };
}

function unsplitCode(functions: Functions, kernel: Kernel, nests: readonly Nest[]): StepCode {
  const [nest, ...others] = nests;
  const sweep = nest && others.length === 0 ? sweepOf(kernel, nest) : undefined;
  if (sweep) return sweepCode(functions, kernel, sweep);
  const emit: Part['emit'] = (code, params, share) => emitNests(code, functions, nests, params, share);
  return { scratch: 0, parts: [{ tasks: TASKS, together: 1, emit }] };
}

/** Where partial results of each reduction lie in scratch memory, and the bytes of those of one chunk. */
type Buffers = readonly { readonly at: number; readonly bytes: number }[];

/** The addresses of the partial results from a chunk on. */
function partials(code: Code, share: Share, buffers: Buffers, chunk = 0): Local[] {
  return buffers.map(({ at, bytes }) => {
    const address = code.local('i32');
    code
      .get(share.scratch)
      .i32(at + chunk * bytes)
      .op('i32.add')
      .set(address);
    return address;
  });
}

/** What reads partial results besides the first `inputs` operands. */
function wholePart(functions: Functions, inputs: number, whole: Kernel, buffers: Buffers): Part {
  return {
    tasks: TASKS,
    together: 1,
    emit: (code, params, share) => {
      const operands = [
        ...params.slice(0, inputs),
        ...partials(code, share, buffers),
        ...params.slice(inputs),
      ];
      emitNests(code, functions, nestsOf(whole), operands, share);
    },
  };
}

/** A sweep: its partial results lie where the results will be, if they are the results, else in scratch memory. */
function sweepCode(
  functions: Functions,
  kernel: Kernel,
  { first, further, strides, blocks }: Sweep,
): StepCode {
  const { outputs, reductions, axes } = kernel;
  const inputs = kernel.inputs.length;
  const isPlain =
    outputs.length === reductions.length && outputs.every((x, i) => x.kind === 'acc' && x.index === i);
  let scratch = 0;
  const buffers = isPlain
    ? []
    : reductions.map(({ value }) => {
        const bytes = sizeOf(axes) * dtypeInfo(value.dtype).bytes;
        const at = scratch;
        scratch += Math.ceil(bytes / 64) * 64;
        return { at, bytes };
      });
  const nest = buildNest(further, buildGraph(further, fullRanges(further), strides));
  const divided = dividedLoop(nest, undefined, blocks);
  const sweep = (
    write: (code: Code, given: readonly Local[], made: readonly Local[], share: Share) => void,
  ): Part => ({
    tasks: TASKS,
    emit: (code, params, share) =>
      write(
        code,
        params.slice(0, inputs),
        isPlain ? params.slice(inputs) : partials(code, share, buffers),
        share,
      ),
  });
  const parts = [
    sweep((code, given, made, share) =>
      emitNests(code, functions, nestsOf(first), [...given, ...made], share),
    ),
    sweep((code, given, made, share) => {
      const emit = (own: Share | undefined) =>
        new NestEmitter(code, functions, nest, [...given, ...made, ...made], own, divided).emit();
      if (divided.units < 2) whenLast(code, share, () => emit(undefined));
      else emit(share);
    }),
  ];
  if (isPlain) return { scratch, parts };
  return { scratch, parts: [...parts, wholePart(functions, inputs, ofChunks(kernel, 1), buffers)] };
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
