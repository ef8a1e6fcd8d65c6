/** The checks in a worker, which runs the one whose name it gets, and answers with what was wrong. */
import { makeChecks } from './checks.ts';

const { holds, ...rest } = await makeChecks();

const run = async (name: string): Promise<void> => holds.get(name)?.();

addEventListener('message', ({ data }: MessageEvent<string>) => {
  run(data).then(
    () => postMessage(undefined),
    (error: unknown) => postMessage(String(error)),
  );
});
postMessage({ ...rest, names: [...holds.keys()] });
