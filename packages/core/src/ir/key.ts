import { showAval } from '../aval.ts';
import { dtypeInfo } from '../dtype.ts';
import type { HostRoutine } from './host.ts';
import { identityOf, idOf } from './identity.ts';
import type { Kernel } from './kernel.ts';
import { blocksOf, type Place, type Plan, type Step, type WorkStep } from './plan.ts';
import { numberNodes } from './share.ts';

/**
 * The structure of a kernel as text: two kernels with the same key compute the same.
 *
 * Linear in the nodes of the expressions, whether they are shared or repeated; numbers are exact, with -0 and NaN.
 * The name is not part of it.
 */
export function kernelKey(kernel: Kernel): string {
  const { nodes, numberOf } = numberNodes([...kernel.reductions.map((r) => r.value), ...kernel.outputs]);
  return (
    `(${kernel.inputs.map(showAval).join(' ')})[${kernel.axes.join()}][${kernel.reduceAxes.join()}]` +
    `{${[...nodes.keys()].join(';')}}` +
    kernel.reductions.map((r) => ` ${r.op} ${numberOf.get(r.value)}`).join('') +
    `>${kernel.outputs.map((output) => numberOf.get(output)).join()}` +
    (kernel.routine ? dataKey(kernel.routine) : '')
  );
}

/** The structure of a plan as text: two plans with the same key can share one executable. */
export function planKey(plan: Plan): string {
  const numberOf = new Map<Kernel | HostRoutine, number>();
  const numberOfKey = new Map<string, number>();
  const workNumber = (step: WorkStep): number => {
    const work = step.kind === 'kernel' ? step.kernel : step.host;
    const known = numberOf.get(work);
    if (known !== undefined) return known;
    const key = step.kind === 'kernel' ? kernelKey(step.kernel) : hostKey(step.host);
    const number = numberOfKey.get(key) ?? numberOfKey.size;
    numberOfKey.set(key, number);
    numberOf.set(work, number);
    return number;
  };
  const slots = plan.slots.map((s) => `${dtypeInfo(s.dtype).short} ${s.size} ${placeKey(s.place)}`);
  const stepKey = (step: Step): string => {
    const blocks = blocksOf(step).map((block) => `{${block.map(stepKey).join(';')}}`);
    switch (step.kind) {
      case 'kernel':
      case 'host':
        return `${workNumber(step)}(${step.inputs.join()})${step.outputs.join()}`;
      case 'loop':
        return `loop ${step.length} ${step.rows.join()}${blocks.join('')}`;
      case 'while':
        return `while ${step.predicate}${blocks.join('')}`;
      case 'branch':
        return `branch ${step.index}${blocks.join('')}`;
      default:
        return step satisfies never;
    }
  };
  const steps = plan.steps.map(stepKey);
  const ends = `${plan.inputs.join()}>${plan.outputs.join()}`;
  return [slots.join(';'), steps.join(';'), ends, plan.arenaBytes, ...numberOfKey.keys()].join('\n');
}

/** The function counts by identity. */
function hostKey({ inputs, outputs, params, run }: HostRoutine): string {
  const avals = [inputs, outputs].map((list) => list.map(showAval).join(' '));
  return `host ${idOf(run)}(${avals.join(')>(')})${identityOf(params)}`;
}

function placeKey(place: Place): string {
  switch (place.kind) {
    case 'input':
    case 'donated':
      return `${place.kind}${place.index}`;
    case 'output':
      return place.kind;
    case 'arena':
      return `arena${place.offset}`;
    case 'row':
      return `row${place.of}${place.reverse ? ' reversed' : ''}`;
    default:
      return place satisfies never;
  }
}

/** Plain data (a routine) with every field by name, so that none can be forgotten and their order makes no difference. */
function dataKey(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(dataKey).join()}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([name, field]) => `${name}:${dataKey(field)}`).join()}}`;
}
