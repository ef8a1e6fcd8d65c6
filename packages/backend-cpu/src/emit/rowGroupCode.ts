import type { KernelStep, Plan } from '@neumann/core/backend';
import type { Callable, Code, Local } from '../asm/code.ts';
import { TASKS } from './emitNest.ts';
import { type EmitRows, rowsCode } from './kernel.ts';
import { countTo, type StepCode, unitsOf } from './part.ts';
import type { EmitContext } from './plan.ts';
import { type RowGroup, rowBytesOf } from './rowGroup.ts';
import { splitRows } from './splitRows.ts';

/** Rows that are handled together take about as many bytes: they stay in the fastest cache. */
const BLOCK_BYTES = 2 ** 15;

/**
 * Block by block of rows, each step of a group. Where only the group uses a slot, its rows lie in the thread's own memory,
 * where those of the block before lay. Its parameters are the addresses of the group's inputs, then of its outputs.
 */
export function rowGroupCode(context: EmitContext, plan: Plan, group: RowGroup): StepCode | undefined {
  const { steps, rows, inputs, outputs, inner } = group;
  const emitters: EmitRows[] = [];
  for (const { kernel } of steps) {
    const byRows = splitRows(kernel, rows);
    const emit = byRows && rowsCode(context.functions, byRows);
    if (!emit) return undefined;
    emitters.push(emit);
  }
  const all = [...inputs, ...outputs, ...inner];
  const rowBytes = all.reduce((sum, slot) => sum + Math.floor(rowBytesOf(plan, slot, rows)), 0);
  const height = Math.max(1, Math.min(Math.floor(BLOCK_BYTES / rowBytes), Math.floor(rows / TASKS)));
  let own = 0;
  const places = inner.map((slot) => {
    const bytes = rowBytesOf(plan, slot, rows);
    const at = own;
    own += Math.ceil((bytes * height) / 64) * 64;
    return { slot, bytes, at };
  });
  const functions = steps.map((step, i) => define(context, step, emitters[i]));
  const emit: StepCode['parts'][number]['emit'] = (code, params, share) => {
    const addresses = new Map([...inputs, ...outputs].map((slot, i) => [slot, params[i] ?? 0]));
    for (const { slot } of places) addresses.set(slot, code.local('i32'));
    const { first, end } = unitsOf(code, share, TASKS, Math.ceil(rows / height));
    const [from, to] = [code.local('i32'), code.local('i32')];
    countTo(code, first, end, 1, () => {
      code.get(first).i32(height).op('i32.mul').set(from);
      code.get(from).i32(height).op('i32.add').set(to);
      if (rows % height > 0) code.get(to).i32(rows).get(to).i32(rows).op('i32.lt_s').op('select').set(to);
      for (const { slot, bytes, at } of places) {
        code.get(share.own).i32(at).op('i32.add').get(from).i32(bytes).op('i32.mul').op('i32.sub');
        code.set(addresses.get(slot) ?? 0);
      }
      for (const [i, step] of steps.entries()) {
        for (const slot of [...step.inputs, ...step.outputs]) code.get(addresses.get(slot) ?? 0);
        code
          .get(from)
          .get(to)
          .call(functions[i] as Callable);
      }
    });
  };
  return { scratch: 0, parts: [{ tasks: TASKS, together: 1, own, emit }] };
}

/** A function of the addresses of a step's operands, and of the rows that it does. */
function define({ builder }: EmitContext, step: KernelStep, emit: EmitRows | undefined): Callable {
  const operands = step.inputs.length + step.outputs.length;
  const params = Array.from({ length: operands + 2 }, () => 'i32' as const);
  return builder.define({ params, results: [] }, (code: Code, locals: readonly Local[]) => {
    const [first = 0, end = 0] = locals.slice(operands);
    emit?.(code, locals.slice(0, operands), { first, end });
  });
}
