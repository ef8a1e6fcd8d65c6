/**
 * Drives the page in a real browser: trains, draws a digit, checks the answer, keeps a screenshot.
 *
 * `node --conditions=@neumann/source examples/web/drive.ts [--backend cpu] [--epochs 2] [--screenshot file.png] [--dev]`
 */
import { parseArgs } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { build, createServer, preview } from 'vite';
import { launchChromium } from '../../browser/chromium.ts';

const { values } = parseArgs({
  options: {
    backend: { type: 'string', default: 'cpu' },
    optimizer: { type: 'string', default: 'neumann' },
    epochs: { type: 'string', default: '2' },
    batch: { type: 'string', default: '64' },
    steps: { type: 'string' },
    screenshot: { type: 'string' },
    dev: { type: 'boolean', default: false },
  },
});

/** The page, as developers or as visitors get it. */
async function serve(): Promise<{ url: string; close(): Promise<void> }> {
  const configFile = `${import.meta.dirname}/vite.config.ts`;
  if (values.dev) {
    const server = await createServer({
      configFile,
      logLevel: 'error',
      server: { port: 0, host: '127.0.0.1' },
    });
    await server.listen();
    return { url: server.resolvedUrls?.local[0] as string, close: () => server.close() };
  }
  await build({ configFile, logLevel: 'error' });
  const server = await preview({ configFile, logLevel: 'error', preview: { port: 0, host: '127.0.0.1' } });
  return { url: server.resolvedUrls?.local[0] as string, close: () => server.close() };
}

/** Strokes of a seven or a one would look alike; a zero does not look like anything else. */
async function drawZero(page: Page): Promise<void> {
  const box = await page.locator('#pad').boundingBox();
  if (!box) throw new Error('the drawing area is not on the page');
  const at = (t: number): [number, number] => [
    box.x + box.width * (0.5 + 0.2 * Math.sin(t)),
    box.y + box.height * (0.5 - 0.3 * Math.cos(t)),
  ];
  await page.mouse.move(...at(0));
  await page.mouse.down();
  for (let i = 1; i <= 40; i++) await page.mouse.move(...at((i / 40) * 2 * Math.PI));
  await page.mouse.up();
}

async function drive(browser: Browser, url: string): Promise<void> {
  const page = await browser.newPage({ viewport: { width: 1080, height: 980 } });
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  await page.goto(url);
  const isolated = await page.evaluate(() => globalThis.crossOriginIsolated);
  if (!isolated) throw new Error('the page is not isolated from others, so that it has no threads');
  await page.selectOption('[name=optimizer]', values.optimizer);
  await page.selectOption('[name=backend]', values.backend);
  await page.fill('[name=batch]', values.batch);
  await page.fill('[name=epochs]', values.epochs);
  await page.click('#start');
  const status = page.locator('#status');
  await page.waitForFunction(
    () =>
      /step [2-9]\d+ |test accuracy|did not work|failed/.test(
        document.querySelector('#status')?.textContent ?? '',
      ),
    null,
    { timeout: 120_000 },
  );
  // The page answers while the worker trains.
  const start = performance.now();
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
  const frame = performance.now() - start;
  if (values.steps !== undefined) {
    const wanted = Number(values.steps);
    await page.waitForFunction(
      (n) =>
        Number(/step (\d+) /.exec(document.querySelector('#status')?.textContent ?? '')?.[1] ?? 0) >= n ||
        /did not work/.test(document.querySelector('#status')?.textContent ?? ''),
      wanted,
      { timeout: 900_000 },
    );
    if (await page.isEnabled('#stop')) await page.click('#stop');
  }
  await page.waitForFunction(
    () => /test accuracy|did not work|failed/.test(document.querySelector('#status')?.textContent ?? ''),
    null,
    { timeout: 900_000 },
  );
  const text = (await status.textContent()) ?? '';
  const accuracy = Number(/test accuracy ([\d.]+) %/.exec(text)?.[1] ?? Number.NaN);
  if (!(accuracy > 85)) throw new Error(`the page says: ${text} ${problems.join('; ')}`);
  await drawZero(page);
  await page.waitForFunction(
    () => /This is a/.test(document.querySelector('#answer')?.textContent ?? ''),
    null,
    { timeout: 60_000 },
  );
  await page.waitForTimeout(500);
  const answer = await page.locator('#answer').textContent();
  if (values.screenshot !== undefined) await page.screenshot({ path: values.screenshot });
  if (answer !== 'This is a 0.') throw new Error(`a zero was drawn, but the page says: ${answer}`);
  if (problems.length > 0) throw new Error(problems.join('; '));
  console.log(`web: ${text} A drawn 0 was recognised; a frame took ${frame.toFixed(0)} ms while training.`);
}

const browser = await launchChromium();
if (!browser) {
  console.log('web: skipped, there is no Chromium; install it, or set CHROMIUM to the path of one');
} else {
  const server = await serve();
  try {
    await drive(browser, server.url);
  } finally {
    await browser.close();
    await server.close();
  }
}
