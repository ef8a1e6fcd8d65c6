/** A string that is equal for equal plain data; functions, programs and class instances count by identity. */
const ids = new WeakMap<object, number>();
let next = 0;

/** A number for an object or function, the same for the same one. */
export function idOf(x: object): number {
  let id = ids.get(x);
  if (id === undefined) {
    id = next++;
    ids.set(x, id);
  }
  return id;
}

export function identityOf(value: unknown): string {
  switch (typeof value) {
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value);
    case 'string':
      return `"${value.replaceAll('"', '""')}"`;
    case 'function':
      return `#${idOf(value)}`;
    case 'symbol':
      return value.description ?? 'symbol';
    case 'object': {
      if (value === null) return 'null';
      if (Array.isArray(value)) return `[${value.map(identityOf).join()}]`;
      const prototype: unknown = Object.getPrototypeOf(value);
      if (prototype !== Object.prototype && prototype !== null) return `#${idOf(value)}`;
      if ('equations' in value) return `#${idOf(value)}`;
      return `{${Object.entries(value)
        .map(([k, v]) => `${k}:${identityOf(v)}`)
        .join()}}`;
    }
    default:
      return String(value);
  }
}
