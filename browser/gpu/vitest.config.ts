/** backend-gpu in its modes, on software devices where there is no graphics card: `pnpm browser:gpu --project webgpu -t 'add float32'`. */
import { defineConfig } from 'vitest/config';
import type { BrowserCommand } from 'vitest/node';
import { common } from '../common.ts';
import { chromium, project } from '../project.ts';
import { canLimit, limitMemory } from './shortage.ts';

const crashGpuProcess: BrowserCommand<[]> = async ({ context }) => {
  const session = await context.browser()?.newBrowserCDPSession();
  await session?.send('Browser.crashGpuProcess').catch(() => undefined); // the answer dies with it
};

let lift = (): void => undefined;

/** It gets three tensors of 64 MB, and half of one for all else. */
const limitGpuProcess: BrowserCommand<[]> = async ({ context }) => {
  const session = await context.browser()?.newBrowserCDPSession();
  const { processInfo } = (await session?.send('SystemInfo.getProcessInfo')) ?? { processInfo: [] };
  const device = processInfo.find(({ type }) => type === 'GPU');
  if (!device) throw new Error('there is no process of the device');
  if (canLimit) lift = limitMemory(device.id, 224);
  return canLimit;
};

const liftLimit: BrowserCommand<[]> = () => lift();

export default defineConfig({
  root: import.meta.dirname,
  test: {
    ...common,
    projects: [
      project({
        name: 'gpu',
        include: ['*.test.ts'],
        instances: [
          ...(['webgl2', 'webgpu'] as const).map((mode) => ({
            name: mode,
            provide: { mode },
            exclude: ['crash.test.ts'],
          })),
          {
            name: 'crash', // in a browser of its own, all of whose devices it ends
            include: ['crash.test.ts'],
            // Otherwise a page, and then the browser, get no more devices.
            provider: chromium([
              '--disable-domain-blocking-for-3d-apis',
              '--disable-gpu-process-crash-limit',
            ]),
          },
        ],
        commands: { crashGpuProcess, liftLimit, limitGpuProcess },
      }),
    ],
  },
});
