// What every subject in Node does: it reads one request a line from standard input and answers each with one line.
// A request names a workload and its parameters; the answer is the time of one run in milliseconds, averaged over a while.
import process from 'node:process';
import { createInterface } from 'node:readline';

/**
 * @param {Record<string, (params: any) => (() => unknown) | Promise<() => unknown>>} workloads Each makes a function to be timed.
 */
export async function serve(workloads) {
  const prepared = new Map();
  for await (const line of createInterface({ input: process.stdin })) {
    const { workload, params, quantum } = JSON.parse(line);
    const key = JSON.stringify([workload, params]);
    let answer;
    try {
      if (!Object.hasOwn(workloads, workload)) throw new Error('no such workload');
      if (!prepared.has(key)) {
        prepared.clear(); // one at a time: memory
        const run = await workloads[workload](params);
        for (let i = 0; i < 2; i++) await run(); // compiles
        prepared.set(key, run);
      }
      answer = await time(prepared.get(key), quantum);
    } catch (error) {
      answer = { error: String(error?.message ?? error).split('\n')[0] };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
}

/** Each turn begins with so many milliseconds that do not count: processes wake up with cold caches and sleeping threads. */
const WARM_UP = 5;

/** A workload that measures itself returns what is to be answered. */
async function time(run, quantum) {
  let start = performance.now();
  let [count, elapsed, warm] = [0, 0, false];
  do {
    const result = run();
    if (result instanceof Promise) {
      const answer = await result;
      if (answer?.answer) return answer.answer;
    }
    count++;
    elapsed = performance.now() - start;
    if (!warm && elapsed >= WARM_UP && elapsed < quantum) {
      warm = true;
      start = performance.now();
      [count, elapsed] = [0, 0];
    }
  } while (elapsed < quantum);
  return { ms: elapsed / count };
}
