/** Lists in which some items are chosen by flags. */

/** The items where the flags are set, `null` elsewhere. */
export function spread<T>(flags: readonly boolean[], items: readonly T[]): (T | null)[] {
  let next = 0;
  return flags.map((is) => (is ? (items[next++] as T) : null));
}

/** Takes items from the front of a list, so many at a time. */
export function taker<T>(items: readonly T[]): (count: number) => T[] {
  let next = 0;
  return (count) => {
    const taken = items.slice(next, next + count);
    next += count;
    return taken;
  };
}

/** The smallest set that contains `start` and to which `step` adds nothing. */
export function growUntilStable<T>(
  start: readonly boolean[],
  step: (flags: readonly boolean[]) => { readonly flags: readonly boolean[]; readonly value: T },
): { readonly flags: readonly boolean[]; readonly value: T } {
  let flags = start;
  for (;;) {
    const found = step(flags);
    const grown = flags.map((is, i) => is || found.flags[i] === true);
    if (grown.every((is, i) => is === flags[i])) return { flags, value: found.value };
    flags = grown;
  }
}
