/**
 * Drives the page in a real browser: trains, draws a digit, checks the answer, keeps a screenshot. Then, unless a backend is
 * named, compares the first losses on WebGL 2 and WebGPU with those on the CPU.
 *
 * `node --conditions=@neumann/source examples/web/drive.ts [--backend cpu] [--epochs 2] [--screenshot file.png] [--dev]`
 */
import { parseArgs } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { build, createServer, preview } from 'vite';
import { launchChromium } from '../../browser/chromium.ts';

const { values } = parseArgs({
  options: {
    backend: { type: 'string' },
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

/** A new page, and what went wrong on it so far. */
async function open(browser: Browser, url: string): Promise<{ page: Page; problems: string[] }> {
  const page = await browser.newPage({ viewport: { width: 1080, height: 980 } });
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  await page.goto(url);
  return { page, problems };
}

async function train(
  page: Page,
  options: Readonly<Record<'optimizer' | 'backend' | 'batch' | 'epochs', string>>,
): Promise<void> {
  await page.selectOption('[name=optimizer]', options.optimizer);
  await page.selectOption('[name=backend]', options.backend);
  await page.fill('[name=batch]', options.batch);
  await page.fill('[name=epochs]', options.epochs);
  await page.click('#start');
}

/** The losses that the page shows in the first steps. */
async function firstLosses(
  browser: Browser,
  url: string,
  optimizer: string,
  backend: string,
): Promise<number[]> {
  const { page, problems } = await open(browser, url);
  await page.evaluate(() => {
    const status = document.querySelector('#status') as HTMLElement;
    new MutationObserver(() => {
      status.dataset['seen'] = `${status.dataset['seen'] ?? ''}\n${status.textContent}`;
    }).observe(status, { childList: true });
  });
  await train(page, { optimizer, backend, batch: '8', epochs: '1' });
  const seen = await page.waitForFunction(
    () => {
      const text = document.querySelector<HTMLElement>('#status')?.dataset['seen'] ?? '';
      return /step 3 |did not work|failed/.test(text) ? text : undefined;
    },
    null,
    { timeout: 120_000 },
  );
  const text = (await seen.jsonValue()) ?? '';
  await page.close();
  const losses = [...text.matchAll(/step [1-3] of \d+, loss ([\d.]+)/g)].map(([, loss]) => Number(loss));
  if (losses.length !== 3 || !text.includes(backend === 'cpu' ? 'CPU' : backend) || problems.length > 0)
    throw new Error(`${optimizer} on ${backend}: ${text.trim().split('\n').at(-1)} ${problems.join('; ')}`);
  return losses;
}

/** The same weights and images in the same order: the graphics modes learn what the CPU learns. */
async function compareModes(browser: Browser, url: string): Promise<void> {
  for (const optimizer of ['neumann', 'adam']) {
    const want = await firstLosses(browser, url, optimizer, 'cpu');
    for (const backend of ['webgl2', 'webgpu']) {
      const got = await firstLosses(browser, url, optimizer, backend);
      const apart = Math.max(...got.map((loss, i) => Math.abs(loss / (want[i] as number) - 1)));
      if (!(apart < 1e-3))
        throw new Error(`${optimizer} on ${backend}: losses ${got.join()}, but ${want.join()} on the CPU`);
      console.log(`web: ${optimizer} on ${backend}: first losses ${got.join(', ')}, as on the CPU.`);
    }
  }
}

async function drive(browser: Browser, url: string): Promise<void> {
  const { page, problems } = await open(browser, url);
  const isolated = await page.evaluate(() => globalThis.crossOriginIsolated);
  if (!isolated) throw new Error('the page is not isolated from others, so that it has no threads');
  const { optimizer, backend = 'cpu', batch, epochs } = values;
  await train(page, { optimizer, backend, batch, epochs });
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
    if (values.backend === undefined) await compareModes(browser, server.url);
  } finally {
    await browser.close();
    await server.close();
  }
}
