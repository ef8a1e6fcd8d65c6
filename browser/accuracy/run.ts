/** `node --conditions=@neumann/source browser/accuracy/run.ts [stride]`: prints the last section of docs/accuracy.md. */
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { bundle } from '../bundle.ts';
import { launchChromium, servePage } from '../chromium.ts';

const modes = ['webgpu', 'webgl2', 'webasm'];
/** One of how many float32 numbers is tried. */
const stride = Number(process.argv[2] ?? 1009);
const functions = [
  ...'sqrt rsqrt exp expm1 log log1p sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh erf erfc erfInv sigmoid'.split(
    ' ',
  ),
  'div',
  'pow',
  'atan2',
];

const browser = await launchChromium();
if (!browser) throw new Error('accuracy: there is no Chromium; set CHROMIUM to the path of one.');
const { address, close } = await servePage(
  await bundle(fileURLToPath(new URL('.', import.meta.url)), ['page']),
);
const columns: string[][] = [];
const devices: string[] = [];
for (const mode of modes) {
  const page = await browser.newPage();
  await page.goto(address);
  await page.waitForFunction(() => 'errors' in globalThis);
  const { device, cells } = await page.evaluate(
    ([mode, stride]) =>
      (
        globalThis as unknown as {
          errors(mode: unknown, stride: unknown): Promise<{ device: string; cells: string[] }>;
        }
      ).errors(mode, stride),
    [mode, stride] as const,
  );
  columns.push(cells);
  devices.push(`${mode}: ${device}`);
  await page.close();
}
await browser.close();
close();
const rows = functions.map((name, i) => `| ${[name, ...columns.map((cells) => cells[i])].join(' | ')} |`);
console.log(`## backend-gpu

The same distances for backend-gpu, one of ${stride} of all float32 numbers and 12 million pairs, in Chromium (${devices.join('; ')}). On
devices numbers below 2^-126 are 0, and are left out here. Other devices may divide and take roots with an error of 2.5
units; all other functions are made of sums, products and floors.

| function | ${modes.join(' | ')} |
|---|---|---|---|
${rows.join('\n')}

Made by \`node --conditions=@neumann/source browser/accuracy/run.ts\`.`);
