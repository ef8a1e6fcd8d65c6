import type { Aval } from '../aval.ts';
import type { TypedArray } from '../dtype.ts';

/**
 * Plain JavaScript that fills `outputs` from `inputs`: dense row-major elements, as the routine's avals say.
 *
 * The arrays may be views of a backend's memory: they are only valid during the call, inputs are not to be written,
 * and outputs hold anything before. Every backend runs the same function, so all give the same bits.
 */
export type HostFunction = (
  inputs: readonly TypedArray[],
  outputs: readonly TypedArray[],
  routine: HostRoutine,
) => void;

/** A computation that is no loop nest: pivoting, iteration to convergence, recursion. Nothing fuses with it. */
export interface HostRoutine {
  readonly name: string;
  readonly inputs: readonly Aval[];
  readonly outputs: readonly Aval[];
  /** What `run` is told besides; plain data, part of the routine's identity. */
  readonly params: Readonly<Record<string, unknown>>;
  readonly run: HostFunction;
}
