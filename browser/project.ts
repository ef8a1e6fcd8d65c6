/** A vitest project whose tests run in Chromium: one page for each instance. */
import { type PlaywrightProviderOptions, playwright } from '@vitest/browser-playwright';
import type { Plugin } from 'vite';
import type { TestProjectInlineConfiguration } from 'vitest/config';
import type { BrowserCommand, BrowserInstanceOption } from 'vitest/node';
import { chromiumOptions } from './chromium.ts';

const options = chromiumOptions();
if (!options) throw new Error('browser: there is no Chromium; set CHROMIUM to the path of one.');

/** The browser with more flags, and pages with more options. */
export const chromium = (
  flags: readonly string[] = [],
  contextOptions: PlaywrightProviderOptions['contextOptions'] = {},
): ReturnType<typeof playwright> =>
  playwright({ launchOptions: { ...options, args: [...options.args, ...flags] }, contextOptions });

/** For the scripts in the text of a page, which are vitest's. */
export const nonce = 'neumann';

interface Project {
  readonly name: string;
  readonly include: readonly string[];
  readonly instances: readonly Omit<BrowserInstanceOption, 'browser'>[];
  readonly commands?: Readonly<Record<string, BrowserCommand<[]>>>;
  readonly plugins?: Plugin[];
  readonly env?: Readonly<Record<string, string>>;
}

export function project({
  name,
  include,
  instances,
  commands = {},
  plugins = [],
  env = {},
}: Project): TestProjectInlineConfiguration {
  return {
    plugins,
    html: { cspNonce: nonce },
    resolve: { conditions: ['@neumann/source', 'module', 'browser', 'development', 'import', 'default'] },
    test: {
      name,
      include: [...include],
      testTimeout: 600_000, // machines are shared: a limit is for what hangs
      env: { ...env },
      browser: {
        enabled: true,
        headless: true,
        screenshotFailures: false,
        provider: chromium(),
        commands: { ...commands },
        instances: instances.map((instance) => ({ ...instance, browser: 'chromium' })),
      },
    },
  };
}
