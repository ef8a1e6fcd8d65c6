/** Browsers that playwright cannot drive: each is started with the address of a page, and told nothing after that. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { defineBrowserProvider } from '@vitest/browser';
import type { BrowserProviderOption } from 'vitest/node';

export interface Engine {
  readonly name: 'firefox' | 'webkit';
  readonly program: string;
  /** What it is called with besides the address, if `home` is an empty folder. */
  readonly options: (home: string) => readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

interface Candidate extends Omit<Engine, 'program'> {
  readonly programs: readonly (string | undefined)[];
}

const candidates: readonly Candidate[] = [
  {
    name: 'firefox',
    programs: [
      process.env['FIREFOX'],
      '/usr/bin/firefox-esr',
      '/usr/bin/firefox',
      '/Applications/Firefox.app/Contents/MacOS/firefox',
    ],
    options: (home) => {
      writeFileSync(join(home, 'user.js'), firefoxPreferences);
      return ['--no-remote', '--profile', home];
    },
  },
  {
    name: 'webkit',
    programs: [
      process.env['WEBKIT'],
      ...['x86_64', 'aarch64'].flatMap((processor) =>
        ['4.1', '6.0'].map((api) => `/usr/lib/${processor}-linux-gnu/webkit2gtk-${api}/MiniBrowser`),
      ),
    ],
    options: () => ['--private'],
    environment: {
      // Safari gives shared memory to isolated pages; WebKitGTK to all, but only if it is asked to.
      JSC_useSharedArrayBuffer: '1',
      WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1', // which does not start as root
    },
  },
];

/** No questions and no news at the first start; WebGL on processors without graphics. */
const firefoxPreferences = `
user_pref('browser.aboutwelcome.enabled', false);
user_pref('browser.shell.checkDefaultBrowser', false);
user_pref('datareporting.policy.dataSubmissionEnabled', false);
user_pref('webgl.force-enabled', true);
`;

/** The browsers that are here. */
export const engines: readonly Engine[] = candidates.flatMap(({ programs, ...rest }) => {
  const program = programs.find((path) => path !== undefined && existsSync(path));
  return program === undefined ? [] : [{ ...rest, program }];
});

/** A provider for vitest that opens pages and nothing more. */
export function opens(engine: Engine): BrowserProviderOption {
  return defineBrowserProvider({
    name: 'address',
    providerFactory() {
      let close = (): Promise<void> => Promise.resolve();
      return {
        name: 'address',
        supportsParallelism: false,
        getCommandsContext: () => ({}),
        async openPage(_, address) {
          await close();
          close = open(engine, address);
        },
        close: () => close(),
      };
    },
  });
}

/** Runs a command until the other end of its input is closed, by whatever ends us, and then ends all that it has started. */
const untilClosed = '"$@" & trap "" TERM; read -r _; kill -TERM 0; sleep 1; kill -KILL 0';

/** Starts a browser with a page; returns what ends it. */
function open({ program, options, environment }: Engine, address: string): () => Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'neumann-browser-'));
  const display = process.env['DISPLAY'] || process.platform !== 'linux' ? [] : ['xvfb-run', '-a'];
  const browser = spawn('sh', ['-c', untilClosed, 'sh', ...display, program, ...options(home), address], {
    detached: true, // a group of its own
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { ...process.env, ...environment, HOME: home },
  });
  const ended = once(browser, 'exit');
  return async () => {
    browser.stdin.end();
    await ended;
    rmSync(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  };
}
