import type { Code, Local } from '../asm/code.ts';

/**
 * What a thread gets of a part at a time: the tasks from `first` up to `end`. Every task is got once. Only what has the last
 * task has `end` equal to the number of tasks.
 */
export interface Share {
  readonly first: Local;
  readonly end: Local;
  /** Address of the step's scratch memory, which all threads share. */
  readonly scratch: Local;
  /** Address of the thread's own scratch memory. */
  readonly own: Local;
}

/**
 * A part of a step, divided into tasks that threads run in any order and at the same time. What a task computes, to the
 * last bit, depends on nothing but its number. All tasks of a part are done before the next part begins.
 */
export interface Part {
  /** How many; a part of one task is run by the first thread alone. Depends on the kernel only. */
  readonly tasks: number;
  /** How many at a time a thread may take; if not said, it takes all of its share, as a share begins with something costly. */
  readonly together?: number;
  /** Bytes of scratch memory that each thread wants for itself. */
  readonly own?: number;
  /** Writes the body of a function of the addresses of inputs, then of outputs. */
  readonly emit: (code: Code, params: readonly Local[], share: Share) => void;
}

/** The code of a step: parts that run one after another. */
export interface StepCode {
  /** Bytes of scratch memory that the parts share, and through which one can hand something to the next. */
  readonly scratch: number;
  readonly parts: readonly Part[];
  /** Whether the parts have called the epilogue that they were offered, for all rows of the result. */
  readonly finishes?: boolean;
}

/** Runs `body` for each task of a share; it gets the local that holds the task's number, and must not change it. */
export function eachTask(code: Code, share: Pick<Share, 'first' | 'end'>, body: (task: Local) => void): void {
  const task = code.local('i32');
  code.get(share.first).set(task);
  countTo(code, task, share.end, 1, () => body(task));
}

/** Runs `body` and raises `at` by `step` as long as it is below `end`: possibly never. */
export function countTo(code: Code, at: Local, end: Local, step: number, body: () => void): void {
  code.block((done) => {
    code.get(at).get(end).op('i32.ge_s').branchIf(done);
    code.loop((again) => {
      body();
      code.advance(at, step).get(at).get(end).op('i32.lt_s').branchIf(again);
    });
  });
}

/** The units of work, out of `units`, that belong to a share of `tasks` tasks: its part of the tasks, to within one unit. */
export function unitsOf(
  code: Code,
  share: Pick<Share, 'first' | 'end'>,
  tasks: number,
  units: number,
): { first: Local; end: Local } {
  const rest = units % tasks;
  const [first, end] = [code.local('i32'), code.local('i32')];
  const unit = (task: Local, to: Local) => {
    code
      .get(task)
      .i32(Math.floor(units / tasks))
      .op('i32.mul');
    code.get(task).i32(rest).op('i32.mul').i32(tasks).op('i32.div_u');
    code.op('i32.add').set(to);
  };
  unit(share.first, first);
  unit(share.end, end);
  return { first, end };
}

/**
 * Runs `body` for each group that a share has tasks of, where tasks are numbered group by group, `each` in every one;
 * it gets the group and the share's tasks in it: from `first` up to `end`, at least one.
 */
export function eachGroup(
  code: Code,
  share: Pick<Share, 'first' | 'end'>,
  each: number,
  body: (group: Local, first: Local, end: Local) => void,
): void {
  const [task, group, first, end] = [
    code.local('i32'),
    code.local('i32'),
    code.local('i32'),
    code.local('i32'),
  ];
  code.get(share.first).set(task);
  code.block((done) =>
    code.loop((again) => {
      code.get(task).get(share.end).op('i32.ge_s').branchIf(done);
      code.get(task).i32(each).op('i32.div_u').set(group);
      code.get(task).get(group).i32(each).op('i32.mul').op('i32.sub').set(first);
      code.get(share.end).get(group).i32(each).op('i32.mul').op('i32.sub').tee(end);
      code.i32(each).get(end).i32(each).op('i32.lt_s').op('select').set(end);
      body(group, first, end);
      code.get(task).get(end).get(first).op('i32.sub').op('i32.add').set(task).branch(again);
    }),
  );
}

/** pointer + index * bytes, in a new local */
export function elementAt(code: Code, pointer: Local, index: Local, bytes: number): Local {
  const address = code.local('i32');
  code.get(pointer).get(index).i32(bytes).op('i32.mul').op('i32.add').set(address);
  return address;
}
