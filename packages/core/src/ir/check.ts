import { type Aval, showAval } from '../aval.ts';
import { type DType, dtypeInfo } from '../dtype.ts';
import { InternalError } from '../errors.ts';
import {
  binaryFunctions,
  compareFunctions,
  isBitcastable,
  isNumberOf,
  unaryFunctions,
} from '../reference/scalar.ts';
import { type Shape, sizeOf } from '../shape.ts';
import { nodesOf } from './expr.ts';
import type { ConvGeometry, Expr, Kernel, Reduction, Routine, WindowGeometry } from './kernel.ts';
import { type Place, type Plan, type Slot, type Step, stepName } from './plan.ts';
import { readsPointwise } from './pointwise.ts';

/**
 * Throws unless the kernel is well-formed. What passes has a meaning (`reference/interpret.ts`), provided that
 * unguarded indices stay in range.
 */
export function checkKernel(kernel: Kernel): void {
  const { name, axes, reduceAxes, reductions, outputs } = kernel;
  const fail: Fail = (what) => {
    throw new InternalError(`kernel ${name}: ${what}.`);
  };
  for (const [what, shape] of [
    ['axes', axes],
    ['reduceAxes', reduceAxes],
    ...kernel.inputs.map((aval, i) => [`the shape of input ${i}`, aval.shape] as const),
  ] as const)
    if (!shape.every(isCount)) fail(`${what} [${shape.join(',')}] must hold non-negative integers`);
  if (outputs.length === 0) fail('it has no output');
  if (reductions.length === 0 && reduceAxes.length > 0) fail('it has reduceAxes but no reduction');
  for (const [i, { op, value }] of reductions.entries()) {
    const nodes = nodesOf([value]);
    for (const node of nodes) checkNode(node, kernel, fail);
    if (nodes.some((node) => node.kind === 'acc')) fail(`reduction ${i} reads acc, which only outputs may`);
    checkReduction(i, op, value.dtype, reduceAxes, fail);
  }
  for (const node of nodesOf(outputs)) {
    checkNode(node, kernel, fail);
    if (node.kind === 'coord' && node.axis >= axes.length)
      fail(`an output reads coord ${node.axis}, which is a reduce axis; only reductions may`);
  }
  if (kernel.routine) checkRoutine(kernel, kernel.routine, fail);
}

/**
 * Throws unless the plan is well-formed: every kernel is, every slot is written once and before it is read, sizes and
 * dtypes agree, and no slot takes the place of one that is still needed.
 */
export function checkPlan(plan: Plan): void {
  const fail: Fail = (what) => {
    throw new InternalError(`plan: ${what}.`);
  };
  const slotAt = (index: number, what: string): Slot =>
    plan.slots[index] ?? fail(`${what} slot ${index} does not exist`);
  for (const [i, slot] of plan.slots.entries()) checkSlot(plan, i, slot, fail);

  const lifetimes: Lifetime[] = plan.slots.map(() => ({ from: Infinity, to: -Infinity }));
  for (const [i, slot] of plan.inputs.entries()) {
    const { place } = slotAt(slot, `argument ${i}:`);
    if (place.kind !== 'input' || place.index !== i)
      fail(`argument ${i} is slot ${slot}, whose place is ${showPlace(place)}, not input ${i}`);
    lifetimes[slot] = { from: -1, to: -1 };
  }
  const checked = new Set<Kernel>();
  for (const [s, step] of plan.steps.entries()) {
    if (step.kind === 'kernel' && !checked.has(step.kernel)) {
      checkKernel(step.kernel);
      checked.add(step.kernel);
    }
    checkStep(s, step, slotAt, lifetimes, fail);
  }
  for (const [i, slot] of plan.outputs.entries()) {
    const { place } = slotAt(slot, `result ${i}:`);
    const lifetime = lifetimes[slot] as Lifetime;
    if (lifetime.from === Infinity) fail(`result ${i}: slot ${slot} is never written`);
    if (place.kind === 'arena') fail(`result ${i}: slot ${slot} lies in the arena and cannot be handed out`);
    lifetime.to = plan.steps.length;
  }
  for (const [i, { place }] of plan.slots.entries())
    if ((place.kind === 'output' || place.kind === 'donated') && !plan.outputs.includes(i))
      fail(`slot ${i} has place ${showPlace(place)} but is no result`);
  checkOverlaps(plan, lifetimes, fail);
}

type Fail = (what: string) => never;

/* ---- Kernels ---- */

function checkNode(node: Expr, kernel: Kernel, fail: Fail): void {
  const { inputs, axes, reduceAxes, reductions } = kernel;
  const want = (what: string, x: Expr, dtype: DType): void => {
    if (x.dtype !== dtype) fail(`${what} must be ${dtype}, but is ${x.dtype}`);
  };
  switch (node.kind) {
    case 'const':
      if (!isNumberOf(node.dtype, node.value))
        fail(`the constant ${node.value} is not a number of ${node.dtype}`);
      return;
    case 'coord': {
      const rank = axes.length + reduceAxes.length;
      if (!isCount(node.axis) || node.axis >= rank)
        fail(`coord ${node.axis} is out of range: there are ${rank} axes`);
      want(`coord ${node.axis}`, node, 'int32');
      return;
    }
    case 'load': {
      const aval = inputs[node.input] ?? fail(`load ${node.input}: there are ${inputs.length} inputs`);
      const what = `load ${node.input} ${showAval(aval)}`;
      want(what, node, aval.dtype);
      if (node.index.length !== aval.shape.length)
        fail(`${what} has ${node.index.length} indices; it needs one for each axis`);
      for (const [axis, index] of node.index.entries()) want(`${what}: index ${axis}`, index, 'int32');
      if (node.guard) want(`${what}: the guard`, node.guard, 'bool');
      return;
    }
    case 'unary':
      if (!unaryFunctions[node.dtype][node.op]) fail(`${node.op} is not defined for ${node.dtype}`);
      want(`${node.op}: the operand`, node.x, node.dtype);
      return;
    case 'binary':
      if (!binaryFunctions[node.dtype][node.op]) fail(`${node.op} is not defined for ${node.dtype}`);
      want(`${node.op}: the left operand`, node.x, node.dtype);
      want(`${node.op}: the right operand`, node.y, node.dtype);
      return;
    case 'compare':
      if (!compareFunctions[node.op]) fail(`${node.op} is no comparison`);
      want(`${node.op}: the result`, node, 'bool');
      want(`${node.op}: the right operand`, node.y, node.x.dtype);
      return;
    case 'select':
      want('select: the condition', node.cond, 'bool');
      want('select: the first branch', node.x, node.dtype);
      want('select: the second branch', node.y, node.dtype);
      return;
    case 'cast':
      return;
    case 'bitcast':
      for (const { dtype } of [node, node.x])
        if (!isBitcastable(dtype))
          fail(`bitcast is not defined for ${dtype}, only for float32, int32 and uint32`);
      return;
    case 'acc': {
      const { op, value } =
        reductions[node.index] ?? fail(`acc ${node.index}: there are ${reductions.length} reductions`);
      want(`acc ${node.index}`, node, op === 'argmax' || op === 'argmin' ? 'int32' : value.dtype);
      return;
    }
    default:
      node satisfies never;
  }
}

function checkReduction(i: number, op: Reduction['op'], dtype: DType, reduceAxes: Shape, fail: Fail): void {
  if ((op === 'add' || op === 'mul') && dtype === 'bool')
    fail(`reduction ${i}: ${op} is not defined for bool`);
  if ((op === 'argmax' || op === 'argmin') && sizeOf(reduceAxes) === 0)
    fail(`reduction ${i}: ${op} over no elements`);
}

/** A routine has one output, and operands and a result as large as its parameters say; one parameter may stand for several axes. */
function checkRoutine({ inputs, axes, outputs }: Kernel, routine: Routine, fail: Fail): void {
  if (outputs.length !== 1) fail(`${routine.name} has ${outputs.length} outputs; a routine has one`);
  const { operands, result } = signatureOf(routine);
  const dtype = inputs[0]?.dtype as DType;
  if (inputs.length !== operands.length)
    fail(`${routine.name} takes ${operands.length} inputs, but there are ${inputs.length}`);
  const check = (what: string, got: Aval, { shape, role }: Operand): void => {
    const want = { shape, dtype: role === 'position' ? ('int32' as const) : dtype };
    if (got.dtype !== want.dtype || sizeOf(got.shape) !== sizeOf(shape))
      fail(`${routine.name}: ${what} must be ${showAval(want)}, but is ${showAval(got)}`);
  };
  for (const [i, operand] of operands.entries()) check(`input ${i}`, inputs[i] as Aval, operand);
  check('the result', { shape: axes, dtype: outputs[0]?.dtype as DType }, result);
}

interface Operand {
  readonly shape: Shape;
  /** Values share the dtype of input 0; positions are int32. */
  readonly role: 'value' | 'position';
}

function signatureOf(routine: Routine): { operands: readonly Operand[]; result: Operand } {
  const value = (...shape: Shape): Operand => ({ shape, role: 'value' });
  const position = (...shape: Shape): Operand => ({ shape, role: 'position' });
  switch (routine.name) {
    case 'matmul': {
      const { batch, m, n, k, transposeX, transposeY } = routine;
      const x = transposeX ? value(batch, k, m) : value(batch, m, k);
      const y = transposeY ? value(batch, n, k) : value(batch, k, n);
      return { operands: [x, y], result: value(batch, m, n) };
    }
    case 'conv': {
      const operands = convOperands(routine.conv, value);
      const target = ['x', 'w', 'y'].indexOf(routine.target);
      return { operands: operands.filter((_, i) => i !== target), result: operands[target] as Operand };
    }
    case 'windowSum': {
      const { x, y } = windowOperands(routine.window, value);
      return routine.target === 'y' ? { operands: [x], result: y } : { operands: [y], result: x };
    }
    case 'windowMax': {
      const { x, y } = windowOperands(routine.window, value);
      return { operands: [x], result: y };
    }
    case 'windowArgmax':
      return {
        operands: [windowOperands(routine.window, value).x],
        result: windowOperands(routine.window, position).y,
      };
    case 'windowGather': {
      const { x, y } = windowOperands(routine.window, value);
      const positions = windowOperands(routine.window, position).y;
      return routine.target === 'y'
        ? { operands: [x, positions], result: y }
        : { operands: [y, positions], result: x };
    }
    case 'gather':
    case 'scatterAdd': {
      const { outer, rows, count, inner } = routine;
      const [x, y] = [value(outer, rows, inner), value(outer, count, inner)];
      return routine.name === 'gather'
        ? { operands: [x, position(count)], result: y }
        : { operands: [y, position(count)], result: x };
    }
    default:
      return routine satisfies never;
  }
}

function convOperands(g: ConvGeometry, of: (...shape: Shape) => Operand): Operand[] {
  return [of(g.n, ...g.x, g.c), of(...g.kernel, g.c / g.groups, g.f), of(g.n, ...g.y, g.f)];
}

function windowOperands(g: WindowGeometry, of: (...shape: Shape) => Operand): { x: Operand; y: Operand } {
  return { x: of(g.n, ...g.x, g.c), y: of(g.n, ...g.y, g.c) };
}

function isCount(n: number): boolean {
  return Number.isInteger(n) && n >= 0;
}

/* ---- Plans ---- */

/** The steps from the one that writes a slot (-1: an argument) to the last that reads it (the number of steps: a result). */
interface Lifetime {
  from: number;
  to: number;
}

function checkSlot(plan: Plan, i: number, { dtype, size, place }: Slot, fail: Fail): void {
  if (!isCount(size)) fail(`slot ${i} has ${size} elements`);
  const bytes = size * dtypeInfo(dtype).bytes;
  if (place.kind === 'arena') {
    if (!isCount(place.offset) || place.offset % 64 !== 0)
      fail(`slot ${i} is at ${place.offset} of the arena, no multiple of 64`);
    if (place.offset + bytes > plan.arenaBytes)
      fail(`slot ${i} ends at ${place.offset + bytes} of an arena of ${plan.arenaBytes} bytes`);
  }
  if (place.kind === 'input' && plan.inputs[place.index] !== i)
    fail(`slot ${i} has place input ${place.index}, but that argument is slot ${plan.inputs[place.index]}`);
  if (place.kind === 'donated') {
    const argument = plan.slots[plan.inputs[place.index] ?? -1];
    if (!argument) fail(`slot ${i} takes the memory of argument ${place.index} of ${plan.inputs.length}`);
    const available = argument.size * dtypeInfo(argument.dtype).bytes;
    if (bytes !== available)
      fail(`slot ${i} of ${bytes} bytes takes the memory of argument ${place.index}, which has ${available}`);
  }
}

function checkStep(
  s: number,
  step: Step,
  slotAt: (index: number, what: string) => Slot,
  lifetimes: Lifetime[],
  fail: Fail,
): void {
  const name = `step ${s} (${stepName(step)})`;
  const { inputs, outputs } = step;
  const work = worksOn(step);
  if (inputs.length !== work.inputs.length)
    fail(`${name} has ${inputs.length} inputs, its ${work.what} ${work.inputs.length}`);
  if (outputs.length !== work.outputs.length)
    fail(`${name} has ${outputs.length} outputs, its ${work.what} ${work.outputs.length}`);
  for (const [i, aval] of work.inputs.entries()) {
    const slot = inputs[i] as number;
    const what = `${name} input ${i}`;
    checkHolds(what, slot, slotAt(slot, `${what}:`), work.what, aval, fail);
    const lifetime = lifetimes[slot] as Lifetime;
    if (lifetime.from >= s) fail(`${what}: slot ${slot} is read before it is written`);
    lifetime.to = s;
  }
  for (const [i, aval] of work.outputs.entries()) {
    const slot = outputs[i] as number;
    const what = `${name} output ${i}`;
    checkHolds(what, slot, slotAt(slot, `${what}:`), work.what, aval, fail);
    if (lifetimes[slot]?.from !== Infinity) fail(`${what}: slot ${slot} is written a second time`);
    lifetimes[slot] = { from: s, to: s };
  }
}

/** What a step reads and writes. */
function worksOn(step: Step): { what: string; inputs: readonly Aval[]; outputs: readonly Aval[] } {
  switch (step.kind) {
    case 'kernel': {
      const { inputs, axes, outputs } = step.kernel;
      return { what: 'kernel', inputs, outputs: outputs.map(({ dtype }) => ({ shape: axes, dtype })) };
    }
    case 'host':
      return { what: 'host routine', inputs: step.host.inputs, outputs: step.host.outputs };
    default:
      return step satisfies never;
  }
}

function checkHolds(what: string, index: number, slot: Slot, work: string, aval: Aval, fail: Fail): void {
  if (slot.dtype !== aval.dtype || slot.size !== sizeOf(aval.shape))
    fail(`${what}: slot ${index} holds ${slot.size} of ${slot.dtype}, but the ${work} has ${showAval(aval)}`);
}

/** Slots that share bytes must not share steps, but for a pointwise step that writes into its own input. */
function checkOverlaps(plan: Plan, lifetimes: readonly Lifetime[], fail: Fail): void {
  const regions = plan.slots
    .map((slot, index) => ({ index, ...regionOf(slot), ...(lifetimes[index] as Lifetime) }))
    .filter((r) => r.space !== undefined && r.bytes > 0 && r.from !== Infinity)
    .sort((a, b) => a.from - b.from);
  for (const [i, a] of regions.entries())
    for (const b of regions.slice(i + 1)) {
      const apart = a.space !== b.space || a.start + a.bytes <= b.start || b.start + b.bytes <= a.start;
      if (apart || a.to < b.from) continue;
      const step = plan.steps[b.from];
      const inPlace =
        a.to === b.from &&
        a.from < b.from &&
        a.start === b.start &&
        step &&
        writesInPlace(plan, step, a.index, b.index);
      if (!inPlace)
        fail(
          `slots ${a.index} and ${b.index} share memory (${showPlace(plan.slots[a.index]?.place)}, ` +
            `${showPlace(plan.slots[b.index]?.place)}) while both are needed at step ${b.from}` +
            (step ? ` (${stepName(step)})` : ''),
        );
    }
}

/** Whether `step` reads slot `from` only at the points where it writes `to`, of the same element size. */
function writesInPlace(plan: Plan, step: Step, from: number, to: number): boolean {
  const bytes = (slot: number): number => dtypeInfo(plan.slots[slot]?.dtype as DType).bytes;
  return (
    step.kind === 'kernel' &&
    bytes(from) === bytes(to) &&
    step.inputs.every((slot, input) => slot !== from || readsPointwise(step.kernel, input))
  );
}

/** The bytes that a slot occupies; none of its own space if its memory is new. */
function regionOf({ dtype, size, place }: Slot): { space: string | undefined; start: number; bytes: number } {
  const bytes = size * dtypeInfo(dtype).bytes;
  switch (place.kind) {
    case 'output':
      return { space: undefined, start: 0, bytes };
    case 'input':
    case 'donated':
      return { space: `argument ${place.index}`, start: 0, bytes };
    case 'arena':
      return { space: 'arena', start: place.offset, bytes };
    default:
      return place satisfies never;
  }
}

function showPlace(place: Place | undefined): string {
  if (place?.kind === 'arena') return `arena at ${place.offset}`;
  return place && 'index' in place ? `${place.kind} ${place.index}` : String(place?.kind);
}
