import {
  add,
  evalShape,
  grad,
  jit,
  multiply,
  NeumannError,
  ones,
  random,
  reshape,
  square,
  sum,
  type Tensor,
  tensor,
  treeMap,
  treePaths,
  zeros,
} from '@neumann/core';
import {
  avgPool,
  conv2d,
  dense,
  dropout,
  flatten,
  gelu,
  initializers,
  type Layer,
  logSoftmax,
  maxPool,
  relu,
  serial,
  silu,
  softmax,
} from '@neumann/nn';
import { expect, test } from 'vitest';

const key = random.key(0);
const image = { shape: [1, 28, 28, 1], dtype: 'float32' } as const;
const values = (x: Tensor): number[] => Array.from(x.dataSync());
/** The greatest distance of an element from what is expected. */
const distance = (x: Tensor, expected: number[]): number =>
  x.size === expected.length
    ? Math.max(...values(x).map((v, i) => Math.abs(v - (expected[i] as number))))
    : Infinity;

/** The message of the library's error that `f` throws. */
function messageOf(f: () => unknown): string {
  try {
    f();
  } catch (error) {
    if (!(error instanceof NeumannError)) throw error;
    return `${error.name}: ${error.message}`;
  }
  throw new Error('nothing was thrown');
}

test('dense is x w + b', () => {
  const layer = dense({ features: 2 });
  const params = {
    w: tensor([
      [1, 2],
      [3, 4],
      [5, 6],
    ]),
    b: tensor([10, 20]),
  };
  const [y, state] = layer.apply(
    params,
    null,
    tensor([
      [1, 1, 1],
      [0, 1, 2],
    ]),
  );
  expect(y.toArray()).toEqual([
    [19, 32],
    [23, 36],
  ]);
  expect(state).toBeNull();
});

test('dense maps the last of any number of axes', () => {
  const layer = dense({ features: 2, bias: false });
  const params = {
    w: tensor([
      [1, 2],
      [3, 4],
    ]),
  };
  expect(layer.apply(params, null, ones([5, 3, 2]))[0].shape).toEqual([5, 3, 2]);
  expect(layer.apply(params, null, tensor([1, 1]))[0].toArray()).toEqual([4, 6]);
});

test('conv2d correlates: no kernel is flipped', () => {
  const layer = conv2d({ features: 1, kernel: 2, padding: 'valid' });
  const params = { w: reshape(tensor([1, 2, 3, 4]), [2, 2, 1, 1]), b: tensor([0.5]) };
  const x = reshape(tensor([1, 2, 3, 4, 5, 6, 7, 8, 9]), [1, 3, 3, 1]);
  const [y] = layer.apply(params, null, x);
  expect(y.shape).toEqual([1, 2, 2, 1]);
  expect(values(y)).toEqual([37.5, 47.5, 67.5, 77.5]); // 1*1 + 2*2 + 3*4 + 4*5 + 0.5, …
});

test.each([
  [{ kernel: 3 }, [2, 9, 7, 4]],
  [{ kernel: [3, 1], stride: 2 }, [2, 5, 4, 4]],
  [{ kernel: 3, padding: 'valid', dilation: [2, 1] }, [2, 5, 5, 4]],
  [
    {
      kernel: 2,
      stride: [1, 3],
      padding: [
        [1, 0],
        [0, 0],
      ],
    },
    [2, 9, 2, 4],
  ],
  [{ kernel: 3, groups: 2 }, [2, 9, 7, 4]],
] as const)('conv2d %j of f32[2,9,7,6] is %j', (options, shape) => {
  const layer = conv2d({ features: 4, ...options });
  const { params } = layer.init(key, { shape: [2, 9, 7, 6], dtype: 'float32' });
  expect(layer.apply(params, null, zeros([2, 9, 7, 6]))[0].shape).toEqual(shape);
});

test('pooling takes the greatest or the mean of each window', () => {
  const x = reshape(tensor([1, 2, 3, 4, 5, 6, 7, 8]), [1, 2, 4, 1]);
  expect(values(maxPool({ window: 2 })(x))).toEqual([6, 8]);
  expect(values(avgPool({ window: 2 })(x))).toEqual([3.5, 5.5]);
  expect(values(maxPool({ window: [1, 2], stride: 1 })(x))).toEqual([2, 3, 4, 6, 7, 8]);
});

test('relu is max(x, 0), keeps NaN, and has the derivative 0 at 0', () => {
  const x = tensor([-1, -0, 0, 2, Number.NaN, Infinity, -Infinity]);
  expect(values(relu(x))).toEqual([0, 0, 0, 2, Number.NaN, Infinity, 0]);
  expect(values(grad((t: Tensor) => sum(relu(t)))(tensor([-1, -0, 0, 2])))).toEqual([0, 0, 0, 1]);
});

test('gelu, silu and softmax have their textbook values', () => {
  expect(distance(gelu(tensor([-1, 0, 1, 3])), [-0.15865525, 0, 0.84134475, 2.99595])).toBeLessThan(1e-6);
  expect(distance(silu(tensor([-1, 0, 1])), [-0.26894142, 0, 0.73105858])).toBeLessThan(1e-6);
  expect(
    distance(
      softmax(
        tensor([
          [0, Math.log(3)],
          [1000, 1000],
        ]),
      ),
      [0.25, 0.75, 0.5, 0.5],
    ),
  ).toBeLessThan(1e-6);
  expect(
    distance(
      softmax(
        tensor([
          [0, 1000],
          [0, 1000],
        ]),
        { axis: 0 },
      ),
      [0.5, 0.5, 0.5, 0.5],
    ),
  ).toBeLessThan(1e-6);
  expect(distance(logSoftmax(tensor([[1000, 0]])), [0, -1000])).toBeLessThan(1e-6);
});

test('the gradient of softmax is diag(p) - p pᵀ', () => {
  const x = tensor([0, Math.log(3)], 'float64');
  expect(
    distance(grad((t: Tensor) => sum(multiply(softmax(t), tensor([1, 0], 'float64'))))(x), [0.1875, -0.1875]),
  ).toBeLessThan(1e-15);
});

test('flatten keeps the batch', () => {
  expect(flatten(zeros([2, 3, 4, 5])).shape).toEqual([2, 60]);
  expect(flatten(zeros([2])).shape).toEqual([2, 1]);
});

const net = serial({
  conv1: conv2d({ features: 4, kernel: 3 }),
  relu1: relu,
  pool: maxPool({ window: 2 }),
  block: serial(conv2d({ features: 2, kernel: 3 }), relu),
  flatten,
  logits: dense({ features: 3 }),
});

test('paths of parameters are the names of layers, and positions where there are none', () => {
  const { params, state } = net.init(key, image);
  expect(treePaths(params)).toEqual([
    'block[0].b',
    'block[0].w',
    'conv1.b',
    'conv1.w',
    'logits.b',
    'logits.w',
  ]);
  expect(params.logits.w.shape).toEqual([14 * 14 * 2, 3]);
  expect(treePaths(state)).toEqual([]);
});

test('serial composes its layers, eagerly and jitted', () => {
  const model = serial(dense({ features: 5 }), relu, dense({ features: 2 }));
  const { params, state } = model.init(key, { shape: [3, 4], dtype: 'float32' });
  const x = random.normal(random.key(1), [3, 4]);
  const [a, , b] = params;
  const [h] = dense({ features: 5 }).apply(a, null, x);
  const [y] = dense({ features: 2 }).apply(b, null, relu(h));
  expect(values(model.apply(params, state, x)[0])).toEqual(values(y));
  const jitted = jit((p: typeof params, input: Tensor) => model.apply(p, state, input)[0]);
  expect(distance(jitted(params, x), values(y))).toBeLessThan(1e-6);
});

test('equal keys give equal parameters, and layers of one model different ones', () => {
  const model = serial(dense({ features: 4 }), dense({ features: 4 }));
  const x = { shape: [1, 4], dtype: 'float32' } as const;
  const [one, two] = [model.init(key, x).params, model.init(key, x).params];
  expect(values(one[0].w)).toEqual(values(two[0].w));
  expect(values(one[0].w)).not.toEqual(values(one[1].w));
});

test('parameters have the dtype of the input, and float32 for integers', () => {
  const layer = dense({ features: 2 });
  expect(layer.init(key, { shape: [1, 2], dtype: 'float64' }).params.w.dtype).toBe('float64');
  expect(layer.init(key, { shape: [1, 2], dtype: 'uint8' }).params.w.dtype).toBe('float32');
});

test('a model can be described without computing anything', () => {
  const shapes = evalShape(() => net.init(key, image).params);
  expect(shapes.conv1.w.shape).toEqual([3, 3, 1, 4]);
});

test('gradients of a small network agree with finite differences in float64', () => {
  const x = random.normal(random.key(1), [2, 6, 6, 2], { dtype: 'float64' });
  const model = serial({
    conv: conv2d({ features: 3, kernel: 3, biasInit: initializers.normal({ stddev: 1 }) }),
    gelu,
    pool: avgPool({ window: 2 }),
    more: conv2d({ features: 2, kernel: 2, stride: 2, groups: 1 }),
    silu,
    flatten,
    out: dense({ features: 3 }),
  });
  const { params, state } = model.init(key, x.aval);
  const loss = (p: typeof params) => sum(square(model.apply(p, state, x)[0]));
  const grads = grad(loss)(params);
  const direction = treeMap((p) => random.normal(random.key(p.size), p.shape, { dtype: 'float64' }), params);
  const along = (s: number) => loss(treeMap((p, d) => add(p, multiply(d, s)), params, direction)).item();
  const central = (h: number) => (along(h) - along(-h)) / (2 * h);
  const numeric = (4 * central(5e-4) - central(1e-3)) / 3; // error O(h^4), rounding 1e-16 / h: both about 1e-12
  const exact = Object.values(treeMap((g, d) => sum(multiply(g, d)), grads, direction))
    .flatMap((layer) => Object.values(layer))
    .reduce((total, t) => total + t.item(), 0);
  expect(Math.abs(numeric - exact)).toBeLessThan(1e-9 * Math.abs(exact));
});

test('a bad option is named when the layer is made', () => {
  expect(messageOf(() => dense({ features: 0 }))).toBe(
    'OptionError: dense: features must be an integer of at least 1, but is 0.',
  );
  expect(messageOf(() => conv2d({ features: 8, kernel: [3, 0] }))).toBe(
    'OptionError: conv2d: kernel must be an integer of at least 1 or [height, width] of such, but is [3,0].',
  );
  expect(messageOf(() => conv2d({ features: 8, kernel: 3, filters: 2 } as never))).toBe(
    'OptionError: conv2d: has no option "filters"; the options are features, kernel, stride, padding, dilation, groups, ' +
      'bias, kernelInit, biasInit.',
  );
  expect(messageOf(() => conv2d({ features: 6, kernel: 3, groups: 4 }))).toBe(
    'OptionError: conv2d: features 6 must be a multiple of groups 4.',
  );
  expect(messageOf(() => maxPool({} as never))).toBe(
    'OptionError: maxPool: window must be an integer of at least 1 or [height, width] of such, but is undefined.',
  );
});

test('a wrong input is refused with the path of the layer, the shapes and the remedy', () => {
  const { params, state } = net.init(key, image);
  expect(messageOf(() => net.apply(params, state, zeros([8, 28, 28, 3])))).toBe(
    'ShapeError: conv1: conv2d: x f32[8,28,28,3] must be images [N,H,W,1] for w f32[3,3,1,4]; ' +
      'x is [N,H,W,C] and w is [KH,KW,C,F].',
  );
  expect(messageOf(() => net.apply(params, state, zeros([8, 32, 32, 1])))).toBe(
    'ShapeError: logits: dense: x f32[8,512] has 512 features but w f32[392,3] takes 392; x is [..., D] and w is [D, F].',
  );
  const wrong = { ...params, block: [{ w: zeros([3, 3, 9, 2]) }, null] as const };
  expect(messageOf(() => net.apply(wrong, state, zeros([8, 28, 28, 1])))).toMatch(
    /^ShapeError: block\[0\]: conv2d: x f32\[8,14,14,4\] must be images \[N,H,W,9\]/,
  );
  expect(messageOf(() => net.init(key, { shape: [28, 28], dtype: 'float32' }))).toBe(
    'ShapeError: conv1: conv2d: x must be images [N,H,W,C], but is f32[28,28].',
  );
});

test('an error in a plain function among the layers has its path, too', () => {
  const model = serial({ outer: serial({ pool: maxPool({ window: 2 }) }) });
  expect(messageOf(() => model.apply(null, null, zeros([3, 3])))).toBe(
    'ShapeError: outer.pool: maxPool: x must be images [N,H,W,C], but is f32[3,3].',
  );
});

test('what is no layer is refused by serial', () => {
  expect(messageOf(() => serial({ a: 3 as never }))).toBe(
    'OptionError: serial: a is a number, but must be a layer, such as dense({ features: 10 }), or a function of a tensor, such as relu.',
  );
  expect(messageOf(() => serial())).toBe('OptionError: serial: needs at least one layer.');
  expect(messageOf(() => serial({ b: relu, 1: relu }))).toMatch(
    /^OptionError: serial: "1" cannot name a layer/,
  );
});

test('state is carried through named and listed layers', () => {
  const counter: Layer<null, { readonly calls: Tensor }> = {
    init: () => ({ params: null, state: { calls: tensor(0) } }),
    apply: (_, state, x) => [x, { calls: multiply(2, state.calls) }],
  };
  const model = serial({ a: serial(counter, relu), b: counter });
  const { params } = model.init(key, { shape: [1], dtype: 'float32' });
  expect(params).toBeNull();
  const start = { a: [{ calls: tensor(1) }, null], b: { calls: tensor(5) } } as const;
  const [, after] = model.apply(params, start, ones([1]));
  expect([after.a[0].calls.item(), after.b.calls.item()]).toEqual([2, 10]);
});

test('parameters of another model are refused with the path of the layer', () => {
  const x = ones([1, 4]);
  const model = serial({ a: dense({ features: 2 }), b: dense({ features: 2 }) });
  const { a } = model.init(key, x).params;
  expect(messageOf(() => model.apply({ a } as never, null, x))).toBe(
    'TreeError: b: dense: needs parameters { w, b }, but got null; use those that init() made.',
  );
  expect(messageOf(() => model.apply(a as never, null, x))).toMatch(/^TreeError: a: dense: needs parameters/);
});

test('dropout drops a fraction in training, keeps the mean, and does nothing otherwise', () => {
  const layer = dropout({ rate: 0.25 });
  const x = ones([100, 100]);
  expect(values(layer.apply(null, null, x)[0])).toEqual(values(x));
  expect(values(layer.apply(null, null, x, { training: false, key })[0])).toEqual(values(x));
  const dropped = values(layer.apply(null, null, x, { training: true, key })[0]);
  expect(new Set(dropped)).toEqual(new Set([0, Math.fround(1 / 0.75)]));
  // 5 standard errors of a fraction of 10,000.
  expect(Math.abs(dropped.filter((v) => v === 0).length / 10_000 - 0.25)).toBeLessThan(
    5 * Math.sqrt((0.25 * 0.75) / 10_000),
  );
  expect(values(dropout({ rate: 0 }).apply(null, null, x, { training: true })[0])).toEqual(values(x));
});

test('dropout without a key, or with a bad rate, is refused', () => {
  const model = serial({ drop: dropout({ rate: 0.5 }) });
  expect(messageOf(() => model.apply(null, null, ones([2]), { training: true }))).toBe(
    'OptionError: drop: dropout: needs a key in training; call apply(params, state, x, { training: true, key }).',
  );
  expect(messageOf(() => dropout({ rate: 1 }))).toBe(
    'OptionError: dropout: rate must be in [0, 1), but is 1.',
  );
});

test('each layer gets a key of its own', () => {
  const seen: number[][] = [];
  const spy: Layer<null, null> = {
    init: () => ({ params: null, state: null }),
    apply: (_, state, x, context) => {
      if (context?.key) seen.push(values(context.key));
      return [x, state];
    },
  };
  const model = serial(spy, spy);
  const { params, state } = model.init(key, { shape: [1], dtype: 'float32' });
  model.apply(params, state, ones([1]), { training: true, key });
  expect(seen).toHaveLength(2);
  expect(seen[0]).not.toEqual(seen[1]);
});
