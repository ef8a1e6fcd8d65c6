import { check } from './check.ts';

/** Called from outside, once for each mode. */
Object.assign(globalThis, { run: check });
