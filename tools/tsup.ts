import type { Options } from 'tsup';

/** The build of one published package: its entry points in `src`, as ES modules with declarations. */
export const library = (...entries: string[]): Options => ({
  entry: entries.map((entry) => `src/${entry}.ts`),
  format: ['esm'],
  dts: true,
  clean: true,
  sourcemap: true,
  target: 'es2023',
  tsconfig: '../../tsconfig.json',
});
