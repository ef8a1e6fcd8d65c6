/** The backend that docs/adding-a-backend.md makes obeys the laws. */
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import * as kernels from '@neumann/core/backend';
import { laws, primitiveRows, runLaws } from '@neumann/testing';

const page = readFileSync(new URL('../../../docs/adding-a-backend.md', import.meta.url), 'utf8');
const code = [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, block]) => block).join('\n');
const [definition = ''] = code.split('setBackend(small);');
// oxlint-disable-next-line typescript/no-implied-eval -- the page's own code
const make = new Function(...Object.keys(kernels), `${stripTypeScriptTypes(definition)}\nreturn small;`);

runLaws(make(...Object.values(kernels)) as kernels.Backend, {
  rows: primitiveRows,
  laws: laws.filter(({ name }) => name === 'result ≡ reference'),
  runs: 0.2,
});
