/** What runs of tests on other platforms have in common. */
export const common = {
  maxWorkers: '100%', // by default one core is left idle, of two
  silent: 'passed-only',
  slowTestThreshold: 60_000,
} as const;
