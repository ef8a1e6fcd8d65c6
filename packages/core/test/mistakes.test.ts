import { runMistakes } from '@neumann/testing';
import * as core from '../src/index.ts';

type Tensor = core.Tensor;
const { add, sin, sum, tensor } = core;

// showAval only shows what is a shape and dtype.
runMistakes('core', core, ['setBackend', 'showAval']);
runMistakes('core, random', core.random);
runMistakes('core, linalg', core.linalg);
runMistakes('core, fft', core.fft);
runMistakes('core, image', core.image);

const f = (x: Tensor): Tensor => sum(sin(x));
runMistakes('functions that transformations make', {
  jit: core.jit(f),
  checkpoint: core.checkpoint(f),
  vmap: core.vmap(f),
  grad: core.grad(f),
  valueAndGrad: core.valueAndGrad(f),
  jacfwd: core.jacfwd(sin),
  jacrev: core.jacrev(sin),
  hessian: core.hessian(f),
  linearized: core.linearize(sin, tensor([1, 2]))[1],
  pullback: core.vjp(sin, tensor([1, 2]))[1],
  scan: (init: Tensor, xs: Tensor) => core.scan((c: Tensor, x: Tensor) => [add(c, x), c], init, xs),
  forLoop: (n: number, init: Tensor) => core.forLoop(0, n, (_, c: Tensor) => add(c, 1), init),
  cond: (p: Tensor, x: Tensor) => core.cond(p, sin, f, x),
});
