/** Why a sample may have no result on a device: integers beyond 2^24, missing words and dtypes. */
export const refusal = /^gpu: .* (is exact only up to|cannot compute exactly)|^gpu\(\w+\): has no float64/;
