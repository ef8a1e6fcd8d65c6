import type { Kernel } from '@neumann/core/backend';
import type { StepCode } from '../emit/part.ts';
import type { EmitContext } from '../emit/plan.ts';
import { conv } from './conv.ts';
import { matmul } from './matmul.ts';
import { gather, scatterAdd } from './rows.ts';
import { windowRoutine } from './window.ts';

/** The tuned implementation of a kernel with a routine, if there is one for its case. */
export function routineFor(context: EmitContext, kernel: Kernel): StepCode | undefined {
  const { routine } = kernel;
  switch (routine?.name) {
    case 'matmul':
      return matmul(context, kernel, routine);
    case 'conv':
      return conv(context, kernel, routine);
    case 'windowSum':
    case 'windowMax':
    case 'windowGather':
      return windowRoutine(context, kernel, routine);
    case 'gather':
      return gather(context, kernel, routine);
    case 'scatterAdd':
      return scatterAdd(context, kernel, routine);
    case undefined:
      return undefined;
    default:
      return routine satisfies never;
  }
}
