import { readFileSync } from 'node:fs';
import { cpu } from '@neumann/backend-cpu';
import {
  astype,
  evalShape,
  FileError,
  getBackend,
  jit,
  OptionError,
  ones,
  random,
  reshape,
  ShapeDtype,
  setBackend,
  type Tensor,
  tensor,
  transpose,
  treeFlatten,
  treeMap,
  treePaths,
} from '@neumann/core';
import { summary } from '@neumann/nn';
import * as models from '@neumann/nn/models';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const home = getBackend();
beforeAll(async () => setBackend(await cpu({ memoryMB: 1024 })));
afterAll(() => setBackend(home));

/** Published parameter counts: torchvision's, timm's for Inception-ResNet-V2, the papers' for the small ones. */
test.each([
  ['resnet18', models.resnet18(), 224, 11_689_512],
  ['resnet34', models.resnet34(), 224, 21_797_672],
  ['resnet50', models.resnet50(), 224, 25_557_032],
  ['resnet101', models.resnet101(), 224, 44_549_160],
  ['resnet152', models.resnet152(), 224, 60_192_808],
  ['inceptionV3', models.inceptionV3(), 299, 23_834_568],
  ['inceptionV3WithAuxiliary', models.inceptionV3WithAuxiliary(), 299, 27_161_264],
  ['inceptionResnetV2', models.inceptionResnetV2(), 299, 55_843_464],
  ['cifarResnet 20', models.cifarResnet({ depth: 20 }), 32, 269_722],
  ['cifarResnet 56', models.cifarResnet({ depth: 56 }), 32, 853_018],
  // Version 2: one normalisation less at each change of shape, one more at the end.
  ['resnet18, version 2', models.resnet18({ version: 2 }), 224, 11_687_720],
  ['resnet50, version 2', models.resnet50({ version: 2 }), 224, 25_549_352],
] as const)('%s has its published number of parameters', (_, model, side, parameters) => {
  const { rows, parameters: found } = summary(model as models.Model, new ShapeDtype([1, side, side, 3]));
  expect(found).toBe(parameters);
  expect(rows.at(-1)?.output).toBe('f32[1,1000]'.replace('1000', parameters < 1e6 ? '10' : '1000'));
});

test('LeNet has 61,706 parameters', () => {
  expect(summary(models.lenet(), new ShapeDtype([1, 28, 28, 1])).parameters).toBe(61_706);
});

test('a summary is a table with sums', () => {
  const table = String(summary(models.mlp({ hidden: [3], classes: 2 }), new ShapeDtype([4, 5])));
  expect(table).toBe(
    [
      'layer    output    parameters  flops  activation',
      '────────────────────────────────────────────────',
      'flatten  f32[4,5]           0      0        80 B',
      'hidden0  f32[4,3]          18    132        48 B',
      'relu0    f32[4,3]           0     12        48 B',
      'logits   f32[4,2]           8     56        32 B',
      '────────────────────────────────────────────────',
      'total                      26    200       208 B',
    ].join('\n'),
  );
});

test.each([
  () => models.resnet({ blocks: [], block: 'basic', classes: 2 }),
  () => models.resnet({ blocks: [1], block: 'wide' as 'basic', classes: 2 }),
  () => models.resnet18({ version: 3 as 2 }),
  () => models.cifarResnet({ depth: 21 }),
])('bad options are refused', (make) => {
  expect(make).toThrow(OptionError);
});

describe('weights of PyTorch', () => {
  const golden = JSON.parse(
    readFileSync(new URL('./goldens/resnet.json', import.meta.url), 'utf8'),
  ) as Record<string, number[][]>;

  /** As in goldens/resnet.py. */
  const values = (seed: number, count: number): Float64Array =>
    Float64Array.from({ length: count }, (_, i) => Math.sin((i + 1) * (0.7 + 0.001 * seed)));

  /** A network's weights by PyTorch's names and in its layout, filled as in goldens/resnet.py. */
  function torchWeights(template: object): Record<string, Tensor> {
    const paths = treePaths(template).map((path) => path.replace(/^(params|state)\./, ''));
    const { leaves } = treeFlatten(template);
    const named = paths.map((path, i) => {
      const { shape } = leaves[i] as ShapeDtype;
      const isWeight = path.endsWith('.w');
      return {
        name: models.torchName(path, models.resnetNames),
        shape: isWeight ? [...shape.slice(-2).toReversed(), ...shape.slice(0, -2)] : shape,
      };
    });
    named.sort((a, b) => (a.name < b.name ? -1 : 1));
    return Object.fromEntries(
      named.map(({ name, shape }, seed) => {
        const count = shape.reduce((p, n) => p * n, 1);
        const v = values(seed, count);
        const fan = count / (shape[0] as number) / 2;
        const scaled =
          shape.length > 1
            ? v.map((x) => x / Math.sqrt(fan))
            : /(running_var|weight)$/.test(name)
              ? v.map((x) => 1 + 0.3 * x)
              : v.map((x) => 0.1 * x);
        return [name, reshape(tensor(scaled), shape)];
      }),
    );
  }

  const templateOf = (model: models.Model) =>
    evalShape(
      (k: Tensor) => model.init(k, { shape: [1, 64, 64, 3], dtype: 'float64' }),
      random.key(0),
    ) as unknown as { params: object; state: object };

  test.each([
    ['resnet18', models.resnet18],
    ['resnet50', models.resnet50],
  ] as const)('%s gives the logits that torchvision gives, in float64', (name, make) => {
    const model = make({ classes: 10 });
    const template = templateOf(model);
    const { params, state } = models.fromTorch(template, torchWeights(template), models.resnetNames);
    const x = transpose(reshape(tensor(values(0, 2 * 3 * 64 * 64)), [2, 3, 64, 64]), [0, 2, 3, 1]);
    const logits = jit((p: object, s: object, images: Tensor) => model.apply(p, s, images)[0])(
      params,
      state,
      x,
    ).toArray() as number[][];
    for (const [i, row] of (golden[name] as number[][]).entries())
      for (const [j, y] of row.entries()) expect(logits[i]?.[j]).toBeCloseTo(y, 11);
  });

  test('missing, left-over and misshapen tensors are named', () => {
    const template = templateOf(models.resnet({ blocks: [1], block: 'basic', width: 2, classes: 2 }));
    const good = torchWeights(template);
    const { 'layer1.0.conv1.weight': conv = ones([1]), ...missing } = good;
    const load = (tensors: Record<string, Tensor>) => () =>
      models.fromTorch(template, tensors, models.resnetNames);
    expect(load(good)).not.toThrow();
    expect(load({ ...good, 'bn1.num_batches_tracked': tensor(1, 'int32') })).not.toThrow();
    expect(load(missing)).toThrow(
      'fromTorch: layer1.block0.sum.body.conv1.w needs a tensor "layer1.0.conv1.weight"',
    );
    expect(load({ ...good, other: conv })).toThrow(
      'there is a tensor "other", but the model has no such leaf',
    );
    expect(load({ ...good, 'fc.bias': ones([3]) })).toThrow(FileError);
    expect(load(treeMap((t: Tensor) => astype(t, 'float32'), good))).toThrow(/must be f64/);
  });
});
