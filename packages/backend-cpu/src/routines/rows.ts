import { dtypeInfo, isFloat, type Kernel, type Routine } from '@neumann/core/backend';
import type { Local } from '../asm/code.ts';
import { countTo, type Part, type StepCode, unitsOf } from '../emit/part.ts';
import type { EmitContext } from '../emit/plan.ts';
import { scalarBinary, scalarConst } from '../emit/scalar.ts';
import { vectorBinary, vectorConst } from '../emit/vector.ts';
import { loadSpan, storeSpan, visitRun } from './run.ts';

type Gather = Extract<Routine, { name: 'gather' }>;
type ScatterAdd = Extract<Routine, { name: 'scatterAdd' }>;

/** Rows are divided into as many tasks. */
const TASKS = 64;

/** Copies rows by index. */
export function gather(
  { functions }: EmitContext,
  kernel: Kernel,
  { outer, rows, count, inner }: Gather,
): StepCode | undefined {
  const dtype = kernel.inputs[0]?.dtype;
  if (!dtype || kernel.inputs[1]?.dtype !== 'int32') return undefined;
  const rowBytes = inner * dtypeInfo(dtype).bytes;
  const missing = isFloat(dtype) ? Number.NaN : 0;
  const emit: Part['emit'] = (code, [x = 0, index = 0, out = 0], share) => {
    const [row, from, to, at, left] = code.locals('i32', 5) as [Local, Local, Local, Local, Local];
    const target = { pointer: to, dtype };
    const { first, end } = unitsOf(code, share, TASKS, count);
    code.repeat(outer, () => {
      code.get(out).get(first).i32(rowBytes).op('i32.mul').op('i32.add').set(to);
      code.get(index).get(first).i32(4).op('i32.mul').op('i32.add').set(at);
      code.get(first).set(left);
      countTo(code, left, end, 1, () => {
        code.get(at).memory('i32.load').tee(row).i32(rows).op('i32.lt_u');
        const copy = () => {
          code.get(x).get(row).i32(rowBytes).op('i32.mul').op('i32.add').set(from);
          const source = { pointer: from, dtype };
          visitRun(code, functions, inner, [source, target], 4, (spans) => {
            for (const span of spans) storeSpan(span, target, () => loadSpan(span, source));
          });
        };
        const fill = () =>
          visitRun(code, functions, inner, [target], 4, (spans) => {
            for (const span of spans)
              storeSpan(span, target, () =>
                (span.words.lanes === 1 ? scalarConst : vectorConst)(code, dtype, missing),
              );
          });
        code.if(copy, fill);
        code.advance(at, 4).advance(to, rowBytes);
      });
      code.advance(out, count * rowBytes).advance(x, rows * rowBytes);
    });
  };
  return { scratch: 0, parts: [{ tasks: TASKS, emit }] };
}

/** Adds rows up by index, in the order of the indices: each thread adds up some of the rows. */
export function scatterAdd(
  { functions }: EmitContext,
  kernel: Kernel,
  routine: ScatterAdd,
): StepCode | undefined {
  const { outer, rows, count, inner } = routine;
  const dtype = kernel.inputs[0]?.dtype;
  if (!dtype || kernel.inputs[1]?.dtype !== 'int32') return undefined;
  const rowBytes = inner * dtypeInfo(dtype).bytes;
  const emit: Part['emit'] = (code, [y = 0, index = 0, out = 0], share) => {
    const [row, to, mine] = code.locals('i32', 3) as [Local, Local, Local];
    const [source, target] = [
      { pointer: y, dtype },
      { pointer: to, dtype },
    ];
    const { first, end } = unitsOf(code, share, TASKS, rows);
    code.get(end).get(first).op('i32.sub').set(mine);
    code.repeat(outer, () => {
      code.get(out).get(first).i32(rowBytes).op('i32.mul').op('i32.add').i32(0);
      code.get(mine).i32(rowBytes).op('i32.mul').fill();
      code.repeat(count, () => {
        code.get(index).memory('i32.load').tee(row).get(first).op('i32.sub').get(mine).op('i32.lt_u');
        code.if(() => {
          code.get(out).get(row).i32(rowBytes).op('i32.mul').op('i32.add').set(to);
          visitRun(code, functions, inner, [source, target], 4, (spans) => {
            for (const span of spans)
              storeSpan(span, target, () => {
                loadSpan(span, target);
                loadSpan(span, source);
                (span.words.lanes === 1 ? scalarBinary : vectorBinary)(span.words, dtype, 'add');
              });
          });
        });
        code.advance(index, 4).advance(y, rowBytes);
      });
      code.advance(index, -4 * count).advance(out, rows * rowBytes);
    });
  };
  return { scratch: 0, parts: [{ tasks: TASKS, emit }] };
}
