/**
 * The memory through which the first thread and the workers talk: int32 words, and the text of an error.
 * `failed` is set once, and for good, when any thread cannot go on.
 */
export const FAILED = 0;
/** Bytes of the message of the error; the bytes stand from {@link MESSAGE} on. */
export const MESSAGE_LENGTH = 1;
export const MESSAGE = 64;
export const MESSAGE_BYTES = 960;

/** Where the words of a worker start, on a cache line of its own: a count of orders, and the order. */
export const orderOf = (thread: number): number => (MESSAGE + MESSAGE_BYTES) / 4 + 16 * thread;
export const PROGRAM = 1;
export const REGION = 2;

export const wordBytes = (threads: number): number => 4 * orderOf(threads);
