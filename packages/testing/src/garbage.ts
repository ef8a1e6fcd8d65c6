/** Collects garbage when it is called, in Node; modules of Node are loaded here alone, so that other engines can run the suites. */
export async function garbageCollector(): Promise<() => void> {
  const { setFlagsFromString } = await import('node:v8');
  const { runInNewContext } = await import('node:vm');
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc');
}
