import type { Callable, Code, Local } from '../asm/code.ts';
import type { EmitContext } from '../emit/plan.ts';

/**
 * The linear maps of Winograd's F(4×4, 3×3) (Lavin and Gray 2015, https://arxiv.org/abs/1509.09308): four neighbouring
 * outputs of a filter of three taps from six products instead of twelve, so that a square tile takes 36 instead of 144.
 * With points 0, 1, -1, 2, -2 and infinity: y = Aᵀ[(G g) ∘ (Bᵀ d)].
 */

/** Maps vectors to vectors; gives locals with the results. */
type Map1 = (code: Code, x: readonly Local[]) => Local[];

/** Elements along each side of a transformed tile. */
export const SIDE = 6;
export const POINTS: number = SIDE * SIDE;

/** `Σ factor * term` in a new local. */
function sum(code: Code, ...terms: readonly (readonly [factor: number, term: Local | undefined])[]): Local {
  const result = code.local('v128');
  terms.forEach(([factor, term = 0], i) => {
    code.get(term);
    const size = Math.abs(factor);
    if (size !== 1) code.get(constantOf(code, size)).op('f32x4.mul');
    if (i > 0) code.op(factor < 0 ? 'f32x4.sub' : 'f32x4.add');
    else if (factor < 0) code.op('f32x4.neg');
  });
  code.set(result);
  return result;
}

function constantOf(code: Code, value: number): Local {
  return code.constant(new Uint8Array(new Float32Array(4).fill(value).buffer));
}

/** Bᵀ: six inputs. */
const inputMap: Map1 = (code, [d0, d1, d2, d3, d4, d5]) => {
  const [a, b] = [sum(code, [1, d4], [-4, d2]), sum(code, [1, d3], [-4, d1])];
  const [c, difference] = [sum(code, [1, d4], [-1, d2]), sum(code, [1, d3], [-1, d1])];
  return [
    sum(code, [1, d4], [4, d0], [-5, d2]),
    sum(code, [1, a], [1, b]),
    sum(code, [1, a], [-1, b]),
    sum(code, [1, c], [2, difference]),
    sum(code, [1, c], [-2, difference]),
    sum(code, [1, d5], [4, d1], [-5, d3]),
  ];
};

/** Aᵀ: six products to four outputs. */
const outputMap: Map1 = (code, [m0, m1, m2, m3, m4, m5]) => {
  const [a, b] = [sum(code, [1, m1], [1, m2]), sum(code, [1, m1], [-1, m2])];
  const [c, d] = [sum(code, [1, m3], [1, m4]), sum(code, [1, m3], [-1, m4])];
  return [
    sum(code, [1, m0], [1, a], [1, c]),
    sum(code, [1, b], [2, d]),
    sum(code, [1, a], [4, c]),
    sum(code, [1, m5], [1, b], [8, d]),
  ];
};

/** A: the adjoint, four gradients of outputs. */
const gradientMap: Map1 = (code, [y0, y1, y2, y3]) => {
  const [a, b] = [sum(code, [1, y0], [1, y2]), sum(code, [1, y1], [1, y3])];
  const [c, d] = [sum(code, [1, y0], [4, y2]), sum(code, [2, y1], [8, y3])];
  return [
    y0 ?? 0,
    sum(code, [1, a], [1, b]),
    sum(code, [1, a], [-1, b]),
    sum(code, [1, c], [1, d]),
    sum(code, [1, c], [-1, d]),
    y3 ?? 0,
  ];
};

/** G: three weights. */
const weightMap: Map1 = (code, [g0, g1, g2]) => {
  const a = sum(code, [-1 / 6, g0], [-1 / 6, g2]);
  const c = sum(code, [1 / 24, g0], [1 / 6, g2]);
  return [
    sum(code, [1 / 4, g0]),
    sum(code, [1, a], [-1 / 6, g1]),
    sum(code, [1, a], [1 / 6, g1]),
    sum(code, [1, c], [1 / 12, g1]),
    sum(code, [1, c], [-1 / 12, g1]),
    g2 ?? 0,
  ];
};

/** Gᵀ: the adjoint, to three gradients of weights. */
const weightGradientMap: Map1 = (code, [u0, u1, u2, u3, u4, u5]) => {
  const [a, b] = [sum(code, [1, u1], [1, u2]), sum(code, [1, u1], [-1, u2])];
  const [c, d] = [sum(code, [1, u3], [1, u4]), sum(code, [1, u3], [-1, u4])];
  return [
    sum(code, [1 / 4, u0], [-1 / 6, a], [1 / 24, c]),
    sum(code, [1 / 12, d], [-1 / 6, b]),
    sum(code, [1, u5], [1 / 6, c], [-1 / 6, a]),
  ];
};

const maps = {
  input: { map: inputMap, from: 6, to: 6 },
  output: { map: outputMap, from: 6, to: 4 },
  gradient: { map: gradientMap, from: 4, to: 6 },
  weight: { map: weightMap, from: 3, to: 6 },
  weightGradient: { map: weightGradientMap, from: 6, to: 3 },
} as const;

/** Where the elements of a tile stand: bytes between rows, and between neighbours in a row. */
export interface TileLayout {
  readonly row: number;
  readonly column: number;
  /** Whether the last element comes first. */
  readonly flipped?: boolean;
}

/** Which elements of a tile exist; reading beyond them gives zeros, and nothing is written there. */
export interface Extent {
  readonly rows: number;
  readonly columns: number;
}

/** Bytes of temporary memory that a transform wants. */
export const TEMPORARY: number = POINTS * 32;

/**
 * `(from, to, temporary)`: transforms tiles of `vectors` neighbouring vectors of channels, in both directions. Where pairs
 * of vectors share a register, it takes two at a time.
 */
export function transformFunction(
  { builder, features }: EmitContext,
  name: keyof typeof maps,
  vectors: number,
  from: TileLayout & Partial<Extent>,
  to: TileLayout & Partial<Extent>,
): Callable {
  const { map, from: size, to: result } = maps[name];
  const both = Array.from({ length: features.revectorize && vectors % 2 === 0 ? 2 : 1 }, (_, i) => 16 * i);
  const bytes = 16 * both.length;
  return builder.define(
    { params: ['i32', 'i32', 'i32'], results: [] },
    (code, [source = 0, target = 0, temporary = 0]) => {
      /** Maps what `offsets` say of each vector. */
      const mapped = (base: Local, offsets: readonly (number | undefined)[]): Local[][] => {
        const loads = offsets.map((offset) =>
          both.map((v) => (offset === undefined ? constantOf(code, 0) : loaded(code, base, offset + v))),
        );
        return both.map((_, v) =>
          map(
            code,
            loads.map((load) => load[v] ?? 0),
          ),
        );
      };
      const store = (base: Local, locals: readonly Local[][], i: number, offset: number) => {
        for (const [v, local] of locals.entries())
          code
            .get(base)
            .get(local[i] ?? 0)
            .memory('v128.store', offset + 16 * v);
      };
      const indices = (count: number) => Array.from({ length: count }, (_, i) => i);
      code.repeat(vectors / both.length, () => {
        for (let x = 0; x < Math.min(size, from.columns ?? size); x++) {
          const column = indices(size).map((y) => {
            if (y >= (from.rows ?? size)) return undefined;
            const [row, at] = from.flipped ? [size - 1 - y, size - 1 - x] : [y, x];
            return row * from.row + at * from.column;
          });
          const locals = mapped(source, column);
          for (const y of indices(result)) store(temporary, locals, y, bytes * (y * size + x));
        }
        for (let y = 0; y < Math.min(result, to.rows ?? result); y++) {
          const row = indices(size).map((x) =>
            x < (from.columns ?? size) ? bytes * (y * size + x) : undefined,
          );
          const locals = mapped(temporary, row);
          for (const x of indices(Math.min(result, to.columns ?? result)))
            store(target, locals, x, y * to.row + x * to.column);
        }
        code.advance(source, bytes).advance(target, bytes);
      });
    },
  );
}

function loaded(code: Code, pointer: Local, offset: number): Local {
  const local = code.local('v128');
  code.get(pointer).memory('v128.load', offset).set(local);
  return local;
}
