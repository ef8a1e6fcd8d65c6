import {
  add,
  BackendError,
  DTypeError,
  devicePut,
  InternalError,
  jit,
  OptionError,
  random,
  reference,
  setBackend,
  type Tensor,
  tensor,
} from '@neumann/core';
import { binary, coord, load } from '@neumann/core/backend';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import type { Emitted } from '../src/emit/emit.ts';
import { type GpuOptions, gpu } from '../src/index.ts';
import { Kernels } from '../src/kernels.ts';
import { kernel, planOf } from './run.ts';

const backend = await gpu({ mode: 'webasm' });

const missing = {
  webgpu:
    'gpu: there is no navigator.gpu here. Browsers have it on secure pages; in Node the package webgpu gives it: ' +
    'Object.assign(globalThis, globals), and Object.assign(navigator, { gpu: create([]) }).',
  webgl2: 'gpu: there is no WebGL 2 here; outside of browsers, use mode headlessgl or webasm.',
  headlessgl: expect.stringMatching(
    /^gpu: headlessgl needs the package gl \(.+\); install it with npm install gl@9\.0\.0-rc\.10\.$/s,
  ) as unknown,
};

describe('gpu', () => {
  test('says what it runs on and what its limits are', () => {
    expect(backend.name).toBe('gpu(webasm)');
    expect(backend.describe()).toEqual({
      mode: 'webasm',
      device: 'one CPU thread, WebAssembly SIMD',
      library: 'gpu.js 2.24.1',
      dtypes: ['float32', 'int32', 'uint32', 'uint8', 'bool'],
      precision: 'float32',
      denormals: true,
      sync: true,
      maxElements: 2 ** 26,
      maxInteger: 2 ** 24 - 1,
      passedOver: {},
    });
  });

  test('runs in the first mode that is there, and says why the others are not', async () => {
    const { mode, passedOver } = (await gpu()).describe();
    expect(mode).toBe('webasm');
    expect(passedOver).toEqual(missing);
  });

  test.each(['webgpu', 'webgl2', 'headlessgl'] as const)('%s is not there in a bare Node', async (mode) => {
    const message: unknown = missing[mode];
    await expect(gpu({ mode })).rejects.toThrow(BackendError);
    await expect(gpu({ mode })).rejects.toHaveProperty('message', message);
  });

  test.each<[unknown, string]>([
    [
      { mode: 'cuda' },
      "gpu: mode is 'cuda', but must be 'auto', 'webgpu', 'webgl2', 'headlessgl' or 'webasm'.",
    ],
    [{ mode: 3 }, "gpu: mode is 3, but must be 'auto', 'webgpu', 'webgl2', 'headlessgl' or 'webasm'."],
    [{ threads: 2 }, 'gpu: there is no option threads; there are mode and memoryMB.'],
    [{ memoryMB: 0 }, 'gpu: memoryMB must be a positive number, but is 0.'],
    ['webasm', "gpu: the options must be an object such as { mode: 'webasm' }, but are webasm."],
  ])('refuses %j', async (options, message) => {
    await expect(gpu(options as GpuOptions)).rejects.toThrow(new OptionError(message));
  });
});

describe('without the gpu.js that it needs', () => {
  afterEach(() => {
    vi.doUnmock('gpu.js');
    vi.resetModules();
  });

  test('says what to install', async () => {
    vi.doMock('gpu.js', () => {
      throw new Error('not there');
    });
    vi.resetModules();
    const fresh = await import('../src/index.ts');
    await expect(fresh.gpu()).rejects.toThrow(
      /^gpu: the package gpu\.js could not be loaded \(.*; install it with npm install gpu\.js@2\.24\.1\.$/s,
    );
  });

  test('refuses what ran in another mode', async () => {
    const { GPU } = await vi.importActual<{ GPU: new (settings: { mode: string }) => object }>('gpu.js');
    vi.doMock('gpu.js', () => ({
      GPU: class extends GPU {
        constructor() {
          super({ mode: 'cpu' });
        }
      },
    }));
    vi.resetModules();
    const fresh = await import('../src/index.ts');
    await expect(fresh.gpu()).rejects.toThrow(
      'gpu: kernel probe was to run in mode webasm, but gpu.js ran it in mode cpu; its results were dropped. Use another backend.',
    );
  });
});

describe('buffers', () => {
  test('are copies of what goes in and comes out', async () => {
    const values = Float32Array.of(1, NaN, -0, 2 ** -149);
    const buffer = backend.upload('float32', values);
    values.fill(7);
    const want = Float32Array.of(1, NaN, -0, 2 ** -149);
    expect(backend.downloadSync(buffer)).toEqual(want);
    backend.downloadSync(buffer).fill(7);
    expect(await backend.download(buffer)).toEqual(want);
  });

  test('have at most 2^26 elements', () => {
    expect(() => backend.upload('uint8', new Uint8Array(2 ** 26 + 1))).toThrow(
      new BackendError(
        'gpu: a tensor of 67108865 elements is too large; this backend takes 67108864 at most. ' +
          'Use smaller tensors or another backend.',
      ),
    );
    expect(backend.upload('uint8', new Uint8Array(2 ** 24 + 1)).size).toBe(2 ** 24 + 1);
  });

  test('of another backend are refused', () => {
    const foreign = reference().upload('float32', Float32Array.of(1));
    expect(() => backend.downloadSync(foreign)).toThrow(
      new InternalError('gpu: this buffer belongs to another backend.'),
    );
  });

  test('are gone when they were donated', () => {
    const x = load(0, 'float32', [coord(0)]);
    const plan = planOf(
      kernel({ inputs: [{ dtype: 'float32', shape: [2] }], axes: [2], outputs: [binary('add', x, x)] }),
    );
    const [input, output] = plan.slots;
    if (!input || !output) throw new Error('two slots');
    const donating = {
      ...plan,
      slots: [input, { ...output, place: { kind: 'donated', index: 0 } as const }],
    };
    const given = backend.upload('float32', Float32Array.of(1, 2));
    const [result] = backend.compile(donating).run([given]);
    if (!result) throw new Error('one result');
    expect([...backend.downloadSync(result)]).toEqual([2, 4]);
    expect(() => backend.downloadSync(given)).toThrow('gpu: a donated buffer f32[2] was used again.');
  });
});

describe('with the core', () => {
  setBackend(backend);
  afterAll(() => setBackend(reference()));

  test('dtypes that are missing are refused by name', () => {
    expect(() => tensor(Float64Array.of(1))).toThrow(
      new DTypeError(
        'gpu(webasm): has no float64; it has float32, int32, uint32, uint8, bool. Convert with astype(), or use another backend.',
      ),
    );
  });

  test('samples are those of other backends, because uint32 is exact', async () => {
    const draw = (): Tensor => random.uniform(random.foldIn(random.key(7), 3), [9]);
    setBackend(reference());
    const drawn = draw();
    setBackend(backend);
    const moved = await devicePut(drawn);
    expect(add(moved, 0).dataSync()).toEqual(drawn.dataSync());
    expect(jit(draw)().dataSync()).toEqual(drawn.dataSync());
  });

  test('the same program is compiled once, also for another function', () => {
    const double = () => jit((x: Tensor) => add(x, x));
    const x = tensor(Float32Array.of(1, 2, 3));
    for (const f of [double(), double()]) expect([...f(x).dataSync()]).toEqual([2, 4, 6]);
  });

  test('an argument that is a result is the same tensor', () => {
    const f = jit((x: Tensor) => [x, add(x, 1)]);
    const x = tensor(Float32Array.of(1, 2));
    const [same, next] = f(x);
    expect([same, next].map(String)).toEqual(['f32[2] [1, 2]', 'f32[2] [2, 3]']);
  });
});

describe('compiled programs', () => {
  const program = (key: number, size = 4): Emitted => ({
    key: String(key),
    name: 'k',
    source: '',
    functions: [],
    constants: {},
    size,
    inputs: [],
  });

  /** A gpu.js that counts. */
  function counting() {
    const count = { created: 0, destroyed: 0 };
    const createKernel = (_: string, { output: [size] }: { readonly output: readonly [size: number] }) => {
      count.created++;
      const destroy = (): void => {
        count.destroyed++;
      };
      return Object.assign(() => new Float32Array(size), {
        kernel: { constructor: { mode: 'webasm' } },
        destroy,
      });
    };
    return { count, kernels: new Kernels({ createKernel, context: undefined, kernels: [] }, 'webasm') };
  }

  test('are kept while they are used, and no more than 1024', () => {
    const { count, kernels } = counting();
    for (let i = 0; i < 2000; i++) {
      kernels.run(program(i), []);
      kernels.run(program(0), []);
    }
    expect(count).toEqual({ created: 2000, destroyed: 976 });
  });

  test('and no more than 1 GB of their memory', () => {
    const { count, kernels } = counting();
    for (let i = 0; i < 40; i++) kernels.run(program(i, 2 ** 24), []);
    expect(count).toEqual({ created: 40, destroyed: 24 });
  });

  test('that gpu.js cannot translate are reported with their source', () => {
    const createKernel = (): never => {
      throw new Error('no such word');
    };
    const kernels = new Kernels({ createKernel, context: undefined, kernels: [] }, 'webasm');
    expect(() => kernels.run({ ...program(0), source: 'function () {}' }, [])).toThrow(
      new InternalError(
        'gpu: gpu.js cannot run kernel k (no such word); please report it with its source:\nfunction () {}',
      ),
    );
  });
});
