import { BackendError, InternalError } from '@neumann/core/backend';
import { type Device, type Handle, lostError, type Numbered, Refusals, refusedError } from './device.ts';
import { Drawing, type Texture } from './drawing.ts';
import type { Emitted } from './emit/emit.ts';
import { glslOf } from './emit/glsl.ts';
import { type Gpu, type GpuJs, messageOf, translateToGlsl } from './gpujs.ts';
import { layoutOf } from './layout.ts';
import { maxElements } from './limits.ts';
import { Programs } from './programs.ts';
import { type CompiledContraction, WebGlContractions } from './routines/webgl.ts';

/** The bits of a NaN that nothing computes. Where a context is lost, reading leaves them, before the loss is announced. */
const unread = 0x7fa5c3e1;

/** So often a reading looks whether it is done in the next turn of the page; from then on, in turns some milliseconds apart. */
const soonTurns = 16;

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

/** The program of a kernel's own loops, or those of a contraction. */
type Compiled = { readonly nest: WebGLProgram } | { readonly blocks: CompiledContraction };

/**
 * Programs that gpu.js translates to GLSL, drawn on its context from here, over float32 textures that are used again.
 *
 * @param isBrowser the package `gl` has no `drawBuffers`, which contractions need, and no `getBufferSubData`, for later reads:
 * in 9.0.0-rc.10 the first passes on numbers that nobody set, the second does nothing.
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
  readonly contractionGain: number | undefined;
  readonly device: string;
  readonly maxInputs: number;
  readonly maxElements: number;
  readonly #gl: WebGL2RenderingContext;
  readonly #drawing: Drawing;
  /** One element, 1. */
  readonly #probe: TextureMemory;
  readonly #programs: Programs<Compiled>;
  readonly #contractions: WebGlContractions | undefined;
  readonly #isBrowser: boolean;
  readonly #refusals = new Refusals();
  /** The first handle since WebGL was last asked for errors. */
  #unasked = 0;
  #lost = false;

  constructor(gpu: Gpu, isBrowser: boolean) {
    translateToGlsl(gpu, probeProgram); // for which gpu.js makes its context
    const gl = gpu.context;
    if (!(gl instanceof WebGL2RenderingContext && gl.getExtension('EXT_color_buffer_float')))
      throw new BackendError('gpu: gpu.js has no WebGL 2 with float32 results here; use another mode.');
    this.#gl = gl;
    this.#isBrowser = isBrowser;
    this.#drawing = new Drawing(gl);
    this.#contractions = isBrowser ? WebGlContractions.on(this.#drawing) : undefined;
    this.contractionGain = this.#contractions && 2;
    this.#programs = new Programs(
      (program) => {
        const { contraction, inputs } = program;
        const blocks = contraction && this.#contractions?.compile(contraction);
        return blocks ? { blocks } : { nest: this.#drawing.compile(glslOf(program, gpu), inputs.length) };
      },
      (compiled) => {
        if ('nest' in compiled) gl.deleteProgram(compiled.nest);
        else this.#contractions?.destroy(compiled.blocks);
      },
    );
    const info = gl.getExtension('WEBGL_debug_renderer_info');
    this.device = `WebGL 2 (${String(gl.getParameter(info?.UNMASKED_RENDERER_WEBGL ?? gl.RENDERER))})`;
    this.maxInputs = Math.min(16, gl.getParameter(gl.MAX_TEXTURE_IMAGE_UNITS) as number);
    const maxSide = 2 ** Math.floor(Math.log2(gl.getParameter(gl.MAX_TEXTURE_SIZE) as number));
    this.maxElements = Math.min(maxElements, 4 * maxSide ** 2);
    this.#probe = this.run(probeProgram, []);
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
    while (error !== gl.NO_ERROR && gl.getError() !== gl.NO_ERROR); // what follows from the first
    this.check();
    const why = error === gl.OUT_OF_MEMORY ? 'out of memory' : `WebGL error ${error}`;
    if (error !== gl.NO_ERROR) {
      this.#refusals.add(this.#unasked, why);
      this.#programs.clear();
      this.#drawing.clear(); // some of these may have no memory
    }
    this.#unasked = this.#refusals.next;
    return error === gl.NO_ERROR ? undefined : why;
  }

  upload(values: Float32Array): Handle {
    this.check();
    const gl = this.#gl;
    const texture = this.#drawing.take(layoutOf(values.length));
    const { width, height, lanes } = texture;
    const padded = new Float32Array(width * height * lanes);
    padded.set(values);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, texture.texture);
    gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, width, height, formatOf(texture, gl), gl.FLOAT, padded);
    return new TextureMemory(values.length, this.#refusals.number(), texture);
  }

  run(program: Emitted, inputs: readonly Handle[]): TextureMemory {
    this.check();
    for (const input of inputs) this.#refusals.check(input as TextureMemory);
    const compiled = this.#compiled(program);
    const number = this.#refusals.number();
    const result = this.#drawing.take(layoutOf(program.size));
    const textures = inputs.map((input) => (input as TextureMemory).texture);
    if ('nest' in compiled) this.#drawing.draw(compiled.nest, textures, result);
    else {
      const [x, y] = compiled.blocks.operands.map(
        (operand) => textures[program.inputs.findIndex(({ input }) => input === operand)] as Texture,
      ) as [Texture, Texture];
      this.#contractions?.run(compiled.blocks, x, y, result);
    }
    return new TextureMemory(program.size, number, result);
  }

  #compiled(program: Emitted): Compiled {
    try {
      return this.#programs.find(program);
    } catch (cause) {
      this.readSync(this.#probe); // tells a loss that nobody was told of yet
      const why = `gpu: gpu.js cannot translate kernel ${program.name} (${messageOf(cause)})`;
      throw new InternalError(`${why}; please report it with its source:\n${program.source}`, { cause });
    }
  }

  async read(handle: Handle): Promise<Float32Array> {
    if (!this.#isBrowser) return this.readSync(handle);
    this.check();
    const gl = this.#gl;
    const memory = handle as TextureMemory;
    const pixels = valuesOf(memory);
    const copy = { size: memory.size, number: this.#refusals.number() };
    const buffer = gl.createBuffer();
    gl.bindBuffer(gl.PIXEL_PACK_BUFFER, buffer);
    gl.bufferData(gl.PIXEL_PACK_BUFFER, pixels.byteLength, gl.STREAM_READ);
    this.#framed(memory, (width, height, format) => gl.readPixels(0, 0, width, height, format, gl.FLOAT, 0));
    gl.bindBuffer(gl.PIXEL_PACK_BUFFER, null);
    const fence = gl.fenceSync(gl.SYNC_GPU_COMMANDS_COMPLETE, 0);
    gl.flush();
    try {
      if (fence) await this.#passed(fence); // there is none where the context is lost, and nothing is read
      gl.bindBuffer(gl.PIXEL_PACK_BUFFER, buffer);
      gl.getBufferSubData(gl.PIXEL_PACK_BUFFER, 0, pixels);
      gl.bindBuffer(gl.PIXEL_PACK_BUFFER, null);
    } finally {
      gl.deleteSync(fence);
      gl.deleteBuffer(buffer);
    }
    return this.#judged(pixels, memory, copy);
  }

  /**
   * Waits for the device without holding up the page: it is asked in later turns. Browsers look at fences when they answer
   * something else, and otherwise every few milliseconds, so that short work is done sooner if errors are asked for too.
   */
  async #passed(fence: WebGLSync): Promise<void> {
    const gl = this.#gl;
    const { port1, port2 } = new MessageChannel();
    try {
      for (let turn = 0; turn === 0 || gl.clientWaitSync(fence, 0, 0) === gl.TIMEOUT_EXPIRED; turn++) {
        await new Promise((resolve) => {
          port1.onmessage = resolve;
          if (turn < soonTurns) port2.postMessage(0);
          else setTimeout(resolve);
        });
        this.check();
        if (turn < soonTurns) this.#refused();
      }
    } finally {
      port1.close();
    }
  }

  readSync(handle: Handle): Float32Array {
    this.check();
    const memory = handle as TextureMemory;
    const pixels = valuesOf(memory);
    const gl = this.#gl;
    this.#framed(memory, (width, height, format) =>
      gl.readPixels(0, 0, width, height, format, gl.FLOAT, pixels),
    );
    return this.#judged(pixels, memory);
  }

  /** Reads from a texture. */
  #framed({ texture }: TextureMemory, read: (width: number, height: number, format: number) => void): void {
    const gl = this.#gl;
    const frame = gl.createFramebuffer();
    gl.bindFramebuffer(gl.FRAMEBUFFER, frame);
    gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture.texture, 0);
    gl.pixelStorei(gl.PACK_ALIGNMENT, 4);
    read(texture.width, texture.height, formatOf(texture, gl));
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.deleteFramebuffer(frame);
  }

  /** The values that were read, if they come from nothing that was refused, and were there. */
  #judged(pixels: Float32Array, memory: TextureMemory, ...copies: readonly Numbered[]): Float32Array {
    const why = this.#refused();
    for (const part of [memory, ...copies]) this.#refusals.check(part);
    if (new Int32Array(pixels.buffer).every((bit) => bit === unread)) {
      if (why !== undefined) throw refusedError(why);
      this.#lost = true;
      this.check();
    }
    return pixels.subarray(0, memory.size);
  }

  free(handle: Handle): void {
    if (this.#gl.isContextLost()) return;
    const { texture } = handle as TextureMemory;
    if (this.#refusals.has(handle as TextureMemory)) this.#gl.deleteTexture(texture.texture);
    else this.#drawing.give(texture);
  }
}

/** An array for the values of all texels, filled with the bits of `unread`. */
function valuesOf({ texture: { width, height, lanes } }: TextureMemory): Float32Array {
  const values = new Float32Array(width * height * lanes);
  new Int32Array(values.buffer).fill(unread);
  return values;
}

const formatOf = ({ lanes }: Texture, gl: WebGL2RenderingContext): number => (lanes === 4 ? gl.RGBA : gl.RED);

/** The first program that runs. */
const probeProgram: Emitted = {
  key: 'probe',
  name: 'probe',
  source: 'function () {\n  return 1;\n}',
  functions: [],
  constants: {},
  size: 1,
  inputs: [],
};
