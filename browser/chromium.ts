/** A real browser, and pages for it. */
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import { type Browser, chromium } from 'playwright';

/** Where there is no graphics card, software devices answer. */
const flags = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--use-gl=angle',
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
];

/** How to start the Chromium that `CHROMIUM` names, or that of the system; `undefined` if there is none. */
export function chromiumOptions(): { executablePath: string; args: string[] } | undefined {
  const candidates = [
    process.env['CHROMIUM'],
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
  ];
  const executablePath = candidates.find((path) => path !== undefined && existsSync(path));
  return executablePath === undefined ? undefined : { executablePath, args: [...flags] };
}

/** Starts it. */
export async function launchChromium(): Promise<Browser | undefined> {
  const options = chromiumOptions();
  return options && chromium.launch(options);
}

/** Serves the scripts of a folder, and one page that loads `page.js`. */
export async function servePage(
  folder: string,
  headers: () => Readonly<Record<string, string>> = () => ({}),
): Promise<{ readonly address: string; readonly close: () => void }> {
  const server = createServer(({ url = '/' }, response) => {
    const common = { ...headers(), 'cache-control': 'no-store' };
    const file = join(folder, url);
    if (url === '/') {
      response.writeHead(200, { ...common, 'content-type': 'text/html' });
      response.end('<!doctype html><script type="module" src="/page.js"></script>');
    } else if (/^\/[\w.-]+\.js$/.test(url) && existsSync(file)) {
      response.writeHead(200, { ...common, 'content-type': 'text/javascript' });
      response.end(readFileSync(file));
    } else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return { address: `http://127.0.0.1:${port}/`, close: () => server.close() };
}
