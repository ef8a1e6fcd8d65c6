import { add, grad, jit, multiply, random, subtract, type Tensor, treeMap, zeros } from '@neumann/core';
import { conv2d, crossEntropy, dense, flatten, maxPool, relu, serial } from '@neumann/nn';
import { alternate, table } from '../measure.ts';

/**
 * One training step of a small convolutional network with SGD: conv 3×3 1→16, relu, max pool, conv 3×3 16→32, relu,
 * max pool, dense 1568→10, cross-entropy; batch 128 of 28×28.
 */
export function step(): string {
  const same = { kernel: 3, padding: 'same' } as const;
  const model = serial(
    conv2d({ features: 16, ...same }),
    relu,
    maxPool({ window: 2 }),
    conv2d({ features: 32, ...same }),
    relu,
    maxPool({ window: 2 }),
    flatten,
    dense({ features: 10 }),
  );
  const [initKey, dataKey] = random.split(random.key(0)) as [Tensor, Tensor];
  const x = random.normal(dataKey, [128, 28, 28, 1]);
  const labels = zeros([128], 'int32');
  const { params, state } = model.init(initKey, x);
  const loss = (p: typeof params) => crossEntropy(model.apply(p, state, x, { training: true })[0], labels);
  const sgd = jit((p: typeof params) => treeMap((w, g) => subtract(w, multiply(0.01, g)), p, grad(loss)(p)), {
    donate: [0],
  });
  let current = treeMap((w) => add(w, 0), params) as typeof params;
  const run = () => {
    current = sgd(current);
  };
  return table(
    'training step of a small conv net, batch 128',
    alternate([{ name: 'jitted, donated', run }], { quantum: 200 }),
  );
}
