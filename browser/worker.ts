import { check } from './check.ts';

check().then(
  (outcome) => postMessage(outcome),
  (error: unknown) => postMessage({ threads: 0, passed: 0, failures: [String(error)] }),
);
