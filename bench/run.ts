/** `pnpm bench [case...]`: prints markdown tables; without names, all cases. */
import process from 'node:process';
import { cpu } from '@neumann/backend-cpu';
import { setBackend } from '@neumann/core';
import { convolution } from './cases/convolution.ts';
import { gemm } from './cases/gemm.ts';
import { optimizer } from './cases/optimizer.ts';
import { overhead } from './cases/overhead.ts';
import { step } from './cases/step.ts';

const cases: Readonly<Record<string, () => string>> = { overhead, gemm, convolution, optimizer, step };
const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => !Object.hasOwn(cases, name));
if (unknown !== undefined) {
  console.error(
    `bench: there is no case ${JSON.stringify(unknown)}; the cases are ${Object.keys(cases).join(', ')}.`,
  );
  process.exit(2);
}
setBackend(await cpu());
console.log(`Node ${process.version}, ${process.platform} ${process.arch}, one thread.\n`);
for (const [name, run] of Object.entries(cases))
  if (wanted.length === 0 || wanted.includes(name)) console.log(run());
