/** Runs contractions on WebGL. */
import type { Drawing, Texture } from '../drawing.ts';
import { blockRows, type Contraction } from './contraction.ts';
import { type Pass, passesOf } from './glsl.ts';

interface CompiledPass {
  readonly pass: Pass;
  readonly program: WebGLProgram;
}

export interface CompiledContraction {
  readonly left: CompiledPass | undefined;
  readonly right: CompiledPass | undefined;
  readonly blocks: CompiledPass;
  readonly result: CompiledPass;
  /** Which inputs of the kernel the operands are. */
  readonly operands: readonly [left: number, right: number];
}

export class WebGlContractions {
  readonly #drawing: Drawing;
  readonly #maxSide: number;

  private constructor(drawing: Drawing, maxSide: number) {
    this.#drawing = drawing;
    this.#maxSide = maxSide;
  }

  /** `undefined` where a program cannot write all rows of a block. */
  static on(drawing: Drawing): WebGlContractions | undefined {
    const { gl } = drawing;
    const [buffers, attachments, side] = [
      gl.MAX_DRAW_BUFFERS,
      gl.MAX_COLOR_ATTACHMENTS,
      gl.MAX_TEXTURE_SIZE,
    ].map((name) => gl.getParameter(name) as number) as [number, number, number];
    return Math.min(buffers, attachments) >= blockRows ? new WebGlContractions(drawing, side) : undefined;
  }

  /** Programs for it, where its textures are not too large. */
  compile(contraction: Contraction): CompiledContraction | undefined {
    const passes = passesOf(contraction, this.#maxSide);
    if (!passes) return undefined;
    const compile = (pass: Pass): CompiledPass => ({
      pass,
      program: this.#drawing.compile(pass.source, 2),
    });
    const { left, right, blocks, result } = passes;
    return {
      left: left && compile(left),
      right: right && compile(right),
      blocks: compile(blocks),
      result: compile(result),
      operands: [contraction.left.input, contraction.right.input],
    };
  }

  /** Computes the result from the operands. */
  run({ left, right, blocks, result }: CompiledContraction, x: Texture, y: Texture, target: Texture): void {
    const drawing = this.#drawing;
    const copied = (compiled: CompiledPass | undefined, operand: Texture): Texture => {
      if (!compiled) return operand;
      const copy = drawing.take(compiled.pass.layout);
      drawing.draw(compiled.program, [operand], copy);
      return copy;
    };
    const [packedX, packedY] = [copied(left, x), copied(right, y)];
    const tiles = drawing.take(blocks.pass.layout, blockRows);
    drawing.draw(blocks.program, [packedX, packedY], tiles);
    drawing.draw(result.program, [tiles], target);
    if (left) drawing.give(packedX);
    if (right) drawing.give(packedY);
    drawing.give(tiles);
  }

  destroy({ left, right, blocks, result }: CompiledContraction): void {
    for (const compiled of [left, right, blocks, result])
      if (compiled) this.#drawing.gl.deleteProgram(compiled.program);
  }
}
