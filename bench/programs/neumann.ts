/** The workloads in this library, on the backend that is set. */
import {
  add,
  conv,
  cumsum,
  getBackend,
  grad,
  jit,
  matmul,
  max,
  maximum,
  multiply,
  ones,
  random,
  reference,
  reshape,
  setBackend,
  sin,
  subtract,
  sum,
  type Tensor,
  tensor,
  transpose,
  treeMap,
  vjp,
  windowMax,
  zeros,
} from '@neumann/core';
import {
  batchNorm,
  conv2d,
  crossEntropy,
  dense,
  flatten,
  gelu,
  globalAvgPool,
  type Layer,
  maxPool,
  relu,
  residual,
  serial,
  softmax,
  standardize,
} from '@neumann/nn';
import { adam, applyUpdates, neumannInit, neumannStep, sgd } from '@neumann/optim';
import type { ConvParams, ImagesParams, MatmulParams, OptimizerParams, RowsParams } from '../workloads.ts';

/** Draws where there are keys, and moves what was drawn to the backend that is set. */
function drawn(make: () => unknown): unknown {
  const backend = getBackend();
  if (backend.dtypes.has('uint32')) return make();
  setBackend(reference());
  const made = make();
  setBackend(backend);
  return treeMap((x: Tensor) => reshape(tensor(x.dataSync()), [...x.shape]), made as never);
}

function normal(shape: readonly number[], seed = 0): Tensor {
  if (getBackend().dtypes.has('uint32')) return random.normal(random.key(seed), [...shape]);
  const size = shape.reduce((n, extent) => n * extent, 1); // the reference would take its time
  const deviate = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
  return reshape(tensor(Float32Array.from({ length: size }, deviate)), [...shape]);
}

/** One step of gradient descent on the mean loss of a batch, jitted, the parameters donated. */
function training(model: Layer<unknown, unknown>, shape: number[], classes: number): () => void {
  const x = normal(shape, 1);
  const labels = zeros([shape[0] ?? 1], 'int32');
  const { params, state } = drawn(() => model.init(random.key(0), zeros(shape))) as ReturnType<
    typeof model.init
  >;
  const loss = (p: unknown) => crossEntropy(model.apply(p, state, x, { training: true })[0], labels);
  const step = jit(
    (p: unknown) =>
      treeMap((w, g) => subtract(w, multiply(0.01, g)), p as never, grad(loss as never)(p as never)),
    { donate: [0] },
  );
  let current: unknown = treeMap((w) => add(w, 0), params as never);
  if (classes < 1) throw new Error('no classes');
  return () => {
    current = step(current);
  };
}

const same = { kernel: 3, padding: 'same' } as const;

function smallNet(): Layer<unknown, unknown> {
  return serial(
    conv2d({ features: 16, ...same }),
    relu,
    maxPool({ window: 2 }),
    conv2d({ features: 32, ...same }),
    relu,
    maxPool({ window: 2 }),
    flatten,
    dense({ features: 10 }),
  ) as never;
}

function basicBlock(features: number, stride: number): Layer<unknown, unknown> {
  const body = serial(
    conv2d({ features, ...same, stride, bias: false }),
    batchNorm(),
    relu,
    conv2d({ features, ...same, bias: false }),
    batchNorm(),
  );
  const shortcut = serial(conv2d({ features, kernel: 1, stride, bias: false }), batchNorm());
  return serial(stride === 1 ? residual({ body }) : residual({ body, shortcut }), relu) as never;
}

/** He et al. 2016 for 32×32 images: one convolution, then four pairs of blocks. */
function resnet18(): Layer<unknown, unknown> {
  return serial(
    conv2d({ features: 64, ...same, bias: false }),
    batchNorm(),
    relu,
    ...[64, 128, 256, 512].flatMap((f, i) => [basicBlock(f, i === 0 ? 1 : 2), basicBlock(f, 1)]),
    globalAvgPool,
    dense({ features: 10 }),
  ) as never;
}

function optimizer({ name, size }: OptimizerParams): () => void {
  const make = () => Object.fromEntries(Array.from({ length: 25 }, (_, i) => [`p${i}`, ones([size / 25])]));
  type Params = ReturnType<typeof make>;
  const grads = make();
  if (name === 'neumann') {
    let state = neumannInit(make(), { learningRate: 1e-3, burnInSteps: 1, resetSteps: 1e6 });
    const step = jit((s: typeof state, g: Params) => neumannStep(s, g), { donate: [0] });
    return () => {
      state = step(state, grads);
    };
  }
  const tx = name === 'adam' ? adam({ learningRate: 1e-3 }) : sgd({ learningRate: 1e-3, momentum: 0.9 });
  let [params, memory] = [make(), tx.init(make()) as never];
  const step = jit(
    (p: Params, m: never, g: Params) => {
      const [updates, next] = tx.update(g, m, p);
      return [applyUpdates(p, updates), next] as const;
    },
    { donate: [0, 1] },
  );
  return () => {
    [params, memory] = step(params, memory, grads) as unknown as [Params, never];
  };
}

function convolution({ n, size, c, f, kernel, stride, target }: ConvParams): () => void {
  const options = { padding: 'same', stride } as const;
  const out = Math.ceil(size / stride);
  const [x, w, y] = [
    normal([n, size, size, c]),
    normal([kernel, kernel, c, f], 1),
    normal([n, out, out, f], 2),
  ];
  if (target === 'y') {
    const forward = jit((a: Tensor, b: Tensor) => conv(a, b, options));
    return () => forward(x, w);
  }
  const gradient = jit((a: Tensor, b: Tensor, d: Tensor) =>
    target === 'x'
      ? vjp((t: Tensor) => conv(t, b, options), a)[1](d)
      : vjp((t: Tensor) => conv(a, t, options), b)[1](d),
  );
  return () => gradient(x, w, y);
}

export const workloads = {
  matmul: ({ m, n, k, transposeX, transposeY }: MatmulParams) => {
    const [x, y] = [normal(transposeX ? [k, m] : [m, k]), normal(transposeY ? [n, k] : [k, n], 1)];
    const product = jit((a: Tensor, b: Tensor) =>
      matmul(transposeX ? transpose(a) : a, transposeY ? transpose(b) : b),
    );
    return () => product(x, y);
  },
  conv: convolution,
  chain: ({ rows }: RowsParams) => {
    const [a, b, c] = [normal([rows]), normal([rows], 1), normal([rows], 2)];
    const f = jit((x: Tensor, y: Tensor, z: Tensor) => maximum(add(multiply(x, y), z), 0));
    return () => f(a, b, c);
  },
  sum: ({ rows, columns, axis }: RowsParams) => {
    const x = normal([rows, columns]);
    const f = jit((t: Tensor) => (axis === undefined ? sum(t) : sum(t, { axis })));
    return () => f(x);
  },
  softmax: ({ rows, columns }: RowsParams) => {
    const x = normal([rows, columns]);
    const f = jit((t: Tensor) => softmax(t));
    return () => f(x);
  },
  max: ({ rows, columns, axis }: RowsParams) => {
    const x = normal([rows, columns]);
    const f = jit((t: Tensor) => max(t, axis === undefined ? {} : { axis }));
    return () => f(x);
  },
  layerNorm: ({ rows, columns }: RowsParams) => {
    const x = normal([rows, columns]);
    const f = jit((t: Tensor) => standardize(t));
    return () => f(x);
  },
  runningSum: ({ rows, columns, axis }: RowsParams) => {
    const x = normal([rows, columns]);
    const f = jit((t: Tensor) => cumsum(t, { axis }));
    return () => f(x);
  },
  transpose: ({ rows, columns }: RowsParams) => {
    const x = normal([rows, columns]);
    const f = jit((t: Tensor) => transpose(t));
    return () => f(x);
  },
  gelu: ({ rows, columns }: RowsParams) => {
    const x = normal([rows, columns]);
    const f = jit((t: Tensor) => gelu(t));
    return () => f(x);
  },
  batchNorm: ({ n, size, c }: ImagesParams) => {
    const [x, g] = [normal([n, size, size, c]), normal([n, size, size, c], 1)];
    const layer = batchNorm();
    const { params, state } = layer.init(random.key(0), x);
    const f = jit((p: typeof params, t: Tensor, d: Tensor) => {
      const [y, back] = vjp(
        (q: typeof params, u: Tensor) => layer.apply(q, state, u, { training: true })[0],
        p,
        t,
      );
      return [y, ...back(d)];
    });
    return () => f(params, x, g);
  },
  maxPool: ({ n, size, c }: ImagesParams) => {
    const [x, g] = [normal([n, size, size, c]), normal([n, size / 2, size / 2, c], 1)];
    const f = jit((t: Tensor, d: Tensor) => {
      const [y, back] = vjp((u: Tensor) => windowMax(u, { window: 2 }), t);
      return [y, back(d)[0]];
    });
    return () => f(x, g);
  },
  normal: ({ rows }: RowsParams) => {
    const key = random.key(0);
    const f = jit((k: Tensor) => random.normal(k, [rows]));
    return () => f(key);
  },
  optimizer,
  step: ({ batch }: { batch: number }) => training(smallNet(), [batch, 28, 28, 1], 10),
  resnet18: ({ batch }: { batch: number }) => training(resnet18(), [batch, 32, 32, 3], 10),
  eager: () => {
    const x = ones([16]);
    return () => add(x, x);
  },
  jitted: () => {
    const x = ones([16]);
    const f = jit((t: Tensor) => add(multiply(t, t), t));
    return () => f(x);
  },
  trace: ({ layers }: { layers: number }) => {
    const [x, w] = [ones([4, 4]), ones([4, 4])];
    return () => {
      let f = (t: Tensor) => t;
      for (let i = 0; i < layers; i++) {
        const before = f;
        f = (t) => sin(matmul(before(t), w));
      }
      return jit(f)(x);
    };
  },
};
