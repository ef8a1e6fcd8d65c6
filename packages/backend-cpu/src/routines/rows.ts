import { dtypeInfo, isFloat, type Kernel, type Routine } from '@neumann/core/backend';
import type { EmitContext } from '../emit/plan.ts';
import { scalarBinary, scalarConst } from '../emit/scalar.ts';
import { vectorBinary, vectorConst } from '../emit/vector.ts';
import type { RoutineCode } from './routine.ts';
import { loadSpan, storeSpan, visitRun } from './run.ts';

type Gather = Extract<Routine, { name: 'gather' }>;
type ScatterAdd = Extract<Routine, { name: 'scatterAdd' }>;

/** Copies rows by index. */
export function gather(
  { functions }: EmitContext,
  kernel: Kernel,
  { outer, rows, count, inner }: Gather,
): RoutineCode | undefined {
  const dtype = kernel.inputs[0]?.dtype;
  if (!dtype || kernel.inputs[1]?.dtype !== 'int32') return undefined;
  const rowBytes = inner * dtypeInfo(dtype).bytes;
  const missing = isFloat(dtype) ? Number.NaN : 0;
  return {
    scratch: 0,
    emit: (code, [x = 0, index = 0, out = 0]) => {
      const [row, from] = [code.local('i32'), code.local('i32')];
      const to = { pointer: out, dtype };
      code.repeat(outer, () => {
        code.repeat(count, () => {
          code.get(index).memory('i32.load').tee(row).i32(rows).op('i32.lt_u');
          const copy = () => {
            code.get(x).get(row).i32(rowBytes).op('i32.mul').op('i32.add').set(from);
            const source = { pointer: from, dtype };
            visitRun(code, functions, inner, [source, to], 4, (spans) => {
              for (const span of spans) storeSpan(span, to, () => loadSpan(span, source));
            });
          };
          const fill = () =>
            visitRun(code, functions, inner, [to], 4, (spans) => {
              for (const span of spans)
                storeSpan(span, to, () =>
                  (span.words.lanes === 1 ? scalarConst : vectorConst)(code, dtype, missing),
                );
            });
          code.if(copy, fill);
          code.advance(index, 4).advance(out, rowBytes);
        });
        code.advance(index, -4 * count).advance(x, rows * rowBytes);
      });
    },
  };
}

/** Adds rows up by index, in the order of the indices. */
export function scatterAdd(
  { functions }: EmitContext,
  kernel: Kernel,
  routine: ScatterAdd,
): RoutineCode | undefined {
  const { outer, rows, count, inner } = routine;
  const dtype = kernel.inputs[0]?.dtype;
  if (!dtype || kernel.inputs[1]?.dtype !== 'int32') return undefined;
  const rowBytes = inner * dtypeInfo(dtype).bytes;
  return {
    scratch: 0,
    emit: (code, [y = 0, index = 0, out = 0]) => {
      const [row, to] = [code.local('i32'), code.local('i32')];
      const [source, target] = [
        { pointer: y, dtype },
        { pointer: to, dtype },
      ];
      code
        .get(out)
        .i32(0)
        .i32(outer * rows * rowBytes)
        .fill();
      code.repeat(outer, () => {
        code.repeat(count, () => {
          code
            .get(index)
            .memory('i32.load')
            .tee(row)
            .i32(rows)
            .op('i32.lt_u')
            .if(() => {
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
    },
  };
}
