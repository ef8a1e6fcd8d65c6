/** From a tensor to a trained network. Run it with `node --conditions=@neumann/source examples/quickstart.ts`. */
import { cpu } from '@neumann/backend-cpu';
import { astype, grad, jit, less, norm, random, setBackend, sin, type Tensor, tensor } from '@neumann/core';
import { accuracy, crossEntropy, dense, relu, serial } from '@neumann/nn';
import { type NeumannState, neumannEvalParams, neumannInit, neumannStep } from '@neumann/optim';

setBackend(await cpu()); // WebAssembly; without this line, everything runs on a slow reference backend

// Tensors are immutable, operations are functions, and functions have gradients.
console.log(grad(sin)(tensor(0))); // cos(0): f32[] 1

// 1,000 points of a square: does a point lie in a disc around its centre?
const points = random.uniform(random.key(0), [1000, 2], { min: -1 });
const labels = astype(less(norm(points, { axis: 1 }), 0.7), 'int32');

// A network is a pair of functions. Its parameters are data: { hidden: { w, b }, logits: { w, b } }.
const network = serial({ hidden: dense({ features: 32 }), relu, logits: dense({ features: 2 }) });
const { params } = network.init(random.key(1), points);
const predict = (p: typeof params): Tensor => network.apply(p, null, points)[0];
const loss = (p: typeof params): Tensor => crossEntropy(predict(p), labels);

// One step of the Neumann optimizer, compiled; the memory of the old state becomes that of the new one.
const step = jit((s: NeumannState<typeof params>) => neumannStep(s, grad(loss)(s.params)), { donate: [0] });
let state = neumannInit(params, { learningRate: 0.5, burnInSteps: 20, resetSteps: 200 });
for (let i = 0; i < 1000; i++) state = step(state);

console.log(accuracy(predict(neumannEvalParams(state)), labels).item());
