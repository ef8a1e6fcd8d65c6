/**
 * `pnpm browser:gpu`: backend-gpu in Chromium in the modes `webgl2` and `webgpu`, on software devices where there is no
 * graphics card. The browser is `CHROMIUM`, or that of the system; what cannot run is named.
 */
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { GpuMode } from '@neumann/backend-gpu';
import type { Browser, Page } from 'playwright-core';
import { bundle } from '../bundle.ts';
import { launchChromium, servePage } from '../chromium.ts';
import type { Outcome } from './check.ts';
import type { Calls } from './page.ts';
import { canLimit, limitMemory } from './shortage.ts';

const first = await launchChromium();
if (!first) {
  console.log(
    'modes in Chromium: webgl2 skipped; webgpu skipped (there is no Chromium; set CHROMIUM to the path of one)',
  );
  process.exit(0);
}
await first.close();

const out = await bundle(fileURLToPath(new URL('.', import.meta.url)), ['page']);
const { address, close } = await servePage(out);
const [modes = 'webgl2,webgpu', only] = process.argv.slice(2);

/** What went wrong. */
type Failures = readonly string[];

async function withPage<T>(browser: Browser, f: (page: Page) => Promise<T>): Promise<T> {
  const page = await browser.newPage();
  page.on('pageerror', (error) => console.error(error.message));
  await page.goto(address);
  await page.waitForFunction(() => 'calls' in globalThis);
  try {
    return await f(page);
  } finally {
    await page.close();
  }
}

/** Calls what `page.ts` has. */
const call = async <Name extends keyof Calls>(
  page: Page,
  name: Name,
  ...values: Parameters<Calls[Name]>
): Promise<Awaited<ReturnType<Calls[Name]>>> =>
  page.evaluate(
    ([name, values]) =>
      (globalThis as unknown as { calls: Record<string, (...values: unknown[]) => Promise<never>> }).calls[
        name
      ]?.(...values) as Promise<never>,
    [name, values] as const,
  );

/** The whole process of the device dies, of which the page is told later than it asks. */
async function crash(page: Page, mode: GpuMode, first: string): Promise<Failures> {
  await call(page, 'startWork', mode, first);
  const session = await page.context().browser()?.newBrowserCDPSession();
  await session?.send('Browser.crashGpuProcess').catch(() => undefined); // the answer dies with it
  return await call(page, 'afterLoss').then(
    () => [],
    (error: unknown) => [`after a crash, ${first} first: ${String(error)}`],
  );
}

/** The process of the device gets no more memory, while tensors are made. */
async function exhaust(page: Page, mode: GpuMode): Promise<Failures> {
  await call(page, 'startFilling', mode);
  const session = await page.context().browser()?.newBrowserCDPSession();
  const { processInfo } = (await session?.send('SystemInfo.getProcessInfo')) ?? { processInfo: [] };
  const device = processInfo.find(({ type }) => type === 'GPU');
  if (!device) return ['there is no process of the device'];
  const lift = limitMemory(device.id, 224);
  const [right, refused] = await call(page, 'fill', 16).finally(lift);
  try {
    await call(page, 'afterFilling', mode);
  } catch (error) {
    return [`there is memory again: ${String(error)}`];
  }
  return refused > 0 ? [] : [`${right} tensors of 64 MB fit into 224 MB`];
}

/** Textures, buffers and memory of JavaScript after many steps are what they were after few. */
async function steps(page: Page, mode: GpuMode): Promise<Failures> {
  const session = await page.context().newCDPSession(page);
  const sample = async (): Promise<{ held: number; heap: number }> => {
    for (let i = 0; i < 3; i++) {
      await session.send('HeapProfiler.collectGarbage');
      await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 30)));
    }
    const { usedSize } = await session.send('Runtime.getHeapUsage');
    return { held: await call(page, 'held'), heap: usedSize };
  };
  await call(page, 'startSteps', mode, 4, 1024);
  await call(page, 'takeSteps', 1000, 100);
  const before = await sample();
  const loss = await call(page, 'takeSteps', 9000, 100);
  const after = await sample();
  const failures: string[] = [];
  if (!(loss >= 0 && loss < 1e-6)) failures.push(`the loss after 10,000 steps is ${loss}`);
  // How much is kept to be used again depends on when garbage was collected: a leak of one in each step would be 9000.
  if (after.held > before.held + 900)
    failures.push(`9,000 steps later, ${after.held} textures or buffers are held, not ${before.held}`);
  if (after.heap > before.heap + 2 ** 20)
    failures.push(`9,000 steps later, the heap has ${after.heap} bytes, not ${before.heap}`);
  return failures;
}

/** Values of 64 KB where 4 MB are allowed: the collector of JavaScript need not run for them to leave the device. */
async function budget(page: Page, mode: GpuMode): Promise<Failures> {
  await call(page, 'startSteps', mode, 2 ** 14, 4);
  await call(page, 'takeSteps', 1000, 10);
  const held = await call(page, 'held');
  // 64 values, those of ten steps that nobody waits for, and as many to be used again.
  return held <= 200 ? [] : [`after 1,000 steps, ${held} textures or buffers are held`];
}

/** gpu.js is a script of its own, which the page that imports the backend does not load before it calls `gpu()`. */
async function imports(page: Page): Promise<Failures> {
  const scripts = await page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name));
  const others = scripts.filter((script) => !script.endsWith('/page.js'));
  return others.length === 0 ? [] : [`the import alone loads ${others.join()}`];
}

/** Checks a mode, in a browser of its own, because one bears few crashes. Returns what is said of it at the end. */
async function checkMode(mode: GpuMode): Promise<string> {
  const browser = (await launchChromium()) as Browser;
  let failed = 0;
  const report = (what: string, failures: Failures): void => {
    failed += failures.length;
    console.log(`${failures.length === 0 ? 'ok' : 'FAILED'} ${mode} ${what}`);
    for (const failure of failures) console.log(`  ${mode} ${failure.slice(0, 800)}`);
  };
  const outcome: Outcome = await withPage(browser, (page) => call(page, 'check', mode, only)).catch(
    (error: unknown) => ({ device: 'none', passed: 0, refused: [], failures: [String(error)] }),
  );
  const refused = outcome.refused.join(', ') || 'nothing';
  report(`on ${outcome.device}: ${outcome.passed} checks; only refusals: ${refused}`, outcome.failures);
  if (only === undefined) {
    report('is not loaded before it is asked for', await withPage(browser, imports));
    report('faults', await withPage(browser, (page) => call(page, 'faults', mode)));
    for (const first of ['a read', 'a new program'])
      report(`a crash, ${first} first`, await withPage(browser, (page) => crash(page, mode, first)));
    report('10,000 steps', await withPage(browser, (page) => steps(page, mode)));
    report('little memory', await withPage(browser, (page) => budget(page, mode)));
  }
  await browser.close();
  if (canLimit && /swiftshader/i.test(outcome.device) && (only === undefined || only === 'memory')) {
    const another = (await launchChromium()) as Browser;
    report('memory that is used up', await withPage(another, (page) => exhaust(page, mode)));
    await another.close();
  }
  if (failed > 0) process.exitCode = 1;
  return `${mode} ${failed === 0 ? 'ok' : 'FAILED'} on ${outcome.device}`;
}

// Side by side: each spends most of its time on one processor, which compiles programs.
const summary = await Promise.all((modes.split(',') as GpuMode[]).map(checkMode));
close();
console.log(`modes in Chromium: ${summary.join('; ')}`);
