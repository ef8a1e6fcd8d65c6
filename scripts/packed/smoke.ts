// What a user's first program does, run against the packed packages by ../packed.mjs.
import { cpu } from '@neumann/backend-cpu';
import * as gpu from '@neumann/backend-gpu';
import { grad, jit, multiply, random, setBackend, sum, type Tensor, tensor } from '@neumann/core';
import * as backend from '@neumann/core/backend';
import * as extend from '@neumann/core/extend';
import { dense, serial } from '@neumann/nn';
import { decodeNpy, encodeNpy } from '@neumann/nn/data';
import { resnet } from '@neumann/nn/models';
import { loadCheckpoint } from '@neumann/nn/node';
import { neumannEvalParams, neumannInit, neumannStep } from '@neumann/optim';

/** Throws unless `actual` and `expected` hold the same numbers. */
const same = (what: string, actual: ArrayLike<number | boolean>, expected: readonly number[]): void => {
  const got = Array.from(actual, Number);
  if (got.length !== expected.length || got.some((v, i) => v !== expected[i]))
    throw new Error(`${what}: got [${got}], expected [${expected}]`);
  console.log(`ok ${what}`);
};

for (const [name, entry] of Object.entries({ backend, extend, gpu }))
  if (Object.keys(entry).length === 0) throw new Error(`${name} exports nothing`);

const loss = (x: Tensor): Tensor => sum(multiply(x, x));
same('grad on the reference backend', grad(loss)(tensor([1, 2, 3])).dataSync(), [2, 4, 6]);

setBackend(await cpu());
same('grad on the cpu backend', grad(loss)(tensor([1, 2, 3])).dataSync(), [2, 4, 6]);
same('jit on the cpu backend', jit(grad(loss))(tensor([1, 2, 3])).dataSync(), [2, 4, 6]);

let state = neumannInit(tensor([1, 2, 3]), { learningRate: 0.01, burnInSteps: 5, resetSteps: 10 });
for (let i = 0; i < 20; i++) state = neumannStep(state, grad(loss)(state.params));
const trained = loss(neumannEvalParams(state)).dataSync()[0];
if (!(Number(trained) < 14)) throw new Error(`neumannStep: the loss went from 14 to ${trained}`);
console.log('ok neumannStep');

const model = serial(dense({ features: 4 }), dense({ features: 1 }));
const x = tensor([
  [1, 2, 3],
  [4, 5, 6],
]);
const { params, state: running } = model.init(random.key(0), x);
const [y] = model.apply(params, running, x);
same('serial(dense, dense)', y.shape, [2, 1]);

same('npy', decodeNpy(encodeNpy(new Float32Array([1, 2]))).data, [1, 2]);
const small = resnet({ blocks: [1], block: 'basic', width: 4, classes: 2 });
const made = small.init(random.key(0), { shape: [1, 32, 32, 3], dtype: 'float32' });
const image = random.normal(random.key(1), [1, 32, 32, 3]);
same('resnet', small.apply(made.params, made.state, image)[0].shape, [1, 2]);
if ((await loadCheckpoint('no-such-folder', { params })) !== null)
  throw new Error('a checkpoint out of nothing');
console.log('ok nn/node');
