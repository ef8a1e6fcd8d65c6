/** docs/performance.md and docs/performance.json: each table has a place of its own, which only its measurement rewrites. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const path = fileURLToPath(new URL('../docs/performance', import.meta.url));

/** The first lines of the two parts; the second goes to the end of the file. */
const starts = {
  gpu: '<!-- made by pnpm bench gpu: down to the next such line -->',
  cpu: '<!-- made by pnpm bench: everything below -->',
};

export function writeTables(part: keyof typeof starts, text: string, data: object): void {
  const page = existsSync(`${path}.md`) ? readFileSync(`${path}.md`, 'utf8') : '# Performance\n\n';
  const [before, rest = ''] = page.split(starts[part]);
  const after = part === 'gpu' ? rest.slice(Math.max(0, rest.indexOf(starts.cpu))) : '';
  writeFileSync(`${path}.md`, `${before}${starts[part]}\n\n${text}${after === '' ? '' : `\n${after}`}`);
  const known = existsSync(`${path}.json`)
    ? (JSON.parse(readFileSync(`${path}.json`, 'utf8')) as object)
    : {};
  const next = part === 'cpu' ? { ...known, ...data } : { ...known, gpu: data };
  writeFileSync(`${path}.json`, `${JSON.stringify(next, undefined, 1)}\n`);
}
