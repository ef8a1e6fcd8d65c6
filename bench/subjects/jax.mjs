// jax-js on its WebAssembly backend. Its arrays are consumed by use, unless one takes `.ref`.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { serve } from './serve.mjs';

const require = createRequire(new URL('../peers/package.json', import.meta.url));
const jax = await import(pathToFileURL(require.resolve('@jax-js/jax')).href);
const { numpy: np, nn, random, jit, lax, valueAndGrad } = jax;
await jax.init('wasm');
jax.defaultDevice('wasm');

const normal = (shape, seed = 0) => random.normal(random.key(seed), shape);
const run = async (x) => {
  await x.blockUntilReady();
  x.dispose();
};

/** Its convolutions run at some 0.2 GFLOP/s: only the smallest are worth the wait. */
const MOST_FLOPS = 1e9;

function convolution({ n, size, c, f, kernel, stride, target }) {
  if (target !== 'y' || 2 * n * (size / stride) ** 2 * c * f * kernel ** 2 > MOST_FLOPS)
    throw new Error('takes too long');
  const [x, w] = [normal([n, c, size, size]), normal([f, c, kernel, kernel], 1)];
  const forward = jit((a, b) => lax.conv(a, b, [stride, stride], 'SAME'));
  return () => run(forward(x.ref, w.ref));
}

/** The small net of the other subjects, NCHW. */
function step({ batch }) {
  const x = normal([batch, 1, 28, 28]);
  const labels = nn.oneHot(np.zeros([batch], { dtype: np.int32 }), 10);
  const pool = (t) => {
    const [n, c, h, w] = t.shape;
    return np.max(t.reshape([n, c, h / 2, 2, w / 2, 2]), [3, 5]);
  };
  const layer = (t, w, b) => pool(nn.relu(lax.conv(t, w, [1, 1], 'SAME').add(b)));
  const loss = ([w1, b1, w2, b2, w3, b3]) => {
    const h = layer(layer(x.ref, w1, b1), w2, b2).reshape([batch, 1568]);
    return np.mean(np.sum(nn.logSoftmax(np.matmul(h, w3).add(b3)).mul(labels.ref), 1)).neg();
  };
  const shapes = [[16, 1, 3, 3], [1, 16, 1, 1], [32, 16, 3, 3], [1, 32, 1, 1], [1568, 10], [10]];
  const update = jit((ps) => {
    const copies = ps.map((p) => p.ref);
    const [value, grads] = valueAndGrad(loss)(ps);
    value.dispose();
    return copies.map((p, i) => p.sub(grads[i].mul(0.01)));
  });
  let params = shapes.map((shape, i) => normal(shape, i).mul(0.1));
  return async () => {
    params = update(params);
    for (const p of params) await p.blockUntilReady();
  };
}

await serve({
  conv: convolution,
  step,
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
