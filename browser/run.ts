/**
 * `pnpm browser`: backend-cpu in Chromium, on the page and in a worker of it, on pages of several kinds. The page is built
 * with Vite from the sources. The browser is `CHROMIUM`, or that of the system; without one nothing is run.
 */
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { bundle } from './bundle.ts';
import type { Outcome } from './check.ts';
import { launchChromium, servePage } from './chromium.ts';

const browser = await launchChromium();
if (!browser) {
  console.log('browser: no Chromium here; set CHROMIUM to the path of one.');
  process.exit(0);
}

const isolated = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};
const strict = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'";
const policy = (text: string) => ({ 'content-security-policy': text });

/** Pages by their headers, and how many threads the backend is to have there when it is asked for two. */
const pages: Readonly<Record<string, { headers: Record<string, string>; threads: number }>> = {
  plain: { headers: {}, threads: 1 },
  isolated: { headers: isolated, threads: 2 },
  strict: { headers: policy(strict), threads: 1 },
  'strict, isolated': { headers: { ...isolated, ...policy(strict) }, threads: 1 },
  'strict but for workers, isolated': {
    headers: { ...isolated, ...policy(`${strict}; worker-src 'self' blob:`) },
    threads: 2,
  },
};

const out = await bundle(fileURLToPath(new URL('.', import.meta.url)), ['page', 'worker']);

/** Which page's headers go with scripts too: workers take theirs from their own script. */
let kind = 'plain';
const { address, close } = await servePage(out, () => pages[kind]?.headers ?? {});

let failed = 0;
for (const [name, { threads }] of Object.entries(pages))
  for (const inWorker of [false, true]) {
    kind = name;
    const page = await browser.newPage();
    page.on('pageerror', (error) => console.error(error.message));
    await page.goto(address);
    await page.waitForFunction(() => 'run' in globalThis);
    const outcome = await page.evaluate(
      (flag) => (globalThis as unknown as { run(inWorker: boolean): Promise<Outcome> }).run(flag),
      inWorker,
    );
    const failures = [...outcome.failures];
    if (outcome.threads !== threads) failures.push(`${outcome.threads} threads instead of ${threads}`);
    failed += failures.length;
    const where = `${name} page, ${inWorker ? 'in a worker' : 'on the main thread'}`;
    console.log(
      `${failures.length === 0 ? 'ok' : 'FAILED'} ${where}: ${outcome.passed} checks, ${outcome.threads === 1 ? '1 thread' : `${outcome.threads} threads`}`,
    );
    for (const failure of failures.slice(0, 10)) console.log(`  ${failure}`);
    await page.close();
  }
await browser.close();
close();
process.exit(failed === 0 ? 0 : 1);
