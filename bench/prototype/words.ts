/** What the kernels of the prototype are written with: the assembler of backend-cpu, and nothing else of it. */
import type { Callable, Code, Local } from '../../packages/backend-cpu/src/asm/code.ts';
import { ModuleBuilder } from '../../packages/backend-cpu/src/asm/module.ts';

export type { Callable, Code, Local };
export { ModuleBuilder };

/** A function of `count` addresses or numbers. */
export function define(
  builder: ModuleBuilder,
  count: number,
  body: (code: Code, ...params: Local[]) => void,
  name?: string,
): Callable {
  const params = new Array<'i32'>(count).fill('i32');
  return builder.define({ params, results: [] }, (code, locals) => body(code, ...locals), name);
}

/** Remembers what was made for the same key. */
export function memo<K extends readonly (number | boolean)[], V>(make: (...key: K) => V): (...key: K) => V {
  const made = new Map<string, V>();
  return (...key) => {
    const value = made.get(key.join()) ?? make(...key);
    made.set(key.join(), value);
    return value;
  };
}

/** Puts pointer + bytes on the stack. */
export function at(code: Code, pointer: Local, bytes: number): Code {
  return bytes === 0 ? code.get(pointer) : code.get(pointer).i32(bytes).op('i32.add');
}

export function load(code: Code, from: Local, offset = 0): Code {
  return code.get(from).memory('v128.load', offset);
}

export function store(code: Code, to: Local, offset: number, push: () => void): void {
  code.get(to);
  push();
  code.memory('v128.store', offset);
}

/** Puts a vector of one number on the stack. */
export function splat(code: Code, value: number): Code {
  return code.v128(new Uint8Array(new Float32Array(4).fill(value).buffer));
}
