import { BackendError, InternalError, type Load } from '@neumann/core/backend';
import { type Device, type Handle, lostError, type Numbered, Refusals, refusedError } from './device.ts';
import type { Emitted } from './emit/emit.ts';
import { assertMode, createKernel, type Gpu, type GpuJs, type KernelRun, messageOf } from './gpujs.ts';
import { maxElements } from './limits.ts';
import { Programs } from './programs.ts';
import type { Contraction } from './routines/contraction.ts';
import { type CompiledContraction, WebGlContractions } from './routines/webgl.ts';

/** The bits of a NaN that nothing computes. Where a context is lost, reading leaves them, before the loss is announced. */
const unread = 0x7fa5c3e1;

/** A texture of gpu.js. */
interface Texture {
  readonly texture: object & { readonly _refs?: number };
  readonly size: Readonly<ArrayLike<number>>;
  readonly kernel: unknown;
  readonly constructor: new (settings: object) => Texture;
  delete(): void;
}

class TextureMemory implements Numbered {
  readonly size: number;
  readonly number: number;
  readonly texture: Texture;

  constructor(size: number, number: number, texture: Texture) {
    this.size = size;
    this.number = number;
    this.texture = texture;
  }
}

/**
 * Programs of gpu.js over float32 textures, each value one texture, packed square.
 *
 * @param isBrowser the package `gl` refuses what contractions need, such as textures in layers.
 */
export function webglDevice(library: GpuJs, isBrowser = true): Device {
  if (!('WebGL2RenderingContext' in globalThis))
    throw new BackendError(
      'gpu: there is no WebGL 2 here; outside of browsers, use mode headlessgl or webasm.',
    );
  return new WebGl2(new library.GPU({ mode: 'webgl2' }), isBrowser);
}

class WebGl2 implements Device {
  readonly dialect = 'device';
  readonly contracts: boolean;
  readonly device: string;
  readonly maxInputs: number;
  readonly maxElements: number;
  readonly #gl: WebGL2RenderingContext;
  /** One element, 1. Its texture is what those of uploaded values are made after. */
  readonly #probe: TextureMemory;
  readonly #programs: Programs<KernelRun | CompiledContraction>;
  readonly #contractions: WebGlContractions | undefined;
  readonly #refusals = new Refusals();
  /** The first handle since WebGL was last asked for errors. */
  #unasked = 0;
  #lost = false;

  constructor(gpu: Gpu, isBrowser: boolean) {
    this.#programs = new Programs(
      (program) => {
        const [width, height] = squareOf(program.size);
        const { contraction } = program;
        return (
          (contraction && this.#contractions?.compile(contraction, { width, height })) ??
          createKernel(gpu, program, true)
        );
      },
      (run) => {
        if (typeof run === 'function') run.destroy();
      },
      ({ size }) => 4 * size, // gpu.js keeps the last result of each
    );
    const texture = createKernel(gpu, probeProgram, true)() as Texture;
    this.#probe = new TextureMemory(1, this.#refusals.number(), texture);
    const gl = gpu.context;
    if (!(gl instanceof WebGL2RenderingContext))
      throw new BackendError('gpu: gpu.js has no WebGL 2 here; use another mode.');
    this.#gl = gl;
    this.#contractions = isBrowser ? WebGlContractions.on(gl) : undefined;
    this.contracts = this.#contractions !== undefined;
    const info = gl.getExtension('WEBGL_debug_renderer_info');
    this.device = `WebGL 2 (${String(gl.getParameter(info?.UNMASKED_RENDERER_WEBGL ?? gl.RENDERER))})`;
    this.maxInputs = Math.min(15, (gl.getParameter(gl.MAX_TEXTURE_IMAGE_UNITS) as number) - 1); // one of constants
    this.maxElements = Math.min(maxElements, (gl.getParameter(gl.MAX_TEXTURE_SIZE) as number) ** 2);
    const [one] = this.readSync(this.#probe);
    if (one !== 1) throw new BackendError(`gpu: WebGL 2 computes ${one} for 1 here; use another mode.`);
  }

  check(): void {
    this.#lost ||= this.#gl.isContextLost();
    if (this.#lost) throw lostError('WebGL context');
  }

  usable(handle: Handle): boolean {
    return !this.#refusals.has(handle as TextureMemory);
  }

  /** What was refused since the last time that this was asked: rarely, because the answer is waited for. */
  #refused(): string | undefined {
    const gl = this.#gl;
    const error = gl.getError();
    this.check();
    const why = error === gl.OUT_OF_MEMORY ? 'out of memory' : `WebGL error ${error}`;
    if (error !== gl.NO_ERROR) {
      this.#refusals.add(this.#unasked, why);
      this.#programs.clear(); // they hold textures too
      this.#contractions?.clear();
    }
    this.#unasked = this.#refusals.next;
    return error === gl.NO_ERROR ? undefined : why;
  }

  upload(values: Float32Array): Handle {
    this.check();
    const gl = this.#gl;
    const [w, h] = squareOf(Math.max(1, values.length));
    const texture = gl.createTexture();
    const padded = new Float32Array(w * h);
    padded.set(values);
    gl.activeTexture(gl.TEXTURE0 + this.maxInputs);
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
    gl.pixelStorei(gl.UNPACK_FLIP_Y_WEBGL, false);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.R32F, w, h, 0, gl.RED, gl.FLOAT, padded);
    return this.#wrap(texture, values.length, this.#refusals.number());
  }

  /** A texture of ours as one of gpu.js. */
  #wrap(texture: WebGLTexture, elements: number, number: number): TextureMemory {
    const gl = this.#gl;
    const model = this.#probe.texture;
    const size = Math.max(1, elements);
    const wrapped = new model.constructor({
      texture,
      size: Int32Array.from(squareOf(size)),
      dimensions: Int32Array.of(size, 1, 1),
      output: [size],
      context: gl,
      kernel: model.kernel,
      internalFormat: gl.R32F,
      textureFormat: gl.RED,
    });
    return new TextureMemory(elements, number, wrapped);
  }

  run(program: Emitted, inputs: readonly Handle[]): Handle {
    this.check();
    for (const input of inputs) this.#refusals.check(input as TextureMemory);
    const run = this.#programs.find(program);
    const number = this.#refusals.number();
    let result: unknown;
    try {
      if (typeof run !== 'function') return this.#contract(program, run, inputs, number);
      result = run(...inputs.map((input) => (input as TextureMemory).texture));
    } catch (cause) {
      this.readSync(this.#probe); // tells a loss that nobody was told of yet
      const why = `gpu: gpu.js cannot run kernel ${program.name} (${messageOf(cause)})`;
      throw new InternalError(`${why}; please report it with its source:\n${program.source}`, { cause });
    }
    assertMode(program.name, run, 'gpu'); // what gpu.js calls all its kernels on WebGL
    return new TextureMemory(program.size, number, result as Texture);
  }

  #contract(
    program: Emitted,
    compiled: CompiledContraction,
    inputs: readonly Handle[],
    number: number,
  ): Handle {
    const { left, right } = program.contraction as Contraction;
    const textureOf = (load: Load): WebGLTexture => {
      const at = program.inputs.findIndex(({ input }) => input === load.input);
      return (inputs[at] as TextureMemory).texture.texture;
    };
    const result = (this.#contractions as WebGlContractions).run(compiled, textureOf(left), textureOf(right));
    // gpu.js sets the area that its kernels draw into when it compiles, and they rely on it.
    const { maxTexSize } = this.#probe.texture.kernel as { maxTexSize: readonly [number, number] };
    this.#gl.viewport(0, 0, ...maxTexSize);
    return this.#wrap(result, program.size, number);
  }

  read(handle: Handle): Promise<Float32Array> {
    return new Promise((resolve) => {
      resolve(this.readSync(handle));
    });
  }

  readSync(handle: Handle): Float32Array {
    this.check();
    const gl = this.#gl;
    const { texture, size } = handle as TextureMemory;
    const [w, h] = [texture.size[0] as number, texture.size[1] as number];
    const frame = gl.createFramebuffer();
    gl.bindFramebuffer(gl.FRAMEBUFFER, frame);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture.texture, 0);
    const values = new Float32Array(w * h);
    const bits = new Int32Array(values.buffer).fill(unread);
    gl.pixelStorei(gl.PACK_ALIGNMENT, 4);
    gl.readPixels(0, 0, w, h, gl.RED, gl.FLOAT, values);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.deleteFramebuffer(frame);
    const why = this.#refused();
    this.#refusals.check(handle as TextureMemory);
    if (bits.every((bit) => bit === unread)) {
      if (why !== undefined) throw refusedError(why);
      this.#lost = true;
      this.check();
    }
    return values.subarray(0, size);
  }

  free(handle: Handle): void {
    if (this.#gl.isContextLost()) return;
    const { texture } = handle as TextureMemory;
    texture.delete();
    if (!texture.texture._refs) this.#gl.deleteTexture(texture.texture); // gpu.js does not where its kernel is gone
  }
}

/** gpu.js's own layout of so many elements: `utils.closestSquareDimensions`. */
function squareOf(size: number): [width: number, height: number] {
  const root = Math.sqrt(size);
  let [high, low] = [Math.ceil(root), Math.floor(root)];
  while (high * low < size) {
    high--;
    low = Math.ceil(size / high);
  }
  return [low, Math.ceil(size / low)];
}

/** The first program that runs gives the texture after which those of uploaded values are made. */
const probeProgram: Emitted = {
  key: 'probe',
  name: 'probe',
  source: 'function () {\n  return 1;\n}',
  functions: [],
  constants: {},
  size: 1,
  inputs: [],
};
