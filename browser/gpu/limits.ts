/** Why a sample may have no result on a device: integers beyond 2^24, missing words and dtypes. */
export const refusal =
  /^gpu: .* (is exact only up to|cannot compute exactly)|^gpu\(\w+\): has no (float64|uint32)/;

const flushed = 'a denormal number on the way is 0';

/** Rows that the devices do not keep, and why. */
export const limits: ReadonlyMap<string, string> = new Map([
  ['call', flushed],
  ['checkpoint', flushed],
  ['customJvp', flushed],
  ['customVjp', flushed],
]);
