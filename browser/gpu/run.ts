/**
 * `pnpm browser:gpu`: backend-gpu in Chromium in the modes `webgl2` and `webgpu`, on software devices where there is no
 * graphics card. The browser is `CHROMIUM`, or that of the system; what cannot run is named.
 */
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { bundle } from '../bundle.ts';
import { launchChromium, servePage } from '../chromium.ts';
import type { Outcome } from './check.ts';

const browser = await launchChromium();
if (!browser) {
  console.log(
    'backend-gpu in browsers: webgl2 skipped, webgpu skipped: no Chromium here; set CHROMIUM to the path of one.',
  );
  process.exit(0);
}

const out = await bundle(fileURLToPath(new URL('.', import.meta.url)), ['page']);
const { address, close } = await servePage(out);
const [modes = 'webgl2,webgpu', only] = process.argv.slice(2);
let failed = 0;
for (const mode of modes.split(',')) {
  const page = await browser.newPage();
  page.on('pageerror', (error) => console.error(error.message));
  await page.goto(address);
  await page.waitForFunction(() => 'run' in globalThis);
  const outcome = await page.evaluate(
    ([mode, only]) =>
      (globalThis as unknown as { run(mode: string, only?: string): Promise<Outcome> })
        .run(mode as string, only)
        .catch((error: unknown) => ({ device: 'none', passed: 0, refused: [], failures: [String(error)] })),
    [mode, only],
  );
  failed += outcome.failures.length;
  console.log(
    `${outcome.failures.length === 0 ? 'ok' : 'FAILED'} ${mode} on ${outcome.device}: ${outcome.passed} checks; ` +
      `only refusals: ${outcome.refused.join(', ') || 'nothing'}`,
  );
  for (const failure of outcome.failures) console.log(`  ${failure}`);
  await page.close();
}
await browser.close();
close();
process.exitCode = failed === 0 ? 0 : 1;
