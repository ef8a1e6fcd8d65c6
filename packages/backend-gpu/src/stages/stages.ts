/**
 * A kernel as several: where it reads more arrays than the device takes, and where few threads would fold very many
 * elements each. Each stage is a kernel with one output, whose inputs are those of the whole kernel and the results of the
 * stages before it; the last one gives the result.
 */
import type { Expr, Kernel } from '@neumann/core/backend';
import { onlyOutput, type StageLimits, Stages } from './part.ts';
import { splitInputs } from './splitInputs.ts';
import { splitReductions } from './splitReductions.ts';

/** The stages for output `index` of a kernel; one where nothing has to be split. */
export function stagesOf(kernel: Kernel, index: number, limits: StageLimits): Kernel[] {
  const output = kernel.outputs[index] as Expr;
  const stages = new Stages(kernel.inputs);
  splitReductions(onlyOutput(kernel, output), limits, (part) => splitInputs(part, limits.maxInputs, stages));
  return stages.kernels.length === 1 ? [{ ...kernel, outputs: [output] }] : stages.kernels;
}
