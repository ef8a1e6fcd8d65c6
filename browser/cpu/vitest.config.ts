/** backend-cpu on pages of several kinds, each an instance: `pnpm browser --project strict -t memory`. */
import process from 'node:process';
import type { Connect, Plugin } from 'vite';
import type { ProvidedContext } from 'vitest';
import { defineConfig } from 'vitest/config';
import { common } from '../common.ts';
import { chromium, nonce, project } from '../project.ts';

const isolated = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};
const strict = `default-src 'self'; script-src 'self' 'nonce-${nonce}' 'wasm-unsafe-eval'`;
const policy = (text: string) => ({ 'content-security-policy': text });

/** Pages for backend-cpu by their headers, and what these allow: how many threads, and code that is made from text. */
const pages: Readonly<Record<string, readonly [Record<string, string>, ProvidedContext['page']]>> = {
  plain: [{}, { threads: 1, makesCode: true }],
  isolated: [isolated, { threads: 2, makesCode: true }],
  strict: [policy(strict), { threads: 1, makesCode: false }],
  'strict, isolated': [
    { ...isolated, ...policy(strict) },
    { threads: 1, makesCode: false },
  ],
  'strict but for workers, isolated': [
    { ...isolated, ...policy(`${strict}; worker-src 'self' blob:`) },
    { threads: 2, makesCode: false },
  ],
};

/** Answers with the headers of the page that the cookie of the browser's context names: workers take theirs from their own script. */
const headersOfPages: Plugin = {
  name: 'neumann:headers',
  configureServer({ middlewares }) {
    const handle: Connect.NextHandleFunction = ({ headers: { cookie = '' } }, response, next) => {
      const [, page = ''] = /\bpage=([^;]*)/.exec(cookie) ?? [];
      const headers = pages[decodeURIComponent(page)]?.[0] ?? {};
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
      next();
    };
    middlewares.stack.unshift({ route: '', handle }); // before vitest's own, which answers for the page itself
  },
};

/** The browser, whose pages have that cookie. */
function inPage(name: string): ReturnType<typeof chromium> {
  const cookie = {
    name: 'page',
    value: encodeURIComponent(name),
    domain: 'localhost',
    path: '/',
    expires: -1,
    httpOnly: false,
    secure: false,
    sameSite: 'Lax' as const,
  };
  return chromium([], { storageState: { cookies: [cookie], origins: [] } });
}

/** Tests of the package itself. */
const files = ['laws', 'fuzz', 'fuzz-float64'];

export default defineConfig({
  root: import.meta.dirname,
  test: {
    ...common,
    projects: [
      project({
        name: 'cpu',
        include: ['*.test.ts'],
        instances: Object.entries(pages).map(([name, [, page]]) => ({
          name,
          provide: { page },
          provider: inPage(name),
        })),
        plugins: [headersOfPages],
      }),
      project({
        name: 'package',
        include: [`../../packages/backend-cpu/test/{${files}}.test.ts`],
        instances: [{ name: 'package on an isolated page', provider: inPage('isolated') }],
        plugins: [headersOfPages],
        env: { NEUMANN_RUNS: process.env['NEUMANN_RUNS'] ?? '0.05' },
      }),
    ],
  },
});
