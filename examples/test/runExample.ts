/** Runs code of the documentation, and compares what its comments promise. */
import { stripTypeScriptTypes } from 'node:module';
import * as core from '@neumann/core';
import { expect } from 'vitest';

/** `f(x)   // 3` becomes a comparison, and so does `const [y] = f(x);   // 3`. */
function withChecks(code: string): string {
  return code
    .split('\n')
    .map((line) => {
      const [, statement = '', promised = ''] = /^(.*?\S)\s*\/\/ (.*)$/.exec(line) ?? [];
      if (!/^(-?[\d.]+(e-?\d+)?$|\[|[a-z0-9]+\[[\d,]*\]$|true$|false$)/.test(promised)) return line;
      const target = /^(?:const|let) \[?(\w+)\]? = /.exec(statement)?.[1];
      if (/^(const|let) /.test(statement) && !target) return line;
      if (target) return `${statement}\ncheck(${target}, ${JSON.stringify(promised)});`;
      return /^[a-z].*\)$|^[a-z].*\);$/i.test(statement)
        ? `check(${statement.replace(/;$/, '')}, ${JSON.stringify(promised)});`
        : line;
    })
    .join('\n');
}

/** A promise is a value, a shape (`[2, 3]`), or an aval (`f32[2,3]`); anything else is prose. */
function check(actual: unknown, promised: string): void {
  if (/^(f32|f64|i32|u32|u8|bool)\[/.test(promised)) {
    const aval = actual instanceof core.Tensor ? actual.aval : (actual as core.Aval);
    expect(core.showAval(aval)).toBe(promised.replaceAll(' ', ''));
    return;
  }
  const plain = (x: unknown): unknown =>
    x instanceof core.Tensor ? x.toArray() : Array.isArray(x) ? x.map(plain) : x;
  const parsed = parse(promised);
  if (parsed === undefined) return;
  if (actual instanceof core.Tensor && JSON.stringify(actual.shape) === JSON.stringify(parsed)) return;
  expectClose(plain(actual), parsed, 10 ** -(promised.match(/\.(\d+)/)?.[1]?.length ?? 6));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Equal up to a unit in the last digit that the comment shows. */
function expectClose(actual: unknown, promised: unknown, tolerance: number): void {
  if (Array.isArray(promised)) {
    expect(actual).toHaveLength(promised.length);
    for (const [i, p] of promised.entries()) expectClose((actual as unknown[])[i], p, tolerance);
  } else if (typeof promised === 'number')
    expect(Math.abs(Number(actual) - promised)).toBeLessThanOrEqual(tolerance);
  else expect(actual).toBe(promised);
}

const AsyncFunction = (async () => undefined).constructor as new (
  ...parts: string[]
) => (...args: unknown[]) => Promise<void>;

/** Runs `code` in a scope of its own with these names; `f(x)   // 3` is a promise that is kept or fails. */
export async function runExample(code: string, names: Readonly<Record<string, unknown>>): Promise<void> {
  const js = stripTypeScriptTypes(`{\n${withChecks(code)}\n}`);
  const run = new AsyncFunction('check', ...Object.keys(names), js);
  await run(check, ...Object.values(names));
}
