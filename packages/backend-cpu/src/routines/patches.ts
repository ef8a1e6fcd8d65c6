import type { Code, Local } from '../asm/code.ts';

/** One level of a nest of positions in memory: how many there are, and the bytes between neighbours. */
export interface Level {
  readonly extent: number;
  readonly step: number;
}

/** Puts on the stack how many bytes position number `index` of a nest is away from the first; the last level varies fastest. */
export function offsetIn(code: Code, levels: readonly Level[], index: Local): void {
  const rest = code.local('i32');
  code.get(index).set(rest).i32(0);
  for (const { extent, step } of levels.filter((level) => level.extent > 1).reverse()) {
    code.get(rest).i32(extent).op('i32.rem_u').i32(step).op('i32.mul').op('i32.add');
    code.get(rest).i32(extent).op('i32.div_u').set(rest);
  }
}
