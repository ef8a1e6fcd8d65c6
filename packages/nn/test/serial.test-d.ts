import { random, type Tensor } from '@neumann/core';
import { conv2d, dense, flatten, type Layer, type ParamsOf, relu, serial, type Weights } from '@neumann/nn';
import { expectTypeOf, test } from 'vitest';

const key = random.key(0);
const x = { shape: [1, 8, 8, 1], dtype: 'float32' } as const;

test('parameters of named layers have their names, and functions have none', () => {
  const model = serial({
    conv: conv2d({ features: 2, kernel: 3 }),
    relu,
    flatten,
    out: dense({ features: 2 }),
  });
  expectTypeOf(model.init(key, x).params).toEqualTypeOf<{ readonly conv: Weights; readonly out: Weights }>();
  expectTypeOf(model.init(key, x).state).toEqualTypeOf<null>();
  expectTypeOf<ParamsOf<typeof model>['conv']['w']>().toEqualTypeOf<Tensor>();
  expectTypeOf(model.init(key, x).params).not.toHaveProperty('relu');
});

test('parameters of listed layers are a tuple', () => {
  const model = serial(dense({ features: 2 }), relu);
  expectTypeOf(model.init(key, x).params).toEqualTypeOf<readonly [Weights, null]>();
});

test('layers nest', () => {
  const model = serial({ block: serial(dense({ features: 2 })), act: serial({ relu }) });
  expectTypeOf(model.init(key, x).params).toEqualTypeOf<{ readonly block: readonly [Weights] }>();
});

test('state is kept where a layer has it', () => {
  const counter = {} as Layer<null, { readonly calls: Tensor }>;
  const model = serial({ counter, relu });
  expectTypeOf(model.init(key, x)).toEqualTypeOf<{
    readonly params: null;
    readonly state: { readonly counter: { readonly calls: Tensor } };
  }>();
});

test('what is no layer is refused', () => {
  // @ts-expect-error a number
  serial({ a: 3 });
  // @ts-expect-error takes two tensors
  serial({ a: (p: Tensor, q: Tensor) => (p.size > q.size ? p : q) });
});
