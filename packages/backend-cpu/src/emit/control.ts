import {
  type BranchStep,
  dtypeInfo,
  InternalError,
  type LoopStep,
  type Plan,
  type Step,
  type WhileStep,
  type WorkStep,
  workSteps,
} from '@neumann/core/backend';
import type { Code, Local } from '../asm/code.ts';
import type { Turns } from './turns.ts';

/** What the loops and branches of a plan are written with. */
export interface Control {
  readonly code: Code;
  readonly plan: Plan;
  /** The address of each row slot, which moves on with its loop. */
  readonly rows: Map<number, Local>;
  /** Puts the address of a slot on the stack. */
  readonly push: (slot: number) => void;
  /** Whether threads share the work of a step. */
  readonly isDivided: (step: WorkStep) => boolean;
  readonly emitWork: (step: WorkStep, turns: Turns) => void;
}

/**
 * Writes steps one after the other. Every thread takes the same path through loops and branches, which depends only on
 * memory that all of them see: they meet before a predicate or an index is read, and at the end of each pass. A loop
 * without shared work is run by the first thread alone.
 */
export function emitSteps(control: Control, steps: readonly Step[], turns: Turns): void {
  for (const step of steps) {
    if (step.kind === 'kernel' || step.kind === 'host') control.emitWork(step, turns);
    else if (workSteps([step]).some(control.isDivided)) {
      turns.meet();
      emitControl(control, step, turns);
    } else
      turns.alone(step, step.kind === 'branch' ? [step.index] : [], (order) => {
        emitControl(control, step, order);
      });
  }
}

function emitControl(control: Control, step: LoopStep | WhileStep | BranchStep, turns: Turns): void {
  switch (step.kind) {
    case 'loop':
      emitLoop(control, step, turns);
      break;
    case 'while':
      emitWhile(control, step, turns);
      break;
    case 'branch':
      emitBranch(control, step, turns);
      break;
    default:
      step satisfies never;
  }
}

function emitLoop(control: Control, { length, rows, body }: LoopStep, turns: Turns): void {
  const { code, push } = control;
  const moving = rows.map((slot) => ({ address: addressOf(control, slot), ...rowOf(control.plan, slot) }));
  for (const { address, of, reverse, bytes } of moving) {
    push(of);
    if (reverse && length > 1) code.i32((length - 1) * bytes).op('i32.add');
    code.set(address);
  }
  code.repeat(length, () => {
    emitSteps(control, body, turns);
    for (const { address, reverse, bytes } of moving) code.advance(address, reverse ? -bytes : bytes);
    turns.meet();
  });
}

function emitWhile(control: Control, { condition, predicate, body }: WhileStep, turns: Turns): void {
  const { code, push } = control;
  code.block((end) => {
    code.loop((again) => {
      emitSteps(control, condition, turns);
      turns.meet();
      push(predicate);
      code.memory('i32.load8_u').op('i32.eqz').branchIf(end);
      emitSteps(control, body, turns);
      turns.meet();
      code.branch(again);
    });
  });
  turns.meet(); // before anybody writes where the predicate was
}

function emitBranch(control: Control, { index, branches }: BranchStep, turns: Turns): void {
  const { code, push } = control;
  const chosen = code.local('i32');
  push(index);
  code.memory('i32.load').set(chosen);
  const from = (b: number): void => {
    const run = (): void => {
      emitSteps(control, branches[b] ?? [], turns);
      turns.meet();
    };
    if (b === branches.length - 1) run();
    else
      code
        .get(chosen)
        .i32(b)
        .op('i32.eq')
        .if(run, () => {
          from(b + 1);
        });
  };
  from(0);
}

function addressOf({ code, rows }: Control, slot: number): Local {
  const address = rows.get(slot) ?? code.local('i32');
  rows.set(slot, address);
  return address;
}

function rowOf({ slots }: Plan, index: number): { of: number; reverse: boolean; bytes: number } {
  const slot = slots[index];
  if (slot?.place.kind !== 'row') throw new InternalError(`emit: slot ${index} is no row.`);
  const { of, reverse } = slot.place;
  return { of, reverse, bytes: slot.size * dtypeInfo(slot.dtype).bytes };
}
