/** WebGL 2 as a machine for arrays: programs that compute every texel of a texture, and textures that are used again. */
import { InternalError } from '@neumann/core/backend';
import type { Layout } from './layout.ts';

export interface Texture extends Layout {
  readonly texture: WebGLTexture;
  /** More than one in a texture array, all of which one program writes. */
  readonly layers: number;
}

/** Bytes of textures that nobody uses. */
const maxFreeBytes = 2 ** 28;

const bytesOf = ({ width, height, lanes, layers }: Texture): number => 4 * lanes * width * height * layers;

/** The four numbers of `special` (see emit/words.ts) are a uniform, because some shading languages have no literals for them. */
const specialUniform = [Infinity, -Infinity, NaN, -0] as const;

export class Drawing {
  readonly gl: WebGL2RenderingContext;
  readonly #frame: WebGLFramebuffer;
  readonly #free = new Map<string, Texture[]>();
  #freeBytes = 0;
  /** Color attachments that a texture is bound to. */
  #attached = 1;

  constructor(gl: WebGL2RenderingContext) {
    this.gl = gl;
    this.#frame = gl.createFramebuffer();
    gl.bindVertexArray(gl.createVertexArray());
  }

  /** Compiles a fragment shader whose samplers are `t0`, `t1`, … */
  compile(source: string, samplers: number): WebGLProgram {
    const { gl } = this;
    const program = gl.createProgram();
    for (const [kind, text] of [
      [gl.VERTEX_SHADER, vertexSource],
      [gl.FRAGMENT_SHADER, head + source],
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
    for (let unit = 0; unit < samplers; unit++)
      gl.uniform1i(gl.getUniformLocation(program, `t${unit}`), unit);
    gl.uniform4f(gl.getUniformLocation(program, 'specials'), ...specialUniform);
    return program;
  }

  /** Computes all texels of a texture. */
  draw(program: WebGLProgram, inputs: readonly Texture[], target: Texture): void {
    const { gl } = this;
    for (let unit = 0; unit < inputs.length; unit++) {
      const { texture, layers } = inputs[unit] as Texture;
      gl.activeTexture(gl.TEXTURE0 + unit);
      gl.bindTexture(layers > 1 ? gl.TEXTURE_2D_ARRAY : gl.TEXTURE_2D, texture);
    }
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.#frame);
    this.#attach(target);
    gl.useProgram(program);
    gl.viewport(0, 0, target.width, target.height);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  #attach({ texture, layers }: Texture): void {
    const { gl } = this;
    if (layers === 1)
      gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0);
    else
      for (let layer = 0; layer < layers; layer++)
        gl.framebufferTextureLayer(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0 + layer, texture, 0, layer);
    if (layers === this.#attached) return;
    for (let layer = layers; layer < this.#attached; layer++)
      gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0 + layer, gl.TEXTURE_2D, null, 0);
    gl.drawBuffers(Array.from({ length: layers }, (_, layer) => gl.COLOR_ATTACHMENT0 + layer));
    this.#attached = layers;
  }

  /** A texture that nobody uses; what it holds is what it held last. */
  take(layout: Layout, layers = 1): Texture {
    const known = this.#free.get(keyOf(layout, layers))?.pop();
    if (!known) return this.#make(layout, layers);
    this.#freeBytes -= bytesOf(known);
    return known;
  }

  /** Nobody uses it any more: commands run in order. */
  give(texture: Texture): void {
    const bytes = bytesOf(texture);
    if (this.#freeBytes + bytes > maxFreeBytes) {
      this.gl.deleteTexture(texture.texture);
      return;
    }
    const key = keyOf(texture, texture.layers);
    const alike = this.#free.get(key) ?? [];
    this.#free.set(key, alike);
    alike.push(texture);
    this.#freeBytes += bytes;
  }

  /** Deletes the textures that nobody uses. */
  clear(): void {
    for (const { texture } of [...this.#free.values()].flat()) this.gl.deleteTexture(texture);
    this.#free.clear();
    this.#freeBytes = 0;
  }

  #make(layout: Layout, layers: number): Texture {
    const { gl } = this;
    const { width, height, lanes } = layout;
    const kind = layers > 1 ? gl.TEXTURE_2D_ARRAY : gl.TEXTURE_2D;
    const format = lanes === 4 ? gl.RGBA32F : gl.R32F;
    const texture = gl.createTexture();
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(kind, texture);
    if (layers > 1) gl.texStorage3D(kind, 1, format, width, height, layers);
    else gl.texStorage2D(kind, 1, format, width, height);
    for (const name of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER])
      gl.texParameteri(kind, name, gl.NEAREST);
    return { ...layout, texture, layers };
  }
}

const keyOf = ({ width, height, lanes }: Layout, layers: number): string =>
  `${width},${height},${lanes},${layers}`;

const head = `#version 300 es
precision highp float;
precision highp int;
precision highp sampler2D;
precision highp sampler2DArray;
`;

/** One triangle over everything. */
const vertexSource = `#version 300 es
void main() {
  gl_Position = vec4(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0, 0.0, 1.0);
}
`;
