import { check, type Outcome } from './check.ts';

/** Called from outside, once in each kind of page. */
const run = (inWorker: boolean): Promise<Outcome> =>
  inWorker
    ? new Promise((resolve, reject) => {
        const worker = new Worker('/worker.js', { type: 'module' });
        worker.onmessage = ({ data }) => resolve(data as Outcome);
        worker.onerror = ({ message }) => reject(new Error(message));
      })
    : // Later: what is called from outside may do what the page's own policy forbids, until its first turn is over.
      new Promise((resolve) => setTimeout(resolve)).then(check);

Object.assign(globalThis, { run });
