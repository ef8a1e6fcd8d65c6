/**
 * The workloads in jax-js, on its default device. Its arrays are consumed by use, unless one takes `.ref`.
 *
 * @param run consumes a result, after what it takes to compute it.
 * @param mostFlops of a convolution that is worth the wait.
 */
export function workloads(jax, run, mostFlops = Infinity) {
  const { numpy: np, nn, random, jit, lax, valueAndGrad, vjp } = jax;

  const normal = (shape, seed = 0) => random.normal(random.key(seed), shape);

  function convolution({ n, size, c, f, kernel, stride, target }) {
    const out = Math.ceil(size / stride);
    if (2 * n * out ** 2 * c * f * kernel ** 2 > mostFlops) throw new Error('takes too long');
    const [x, w] = [normal([n, c, size, size]), normal([f, c, kernel, kernel], 1)];
    const conv = (a, b) => lax.conv(a, b, [stride, stride], 'SAME');
    if (target === 'y') {
      const forward = jit(conv);
      return () => run(forward(x.ref, w.ref));
    }
    const y = normal([n, f, out, out], 2);
    const gradient = jit((a, b, d) => {
      const [value, pullback] = target === 'x' ? vjp((t) => conv(t, b), [a]) : vjp((t) => conv(a, t), [b]);
      value.dispose();
      const [result] = pullback(d);
      pullback.dispose();
      return result;
    });
    return () => run(gradient(x.ref, w.ref, y.ref));
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
      await Promise.all(params.map((p) => run(p.ref)));
    };
  }

  return {
    conv: convolution,
    step,
    matmul: ({ m, n, k, transposeX, transposeY }) => {
      const [x, y] = [normal(transposeX ? [k, m] : [m, k]), normal(transposeY ? [n, k] : [k, n], 1)];
      const f = jit((a, b) => np.matmul(transposeX ? np.transpose(a) : a, transposeY ? np.transpose(b) : b));
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
  };
}
