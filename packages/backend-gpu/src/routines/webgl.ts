/** Runs contractions on the WebGL context of gpu.js, of whose state only the viewport is another one afterwards. */
import { InternalError } from '@neumann/core/backend';
import { blockRows, type Contraction } from './contraction.ts';
import { type Pass, type Passes, passesOf } from './glsl.ts';

interface Scratch {
  readonly texture: WebGLTexture;
  readonly key: string;
  readonly bytes: number;
}

export interface CompiledContraction {
  readonly passes: Passes;
  readonly programs: Readonly<Record<keyof Passes, WebGLProgram>>;
}

/** Memory for copies of operands, which is used again, up to so many bytes. */
const maxScratch = 2 ** 27;

export class WebGlContractions {
  readonly #gl: WebGL2RenderingContext;
  readonly #frame: WebGLFramebuffer;
  readonly #vertices: WebGLVertexArrayObject;
  readonly #maxSize: number;
  readonly #programs = new Map<string, WebGLProgram>();
  readonly #scratch = new Map<string, Scratch[]>();
  #scratchBytes = 0;

  private constructor(gl: WebGL2RenderingContext) {
    this.#gl = gl;
    this.#frame = gl.createFramebuffer();
    this.#vertices = gl.createVertexArray();
    this.#maxSize = gl.getParameter(gl.MAX_TEXTURE_SIZE) as number;
  }

  /** `undefined` where a program cannot write all rows of a block. */
  static on(gl: WebGL2RenderingContext): WebGlContractions | undefined {
    const most = [gl.MAX_DRAW_BUFFERS, gl.MAX_COLOR_ATTACHMENTS].map(
      (name) => gl.getParameter(name) as number,
    );
    return Math.min(...most) >= blockRows ? new WebGlContractions(gl) : undefined;
  }

  /** Programs for it, where its textures are not too large. */
  compile(
    contraction: Contraction,
    result: { readonly width: number; readonly height: number },
  ): CompiledContraction | undefined {
    const passes = passesOf(contraction, this.#maxSize, result);
    if (!passes) return undefined;
    const program = ({ source }: Pass): WebGLProgram => this.#program(source);
    const { left, right, blocks } = passes;
    const programs = {
      left: program(left),
      right: program(right),
      blocks: program(blocks),
      result: program(passes.result),
    };
    return { passes, programs };
  }

  /** @returns the texture of the result. */
  run({ passes, programs }: CompiledContraction, left: WebGLTexture, right: WebGLTexture): WebGLTexture {
    const gl = this.#gl;
    const [x, y] = [this.#take(passes.left, 1), this.#take(passes.right, 1)];
    const tiles = this.#take(passes.blocks, blockRows);
    const result = this.#texture(passes.result, gl.R32F, gl.TEXTURE_2D);
    gl.bindVertexArray(this.#vertices);
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.#frame);
    this.#draw(programs.left, passes.left, x.texture, 1, [left]);
    this.#draw(programs.right, passes.right, y.texture, 1, [right]);
    this.#draw(programs.blocks, passes.blocks, tiles.texture, blockRows, [x.texture, y.texture]);
    this.#draw(programs.result, passes.result, result, 1, [tiles.texture], gl.TEXTURE_2D_ARRAY);
    gl.bindVertexArray(null);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    for (const scratch of [x, y, tiles]) this.#give(scratch); // commands run in order
    return result;
  }

  /** Frees what nobody uses. */
  clear(): void {
    for (const { texture } of [...this.#scratch.values()].flat()) this.#gl.deleteTexture(texture);
    this.#scratch.clear();
    this.#scratchBytes = 0;
  }

  #draw(
    program: WebGLProgram,
    { width, height }: Pass,
    target: WebGLTexture,
    layers: number,
    inputs: readonly WebGLTexture[],
    kind: number = this.#gl.TEXTURE_2D,
  ): void {
    const gl = this.#gl;
    for (const [unit, texture] of inputs.entries()) {
      gl.activeTexture(gl.TEXTURE0 + unit);
      gl.bindTexture(kind, texture);
    }
    for (let layer = 0; layer < blockRows; layer++) {
      const place = gl.COLOR_ATTACHMENT0 + layer;
      if (layers > 1) gl.framebufferTextureLayer(gl.FRAMEBUFFER, place, target, 0, layer);
      else gl.framebufferTexture2D(gl.FRAMEBUFFER, place, gl.TEXTURE_2D, layer === 0 ? target : null, 0);
    }
    gl.drawBuffers(Array.from({ length: layers }, (_, layer) => gl.COLOR_ATTACHMENT0 + layer));
    gl.useProgram(program);
    gl.viewport(0, 0, width, height);
    gl.scissor(0, 0, width, height);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  #program(source: string): WebGLProgram {
    const known = this.#programs.get(source);
    if (known) return known;
    const gl = this.#gl;
    const program = gl.createProgram();
    for (const [kind, text] of [
      [gl.VERTEX_SHADER, vertexSource],
      [gl.FRAGMENT_SHADER, source],
    ] as const) {
      const shader = gl.createShader(kind) as WebGLShader;
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
      gl.deleteShader(shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost())
      throw new InternalError(
        `gpu: WebGL cannot compile (${gl.getProgramInfoLog(program)}); please report it:\n${source}`,
      );
    gl.useProgram(program);
    for (const unit of [0, 1]) gl.uniform1i(gl.getUniformLocation(program, `in${unit}`), unit);
    this.#programs.set(source, program);
    return program;
  }

  #texture({ width, height }: Pass, format: number, kind: number, layers = 1): WebGLTexture {
    const gl = this.#gl;
    const texture = gl.createTexture();
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(kind, texture);
    if (kind === gl.TEXTURE_2D) gl.texStorage2D(kind, 1, format, width, height);
    else gl.texStorage3D(kind, 1, format, width, height, layers);
    for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER])
      gl.texParameteri(kind, name, gl.NEAREST);
    return texture;
  }

  #take(pass: Pass, layers: number): Scratch {
    const gl = this.#gl;
    const key = `${pass.width},${pass.height},${layers}`;
    const bytes = 16 * pass.width * pass.height * layers;
    const known = this.#scratch.get(key)?.pop();
    if (known) {
      this.#scratchBytes -= bytes;
      return known;
    }
    const kind = layers === 1 ? gl.TEXTURE_2D : gl.TEXTURE_2D_ARRAY;
    return { texture: this.#texture(pass, gl.RGBA32F, kind, layers), key, bytes };
  }

  #give(scratch: Scratch): void {
    if (this.#scratchBytes + scratch.bytes > maxScratch) {
      this.#gl.deleteTexture(scratch.texture);
      return;
    }
    const alike = this.#scratch.get(scratch.key) ?? [];
    this.#scratch.set(scratch.key, alike);
    alike.push(scratch);
    this.#scratchBytes += scratch.bytes;
  }
}

/** One triangle over everything. */
const vertexSource = `#version 300 es
void main() {
  gl_Position = vec4(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0, 0.0, 1.0);
}
`;
