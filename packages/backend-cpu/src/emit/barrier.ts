import type { Callable } from '../asm/code.ts';
import type { ModuleBuilder } from '../asm/module.ts';

/**
 * Addresses of the words by which the threads of one run wait for each other, on cache lines of their own below the
 * first block of the heap.
 */
export const BARRIER = {
  /** Threads that have arrived. */
  arrived: 1024,
  /** Raised when all have. */
  generation: 1088,
  /** Threads that gave up spinning. */
  resting: 1152,
  /** How many tasks have been taken from shares, up to the end; zero again after each barrier. */
  counters: 4096,
  end: 65536,
} as const;

/** How often a thread looks whether the others have come before it goes to rest: some 20 µs, and some 3 ms. */
const LEAST_SPINS = 20_000;
const MOST_SPINS = 2_000_000;

/**
 * How often a thread that has worked about as long as `cost` says, of {@link costOf}, looks whether the others have come:
 * about as long. Where threads rest often, systems take them for one that needs no more than one processor.
 */
export function spinsFor(cost: number): number {
  return Math.round(Math.min(MOST_SPINS, Math.max(LEAST_SPINS, cost / 8)));
}

/** What a barrier asks JavaScript for. */
export interface BarrierImports {
  /** Returns when the generation is no longer the one given, or earlier; throws if it never will be. */
  readonly rest: Callable;
  /** Ends the rest of all. */
  readonly wake: Callable;
}

export function importBarrier(builder: ModuleBuilder): BarrierImports {
  return {
    rest: builder.import('rest', { params: ['i32'], results: [] }),
    wake: builder.import('wake', { params: [], results: [] }),
  };
}

/**
 * `(spins, counted)`: returns in each of `threads` threads when all have called it. A thread looks so often before it
 * rests; so many bytes of counters are cleared.
 */
export function defineBarrier(builder: ModuleBuilder, threads: number, imports: BarrierImports): Callable {
  return builder.define({ params: ['i32', 'i32'], results: [] }, (code, [spins = 0, counted = 0]) => {
    const generation = code.local('i32');
    const current = () => code.i32(0).atomic('i32.atomic.load', BARRIER.generation);
    const isLast = () =>
      code
        .i32(0)
        .i32(1)
        .atomic('i32.atomic.rmw.add', BARRIER.arrived)
        .i32(threads - 1)
        .op('i32.eq');
    const open = () => {
      code.i32(BARRIER.counters).i32(0).get(counted).fill();
      code.i32(0).i32(0).atomic('i32.atomic.store', BARRIER.arrived);
      code.i32(0).i32(1).atomic('i32.atomic.rmw.add', BARRIER.generation).op('drop');
      code
        .i32(0)
        .atomic('i32.atomic.load', BARRIER.resting)
        .if(() => code.call(imports.wake));
    };
    const wait = () => {
      code.block((done) =>
        code.loop((again) => {
          current().get(generation).op('i32.ne').branchIf(done);
          code.get(spins).i32(1).op('i32.sub').tee(spins).branchIf(again);
          code.get(generation).call(imports.rest).i32(1).set(spins).branch(again);
        }),
      );
    };
    current().set(generation);
    isLast();
    code.if(open, wait);
  });
}
