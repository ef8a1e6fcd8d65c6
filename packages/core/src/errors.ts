/**
 * Every error of the library is one of these, so a caller can tell them apart by class or by `name`.
 * Messages say: the operation, what it required, what arrived, what to do.
 */
export class NeumannError extends Error {
  override get name(): string {
    return this.constructor.name;
  }
}

/** Shapes, axes or sizes do not fit the operation. See `docs/errors/ShapeError.md`. */
export class ShapeError extends NeumannError {}

/** A dtype does not fit the operation or the backend. See `docs/errors/DTypeError.md`. */
export class DTypeError extends NeumannError {}

/** A tree has another structure than required, or holds something that is no leaf. See `docs/errors/TreeError.md`. */
export class TreeError extends NeumannError {}

/** A traced value was used where a concrete one is needed, or outlived its trace. See `docs/errors/TracerError.md`. */
export class TracerError extends NeumannError {}

/** An option or argument has a value that is not allowed. See `docs/errors/OptionError.md`. */
export class OptionError extends NeumannError {}

/** A tensor was used after `jit(f, { donate })` gave its memory away. See `docs/errors/DonatedError.md`. */
export class DonatedError extends NeumannError {}

/** A derivative or batching rule was asked of an operation that has none. See `docs/errors/RuleError.md`. */
export class RuleError extends NeumannError {}

/** A backend cannot do what was asked of it: no memory, no device, no such capability. See `docs/errors/BackendError.md`. */
export class BackendError extends NeumannError {}

/** A file is truncated, foreign or damaged. See `docs/errors/FileError.md`. */
export class FileError extends NeumannError {}

/** The library broke one of its own invariants; please report it. See `docs/errors/InternalError.md`. */
export class InternalError extends NeumannError {}
