import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    maxWorkers: '100%', // by default one core is left idle, of two
    coverage: {
      provider: 'v8',
      include: ['packages/*/src/**'],
      reporter: ['text', 'lcov'],
      thresholds: { lines: 60 },
    },
    projects: [
      {
        // Tests run the sources: no build in between.
        ssr: { resolve: { conditions: ['@neumann/source', 'module', 'node', 'import', 'default'] } },
        test: {
          name: 'node',
          environment: 'node',
          testTimeout: 30_000, // machines are shared: a limit is for what hangs
          include: ['packages/*/test/**/*.test.ts', 'examples/**/test/**/*.test.ts'],
          typecheck: {
            enabled: true,
            checker: 'tsc',
            include: ['packages/*/test/**/*.test-d.ts'],
            // Type errors outside the type tests are for `pnpm run typecheck`.
            ignoreSourceErrors: true,
          },
        },
      },
    ],
  },
});
