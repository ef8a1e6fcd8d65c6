/** backend-cpu on a page with the headers of the project, and in a worker of it. */
import { describe, expect, inject, test } from 'vitest';
import { type Checks, makeChecks } from './checks.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** What a page allows. */
    page: Pick<Checks, 'threads' | 'makesCode'>;
  }
}

describe.each([
  ['on the page', await makeChecks()],
  ['in a worker', await makeChecksInWorker()],
])('%s', (_, { holds, ...rest }) => {
  test('threads and code from text are what the headers allow', () => {
    expect(rest).toEqual(inject('page'));
  });
  // oxlint-disable-next-line vitest/expect-expect -- they throw
  test.each([...holds])('%s', (_, check) => check());
});

/** The checks of a worker, which runs them when they are called, one after the other. */
async function makeChecksInWorker(): Promise<Checks> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  const answer = <T>(): Promise<T> =>
    new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data as T);
      worker.onerror = ({ message }) => reject(new Error(message));
    });
  const { names, ...rest } = await answer<Omit<Checks, 'holds'> & { names: readonly string[] }>();
  const check = async (name: string): Promise<void> => {
    worker.postMessage(name);
    const failure = await answer<string | undefined>();
    if (failure !== undefined) throw new Error(failure);
  };
  return { ...rest, holds: new Map(names.map((name) => [name, () => check(name)])) };
}
