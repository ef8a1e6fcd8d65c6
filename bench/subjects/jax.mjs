// jax-js on its WebAssembly backend. Its arrays are consumed by use, unless one takes `.ref`.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { serve } from './serve.mjs';

const require = createRequire(new URL('../peers/package.json', import.meta.url));
const jax = await import(pathToFileURL(require.resolve('@jax-js/jax')).href);
const { numpy: np, nn, random, jit } = jax;
await jax.init('wasm');
jax.defaultDevice('wasm');

const normal = (shape, seed = 0) => random.normal(random.key(seed), shape);
const run = async (x) => {
  await x.blockUntilReady();
  x.dispose();
};

await serve({
  matmul: ({ m, n, k }) => {
    const [x, y] = [normal([m, k]), normal([k, n], 1)];
    const f = jit((a, b) => np.matmul(a, b));
    return () => run(f(x.ref, y.ref));
  },
  chain: ({ rows }) => {
    const [a, b, c] = [normal([rows]), normal([rows], 1), normal([rows], 2)];
    const f = jit((x, y, z) => nn.relu(x.mul(y).add(z)));
    return () => run(f(a.ref, b.ref, c.ref));
  },
  sum: ({ rows, columns, axis }) => {
    const x = normal([rows, columns]);
    const f = jit((t) => np.sum(t, axis ?? null));
    return () => run(f(x.ref));
  },
  softmax: ({ rows, columns }) => {
    const x = normal([rows, columns]);
    const f = jit((t) => nn.softmax(t));
    return () => run(f(x.ref));
  },
  eager: () => {
    const x = np.ones([16]);
    return () => run(x.ref.add(x.ref));
  },
  jitted: () => {
    const x = np.ones([16]);
    const f = jit((t) => t.ref.mul(t.ref).add(t));
    return () => run(f(x.ref));
  },
  trace: ({ layers }) => {
    const [x, w] = [np.ones([4, 4]), np.ones([4, 4])];
    return () => {
      const f = jit((t) => {
        let h = t;
        for (let i = 0; i < layers; i++) h = np.sin(np.matmul(h, w.ref));
        return h;
      });
      return run(f(x.ref));
    };
  },
});
