import { binary, constant, coord, type Kernel, load, type Plan } from '@neumann/core/backend';
import { ModuleBuilder } from '../asm/module.ts';
import type { CpuBackend } from '../backend.ts';

/** What a machine can do at best, as far as WebAssembly reaches it. */
export interface Peak {
  /** 10^9 float32 operations a second in multiply-adds from registers, in all threads. */
  readonly gflops: number;
  /** 10^9 bytes a second read and written by a kernel that adds one to what no cache holds. */
  readonly gbs: number;
}

const known = new WeakMap<CpuBackend, Peak>();

/** Measures both, once for each backend: some 100 ms. */
export function peakOf(backend: CpuBackend): Peak {
  const peak = known.get(backend) ?? {
    gflops: backend.threads * multiplyAdds(backend),
    gbs: bandwidth(backend),
  };
  known.set(backend, peak);
  return peak;
}

/** Of 128 bits: enough to hide the latency of multiply-adds. */
const ACCUMULATORS = 12;
const STEPS = 2 ** 18;

/** Of one thread: accumulators in neighbouring pairs, which is what 256-bit mode looks for. */
function multiplyAdds({ features }: CpuBackend): number {
  const builder = new ModuleBuilder();
  const accumulators = features.revectorize ? 2 * ACCUMULATORS : ACCUMULATORS;
  builder.define(
    { params: [], results: [] },
    (code) => {
      const [at, left] = [code.local('i32'), code.local('i32')];
      const acc = code.locals('v128', accumulators);
      const b = code.locals('v128', 2);
      const a = code.local('v128');
      for (const [i, local] of [...acc, ...b].entries())
        code
          .get(at)
          .memory('v128.load', 16 * i)
          .set(local);
      code.get(at).memory('v128.load32_splat', 0).set(a);
      code.i32(STEPS).set(left);
      code.countdown(left, () => {
        for (const [i, local] of acc.entries()) {
          const factor = b[i % 2] ?? 0;
          if (features.relaxedSimd) code.get(a).get(factor).get(local).op('f32x4.relaxed_madd').set(local);
          else code.get(local).get(a).get(factor).op('f32x4.mul').op('f32x4.add').set(local);
        }
      });
      for (const [i, local] of acc.entries())
        code
          .get(at)
          .get(local)
          .memory('v128.store', 16 * i);
    },
    'run',
  );
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const module = new WebAssembly.Module(builder.encode({ maxPages: 1, shared: false }));
  const run = new WebAssembly.Instance(module, { env: { memory } }).exports['run'] as () => void;
  return (STEPS * accumulators * 8) / best(run, 12) / 1e6;
}

/** More than caches hold. */
const BYTES = 2 ** 26;

function bandwidth(backend: CpuBackend): number {
  const bytes = Math.min(BYTES, Math.floor(backend.memory().budgetBytes / 4));
  const size = bytes / 4;
  const kernel: Kernel = {
    name: 'add one',
    inputs: [{ shape: [size], dtype: 'float32' }],
    axes: [size],
    reduceAxes: [],
    reductions: [],
    outputs: [binary('add', load(0, 'float32', [coord(0)]), constant('float32', 1))],
  };
  const plan: Plan = {
    slots: [
      { dtype: 'float32', size, place: { kind: 'input', index: 0 } },
      { dtype: 'float32', size, place: { kind: 'donated', index: 0 } },
    ],
    steps: [{ kind: 'kernel', kernel, inputs: [0], outputs: [1] }],
    inputs: [0],
    outputs: [1],
    arenaBytes: 0,
  };
  const executable = backend.compile(plan);
  let buffer = backend.upload('float32', new Float32Array(size));
  const run = () => {
    [buffer = buffer] = executable.run([buffer]);
  };
  return (2 * bytes) / best(run, 5) / 1e6;
}

/** Milliseconds of the fastest of some runs: what the machine can do, whatever else it does. */
function best(run: () => void, times: number): number {
  let least = Infinity;
  for (let i = 0; i < times; i++) {
    const start = performance.now();
    run();
    least = Math.min(least, performance.now() - start);
  }
  return least;
}
