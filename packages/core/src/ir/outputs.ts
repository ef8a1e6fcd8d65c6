/** Kernels with fewer outputs. */
import type { Aval } from '../aval.ts';
import { loadsOf, nodesOf, substituteAll } from './expr.ts';
import type { Kernel } from './kernel.ts';
import { inBlocks, type KernelLaunch, type Lowered } from './launch.ts';
import { rewriteKernel } from './lower.ts';
import type { Var } from './program.ts';
import { accDtype, rootsOf, tidy } from './rebuild.ts';

/** The launch with only some of its outputs, and what they need. */
export function keepOutputs(launch: KernelLaunch, alive: readonly boolean[]): KernelLaunch {
  const outputs = launch.outputs.filter((_, i) => alive[i]);
  const kernel = tidy(
    dropReductions({ ...launch.kernel, outputs: launch.kernel.outputs.filter((_, i) => alive[i]) }),
  );
  const read = new Set(loadsOf(rootsOf(kernel)).map((load) => load.input));
  const places = launch.inputs.flatMap((_, i) => (read.has(i) ? [i] : []));
  return {
    ...launch,
    kernel: rewriteKernel(
      kernel,
      places.map((i) => kernel.inputs[i] as Aval),
      {
        load: (load) => ({ ...load, input: places.indexOf(load.input) }),
      },
    ),
    inputs: places.map((i) => launch.inputs[i] as Var),
    outputs,
  };
}

/** Without the reductions that no output reads. */
function dropReductions(kernel: Kernel): Kernel {
  const read = new Set(nodesOf(kernel.outputs).flatMap((node) => (node.kind === 'acc' ? [node.index] : [])));
  const kept = kernel.reductions.flatMap((_, i) => (read.has(i) ? [i] : []));
  if (kept.length === kernel.reductions.length) return kernel;
  const { routine, ...nest } = kernel;
  return {
    ...(routine && kept.length > 0 ? kernel : nest),
    reduceAxes: kept.length === 0 ? [] : kernel.reduceAxes,
    reductions: kept.map((i) => kernel.reductions[i] as Kernel['reductions'][number]),
    outputs: substituteAll(kernel.outputs, {
      acc: (index) => ({ kind: 'acc', dtype: accDtype(kernel, index), index: kept.indexOf(index) }),
    }),
  };
}

/** One kernel for each output, for backends that write only one. */
export function splitOutputs(lowered: Lowered): Lowered {
  const launches = inBlocks(lowered, splitOutputs).launches.flatMap((launch) => {
    if (launch.kind !== 'kernel' || launch.outputs.length === 1) return [launch];
    return launch.outputs.map((_, i) =>
      keepOutputs(
        launch,
        launch.outputs.map((_, j) => i === j),
      ),
    );
  });
  return { ...lowered, launches };
}
