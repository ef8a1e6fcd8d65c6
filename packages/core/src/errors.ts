/**
 * Every error of the library is one of these, so a caller can tell them apart by class or by `name`.
 * Messages say: the operation, what it required, what arrived, what to do.
 */
export class NeumannError extends Error {
  override get name(): string {
    return this.constructor.name;
  }
}

/** Shapes, axes or sizes do not fit the operation. */
export class ShapeError extends NeumannError {}

/** A dtype does not fit the operation or the backend. */
export class DTypeError extends NeumannError {}

/** A tree has another structure than required, or holds something that is no leaf. */
export class TreeError extends NeumannError {}

/** A traced value was used where a concrete one is needed, or outlived its trace. */
export class TracerError extends NeumannError {}

/** An option or argument has a value that is not allowed. */
export class OptionError extends NeumannError {}

/** A tensor was used after `jit(f, { donate })` gave its memory away. */
export class DonatedError extends NeumannError {}

/** A derivative or batching rule was asked of an operation that has none. */
export class RuleError extends NeumannError {}

/** A backend cannot do what was asked of it: no memory, no device, no such capability. */
export class BackendError extends NeumannError {}

/** A file is truncated, foreign or damaged. */
export class FileError extends NeumannError {}

/** The library broke one of its own invariants; please report it. */
export class InternalError extends NeumannError {}
