/**
 * What browsers must do besides Chromium, in those that are here: `pnpm browser:engines --project firefox`. The tests are
 * those of Chromium; those that ask its debugger are left out.
 */
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';
import { common } from '../common.ts';
import { type Engine, engines, opens } from './provider.ts';

if (engines.length === 0)
  throw new Error('browser: there is no Firefox or WebKitGTK; set FIREFOX or WEBKIT to the path of one.');

/** With threads. */
const isolated = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

const project = (engine: Engine): TestProjectInlineConfiguration => ({
  server: { headers: isolated },
  resolve: { conditions: ['@neumann/source', 'module', 'browser', 'development', 'import', 'default'] },
  test: {
    name: engine.name,
    include: ['cpu/*.test.ts', 'gpu/*.test.ts'],
    exclude: ['gpu/{crash,life}.test.ts'],
    testTimeout: 300_000, // machines are shared: a limit is for what hangs
    provide: { page: { threads: 2, makesCode: true }, mode: 'webgl2' },
    browser: {
      enabled: true,
      screenshotFailures: false,
      connectTimeout: 300_000,
      provider: opens(engine),
      commands: { __vitest_viewport: () => undefined }, // windows stay as large as they are
      instances: [{ browser: engine.name }],
    },
  },
});

export default defineConfig({
  root: `${import.meta.dirname}/..`,
  test: { ...common, projects: engines.map(project) },
});
