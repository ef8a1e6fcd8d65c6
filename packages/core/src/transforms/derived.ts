/**
 * Programs made from programs: derivatives, transposes, batches, and the two halves of what is known now and what is
 * not. Each is made once and kept as long as the program that it was made from.
 */
import type { Aval } from '../aval.ts';
import { isFloat } from '../dtype.ts';
import { identityOf } from '../ir/identity.ts';
import { evaluateProgram } from '../ir/interpret.ts';
import type { Atom, Program } from '../ir/program.ts';
import { Recorder, record } from '../ir/record.ts';
import { Linear, type Zero } from '../primitive.ts';
import type { Tensor } from '../tensor.ts';
import { runTraced } from '../trace.ts';
import { instantiate, jvpFlat } from './jvp.ts';
import { PartialTrace } from './linearize.ts';
import { transposeProgram } from './transpose.ts';
import { batchingAxis, placeBatch, vmapFlat } from './vmap.ts';

/** Remembers what was made from a program for as long as the program lives. */
export function remember<K extends readonly unknown[], T>(
  make: (program: Program, ...key: K) => T,
): (program: Program, ...key: K) => T {
  const made = new WeakMap<Program, Map<string, T>>();
  return (program, ...key) => {
    const known = made.get(program) ?? new Map<string, T>();
    made.set(program, known);
    const id = identityOf(key);
    const found = known.get(id) ?? make(program, ...key);
    known.set(id, found);
    return found;
  };
}

export const avalsOf = (atoms: readonly Atom[]): Aval[] => atoms.map((a) => a.aval);

/** The items whose flag is set. */
export const chosen = <T>(items: readonly T[], flags: readonly boolean[]): T[] =>
  items.filter((_, i) => flags[i]);

/**
 * (primals, nonzero tangents) -> (results, their nonzero tangents). `active` tells the inputs that have a tangent,
 * `wanted` float results that get one even if it is zero.
 */
export const jvpProgram = remember(
  (program: Program, active: readonly boolean[], wanted: readonly boolean[] = []) => {
    const avals = avalsOf(program.inputs);
    const count = avals.length;
    let nonzero: boolean[] = [];
    const { program: both } = record('jvp', [...avals, ...chosen(avals, active)], (xs) => {
      let next = count;
      const tangents = active.map((is) => (is ? (xs[next++] as Tensor) : null));
      const [ys, found] = jvpFlat(
        'jvp',
        (...inputs) => evaluateProgram(program, inputs),
        xs.slice(0, count),
        tangents,
      );
      const dys = found.map((dy, i) => {
        const { aval } = ys[i] as Tensor;
        return wanted[i] && isFloat(aval.dtype) ? instantiate(dy, aval) : dy;
      });
      nonzero = dys.map((dy) => dy !== null);
      return [...ys, ...dys.filter((dy) => dy !== null)];
    });
    return { program: both, nonzero };
  },
);

/**
 * (inputs that are not linear, nonzero cotangents) -> nonzero cotangents of the linear inputs. `given` tells the
 * results that have a cotangent, `wanted` linear inputs that get one even if it is zero.
 */
export const transposedProgram = remember(
  (
    program: Program,
    linear: readonly boolean[],
    given: readonly boolean[],
    wanted: readonly boolean[] = [],
  ) => {
    const avals = avalsOf(program.inputs);
    const known = avals.filter((_, i) => !linear[i]);
    let nonzero: boolean[] = [];
    const { program: back } = record(
      'transpose',
      [...known, ...chosen(avalsOf(program.outputs), given)],
      (xs) => {
        let [k, c] = [0, known.length];
        const operands = avals.map((aval, i) => (linear[i] ? new Linear(aval) : (xs[k++] as Tensor)));
        const cts: (Tensor | Zero)[] = given.map((is) => (is ? (xs[c++] as Tensor) : null));
        const results = transposeProgram(program, operands, cts).map((ct, i) =>
          wanted[i] ? instantiate(ct, avals[i] as Aval) : ct,
        );
        nonzero = results.map((ct) => ct !== null);
        return results.filter((ct) => ct !== null);
      },
    );
    return { program: back, nonzero };
  },
);

/**
 * The program for `size` examples along `axes` of its inputs (`null`: the same for all), and the axes of its results.
 * With `wanted`, every batch of a result is its first axis, and the results flagged have one even if all are equal.
 */
export const batchedProgram = (
  program: Program,
  axes: readonly (number | null)[],
  size: number,
  wanted: readonly boolean[] | null = null,
): { program: Program; axes: (number | null)[] } =>
  namedBatchedProgram(program, axes, size, wanted, batchingAxis());

const namedBatchedProgram = remember(
  (
    program: Program,
    axes: readonly (number | null)[],
    size: number,
    wanted: readonly boolean[] | null,
    axisName: string | null,
  ) => {
    const avals = program.inputs.map((v, i) => batchedAval(v.aval, axes[i] ?? null, size));
    let outAxes: (number | null)[] = [];
    const { program: batched } = record('vmap', avals, (xs) => {
      const [ys, found] = vmapFlat((...inputs) => evaluateProgram(program, inputs), xs, axes, size, axisName);
      const toFront = (i: number): boolean => wanted !== null && (wanted[i] === true || found[i] !== null);
      outAxes = found.map((axis, i) => (toFront(i) ? 0 : axis));
      return ys.map((y, i) => (toFront(i) ? placeBatch(y, found[i] ?? null, 0, size) : y));
    });
    return { program: batched, axes: outAxes };
  },
);

function batchedAval({ shape, dtype }: Aval, axis: number | null, size: number): Aval {
  return axis === null
    ? { shape, dtype }
    : { shape: [...shape.slice(0, axis), size, ...shape.slice(axis)], dtype };
}

/** A program in two halves. */
export interface Halves {
  /** known inputs -> known results, then what the other half needs of them. */
  readonly known: Program;
  /** what it needs of the known half, then the unknown inputs -> unknown results */
  readonly unknown: Program;
  readonly outputKnown: readonly boolean[];
  /** How many values go from the one to the other. */
  readonly residuals: number;
}

/**
 * Splits a program by what depends on unknown inputs; programs within it are split too. Results flagged in `unknown`
 * belong to the second half in any case.
 */
export const partialProgram = remember(
  (program: Program, known: readonly boolean[], unknown: readonly boolean[] = []): Halves => {
    const now = new Recorder('partial');
    const later = new PartialTrace('partial', now);
    const inputs = program.inputs.map((v, i) => (known[i] ? now : later).input(v.aval));
    return runTraced(now, () => {
      const results = runTraced(later, () => evaluateProgram(program, inputs));
      const outputKnown = results.map((y, i) => !later.owns(y) && !unknown[i]);
      const second = later.finish(results.filter((_, i) => !outputKnown[i]));
      const first = now.finish([...chosen(results, outputKnown), ...second.captured]);
      return {
        known: first.program,
        unknown: second.program,
        outputKnown,
        residuals: second.captured.length,
      };
    });
  },
);
