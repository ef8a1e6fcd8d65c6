/** What Node has and browsers have not. No imports, which bundlers for browsers would try to resolve. */
const { process } = globalThis as {
  process?: { versions?: { node?: string }; getBuiltinModule?(name: string): unknown };
};

/** A module of Node by its name without `node:`; nothing elsewhere. */
export function builtin<T>(name: string): T | undefined {
  return process?.getBuiltinModule?.(`node:${name}`) as T | undefined;
}

/** `26.10.0`; nothing elsewhere. */
export function nodeVersion(): string | undefined {
  return process?.versions?.node;
}
