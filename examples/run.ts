/** `node scripts/up.mjs example <name> [options]`: runs one of the examples; without a name, lists them. */
import { globSync } from 'node:fs';
import { basename, dirname } from 'node:path';

const names = globSync('*/main.ts', { cwd: import.meta.dirname })
  .map((path) => basename(dirname(path)))
  .sort();
const [, , name = '', ...args] = process.argv;
if (!names.includes(name)) {
  console.error(
    `${name ? `there is no example ${JSON.stringify(name)}; ` : ''}the examples are ${names.join(', ')}`,
  );
  process.exit(2);
}
process.argv = [process.argv[0] as string, name, ...args];
await import(`./${name}/main.ts`);
