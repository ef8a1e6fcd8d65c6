import { BackendError, InternalError } from '@neumann/core/backend';
import { type Device, type Handle, lostError } from './device.ts';
import type { Emitted } from './emit/emit.ts';
import { assertMode, createKernel, type Gpu, type GpuJs, type KernelRun, messageOf } from './gpujs.ts';
import { maxElements } from './limits.ts';
import { Programs } from './programs.ts';

/** A texture of gpu.js. */
interface Texture {
  readonly texture: object;
  readonly size: Readonly<ArrayLike<number>>;
  readonly kernel: unknown;
  readonly constructor: new (settings: object) => Texture;
  delete(): void;
}

class TextureMemory implements Handle {
  readonly size: number;
  readonly texture: Texture;

  constructor(size: number, texture: Texture) {
    this.size = size;
    this.texture = texture;
  }
}

/** Programs of gpu.js over float32 textures, each value one texture, packed square. */
export function webglDevice(library: GpuJs): Device {
  return new WebGl2(new library.GPU({ mode: 'webgl2' }));
}

class WebGl2 implements Device {
  readonly dialect = 'device';
  readonly device: string;
  readonly maxInputs: number;
  readonly maxElements: number;
  readonly #gpu: Gpu;
  readonly #programs: Programs<KernelRun>;
  #context: WebGL2RenderingContext | undefined;
  #model: Texture | undefined;

  constructor(gpu: Gpu) {
    this.#gpu = gpu;
    this.#programs = new Programs(
      (program) => createKernel(gpu, program, true),
      (run) => run.destroy(),
    );
    const probe = this.run(probeProgram, []) as TextureMemory;
    this.#model = probe.texture;
    const gl = this.#gl();
    if (!(gl instanceof WebGL2RenderingContext))
      throw new BackendError('gpu: gpu.js has no WebGL 2 here; use another mode.');
    const info = gl.getExtension('WEBGL_debug_renderer_info');
    const name: unknown = info ? gl.getParameter(info.UNMASKED_RENDERER_WEBGL) : undefined;
    this.device = `WebGL 2${typeof name === 'string' ? ` (${name})` : ''}`;
    this.maxInputs = Math.min(15, (gl.getParameter(gl.MAX_TEXTURE_IMAGE_UNITS) as number) - 1); // one of constants
    this.maxElements = Math.min(maxElements, (gl.getParameter(gl.MAX_TEXTURE_SIZE) as number) ** 2);
    const [one] = this.readSync(probe);
    if (one !== 1) throw new BackendError(`gpu: WebGL 2 computes ${one} for 1 here; use another mode.`);
  }

  #gl(): WebGL2RenderingContext {
    const gl = this.#context ?? (this.#gpu.context as WebGL2RenderingContext | null);
    if (!gl) throw new InternalError('gpu: WebGL has no context yet.');
    this.#context = gl;
    return gl;
  }

  check(): void {
    if (this.#context?.isContextLost()) throw lostError('WebGL context');
  }

  /** @throws {BackendError} if the context was lost or had no memory in what came before. */
  #settle(): void {
    const gl = this.#gl();
    const error = gl.getError();
    this.check();
    if (error === gl.OUT_OF_MEMORY)
      throw new BackendError(
        'gpu: the WebGL device is out of memory; use smaller tensors, or hold fewer of them.',
      );
    if (error !== gl.NO_ERROR) throw new InternalError(`gpu: WebGL reports error ${error}.`);
  }

  upload(values: Float32Array): Handle {
    this.check();
    const gl = this.#gl();
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
    this.#settle();
    const model = this.#model as Texture;
    const size = Math.max(1, values.length);
    const wrapped = new model.constructor({
      texture,
      size: Int32Array.of(w, h),
      dimensions: Int32Array.of(size, 1, 1),
      output: [size],
      context: gl,
      kernel: model.kernel,
      internalFormat: gl.R32F,
      textureFormat: gl.RED,
    });
    return new TextureMemory(values.length, wrapped);
  }

  run(program: Emitted, inputs: readonly Handle[]): Handle {
    this.check();
    const run = this.#programs.find(program);
    let result: unknown;
    try {
      result = run(...inputs.map((input) => (input as TextureMemory).texture));
    } catch (cause) {
      this.check();
      const why = `gpu: gpu.js cannot run kernel ${program.name} (${messageOf(cause)})`;
      throw new InternalError(`${why}; please report it with its source:\n${program.source}`, { cause });
    }
    assertMode(program.name, run, 'gpu'); // what gpu.js calls all its kernels on WebGL
    if (this.#model) this.#settle();
    return new TextureMemory(program.size, result as Texture);
  }

  read(handle: Handle): Promise<Float32Array> {
    return new Promise((resolve) => {
      resolve(this.readSync(handle));
    });
  }

  readSync(handle: Handle): Float32Array {
    this.check();
    const gl = this.#gl();
    const { texture, size } = handle as TextureMemory;
    const [w, h] = [texture.size[0] as number, texture.size[1] as number];
    const frame = gl.createFramebuffer();
    gl.bindFramebuffer(gl.FRAMEBUFFER, frame);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture.texture, 0);
    const values = new Float32Array(w * h);
    gl.pixelStorei(gl.PACK_ALIGNMENT, 4);
    gl.readPixels(0, 0, w, h, gl.RED, gl.FLOAT, values);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.deleteFramebuffer(frame);
    this.#settle();
    return values.subarray(0, size);
  }

  free(handle: Handle): void {
    if (!this.#context?.isContextLost()) (handle as TextureMemory).texture.delete();
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
