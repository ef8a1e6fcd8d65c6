import type { Callable } from '../asm/code.ts';
import type { ModuleBuilder } from '../asm/module.ts';
import { BARRIER } from './barrier.ts';

/** Bytes between words that different threads change. */
const LINE = 64;
/** Each thread's share of a part makes about so many pieces. */
const PIECES = 8;

/** Bytes of the counters of one part: one for each thread's share. */
export const counterBytes = (threads: number): number => threads * LINE;

/** The parts between two barriers have counters of their own: there can be so many. */
export const mostCounted = (threads: number): number =>
  Math.floor((BARRIER.end - BARRIER.counters) / counterBytes(threads));

/**
 * `(...operands, scratch, own, thread, counters)`: a thread takes pieces from the front of its share of a part's tasks,
 * and when it has no more, from those of the others. So they end together, although one is slower or came later. `part` is
 * `(...operands, scratch, own, first, end)`; tasks come `together` if they share something that costs.
 */
export function inPieces(
  builder: ModuleBuilder,
  part: Callable,
  { tasks, threads, together }: { tasks: number; threads: number; together: number },
): Callable {
  const piece = together * Math.max(1, Math.floor(tasks / threads / PIECES / together));
  return builder.define({ params: part.params, results: [] }, (code, params) => {
    const [thread = 0, counters = 0] = params.slice(-2);
    const [whose, left, counter] = [code.local('i32'), code.local('i32'), code.local('i32')];
    const [start, stop, first] = [code.local('i32'), code.local('i32'), code.local('i32')];
    const startOf = (next: number) => {
      code.get(whose).i32(next).op('i32.add');
      code.i32(tasks).op('i32.mul').i32(threads).op('i32.div_u');
    };
    code.get(thread).set(whose).i32(threads).set(left);
    code.countdown(left, () => {
      startOf(0);
      code.set(start);
      startOf(1);
      code.set(stop);
      code.get(whose).i32(LINE).op('i32.mul').get(counters).op('i32.add').set(counter);
      code.block((done) =>
        code.loop((again) => {
          code.get(counter).i32(piece).atomic('i32.atomic.rmw.add', 0).get(start).op('i32.add');
          code.tee(first).get(stop).op('i32.ge_s').branchIf(done);
          for (const param of params.slice(0, -2)) code.get(param);
          code.get(first);
          code.get(first).i32(piece).op('i32.add').get(stop);
          code.get(first).i32(piece).op('i32.add').get(stop).op('i32.lt_s').op('select');
          code.call(part).branch(again);
        }),
      );
      code.advance(whose, 1);
      code.i32(0).get(whose).get(whose).i32(threads).op('i32.eq').op('select').set(whose);
    });
  });
}
