/** The workloads in TensorFlow.js, on the backend that is set. */
export function workloads(tf) {
  const normal = (shape) => tf.randomNormal(shape);
  const run = (f) => () => {
    f().dispose();
  };

  function convolution({ n, size, c, f, kernel, stride, target }) {
    const out = Math.ceil(size / stride);
    const x = normal([n, size, size, c]);
    const w = normal([kernel, kernel, c, f]);
    const y = normal([n, out, out, f]);
    if (target === 'y') return run(() => tf.conv2d(x, w, stride, 'same'));
    // The passes alone: `tf.grad` would compute the forward pass too.
    if (target === 'x') return run(() => tf.conv2dTranspose(y, w, x.shape, stride, 'same'));
    const attributes = { strides: [stride, stride], pad: 'same', dataFormat: 'NHWC', filterShape: w.shape };
    return run(() => tf.engine().runKernel('Conv2DBackpropFilter', { x, dy: y }, attributes));
  }

  function step({ batch }) {
    const x = normal([batch, 28, 28, 1]);
    const labels = tf.oneHot(tf.zeros([batch], 'int32'), 10);
    const [w1, b1] = [tf.variable(normal([3, 3, 1, 16])), tf.variable(tf.zeros([16]))];
    const [w2, b2] = [tf.variable(normal([3, 3, 16, 32])), tf.variable(tf.zeros([32]))];
    const [w3, b3] = [tf.variable(normal([1568, 10])), tf.variable(tf.zeros([10]))];
    const optimizer = tf.train.sgd(0.01);
    const layer = (t, w, b) => tf.maxPool(tf.relu(tf.add(tf.conv2d(t, w, 1, 'same'), b)), 2, 2, 'same');
    return () => {
      optimizer.minimize(() => {
        const h = layer(layer(x, w1, b1), w2, b2);
        return tf.losses.softmaxCrossEntropy(labels, tf.add(tf.matMul(tf.reshape(h, [batch, 1568]), w3), b3));
      });
    };
  }

  return {
    matmul: ({ m, n, k, transposeX = false, transposeY = false }) => {
      const [x, y] = [normal(transposeX ? [k, m] : [m, k]), normal(transposeY ? [n, k] : [k, n])];
      return run(() => tf.matMul(x, y, transposeX, transposeY));
    },
    conv: convolution,
    chain: ({ rows }) => {
      const [a, b, c] = [normal([rows]), normal([rows]), normal([rows])];
      return run(() => tf.tidy(() => tf.relu(tf.add(tf.mul(a, b), c))));
    },
    sum: ({ rows, columns, axis }) => {
      const x = normal([rows, columns]);
      return run(() => tf.sum(x, axis));
    },
    softmax: ({ rows, columns }) => {
      const x = normal([rows, columns]);
      return run(() => tf.softmax(x));
    },
    max: ({ rows, columns, axis }) => {
      const x = normal([rows, columns]);
      return run(() => tf.max(x, axis));
    },
    layerNorm: ({ rows, columns }) => {
      const x = normal([rows, columns]);
      return run(() => {
        const { mean, variance } = tf.moments(x, 1, true);
        return tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, 1e-5)));
      });
    },
    maxPool: ({ n, size, c }) => {
      const [x, g] = [normal([n, size, size, c]), normal([n, size / 2, size / 2, c])];
      const both = tf.valueAndGrad((t) => tf.maxPool(t, 2, 2, 'valid'));
      return run(() => both(x, g).grad);
    },
    normal: ({ rows }) => run(() => tf.randomNormal([rows])),
    step,
    optimizer: ({ name: which, size }) => {
      if (which === 'neumann') throw new Error('no such optimizer');
      const make = which === 'adam' ? () => tf.train.adam(1e-3) : () => tf.train.momentum(1e-3, 0.9);
      const optimizer = make();
      const params = Array.from({ length: 25 }, (_, i) => tf.variable(tf.ones([size / 25]), true, `p${i}`));
      const grads = Object.fromEntries(params.map((p) => [p.name, tf.ones([size / 25])]));
      return () => optimizer.applyGradients(grads);
    },
    eager: () => {
      const x = tf.ones([16]);
      return run(() => tf.add(x, x));
    },
  };
}
