import type { Aval } from '../aval.ts';
import { fft as transform } from '../dense/fft.ts';
import type { TypedArray } from '../dtype.ts';
import type { Primitive } from '../primitive.ts';
import type { Tensor } from '../tensor.ts';
import { bind } from '../trace.ts';
import { instantiate } from '../transforms/jvp.ts';
import { hostPrimitive } from './host.ts';

type FftParams = { readonly inverse: boolean };

/** A tensor of complex numbers as two of real ones. */
export type Parts = [re: Tensor, im: Tensor];

const fftPrimitive: Primitive<FftParams> = /* @__PURE__ */ hostPrimitive<FftParams>({
  name: 'fft',
  ranks: [1],
  shape: (inputs) => [...inputs] as Aval[],
  run: ([re, im], [outRe, outIm], { params }) => {
    const parts = [re, im].map((x) => Float64Array.from(x as TypedArray)) as [Float64Array, Float64Array];
    transform(...parts, params.inverse);
    outRe?.set(parts[0]);
    outIm?.set(parts[1]);
  },
  jvp: (primals, tangents, { inverse }) => {
    const changes = tangents.map((t, i) => instantiate(t, (primals[i] as Tensor).aval)) as Parts;
    return [fft(primals as Parts, inverse), fft(changes, inverse)];
  },
  // The matrix of the transform is symmetric, and conjugate where the direction is turned.
  transpose: (cts, inputs, { inverse }) =>
    fft(cts.map((ct, i) => instantiate(ct, (inputs[i] as Tensor).aval)) as Parts, !inverse),
});

/** Discrete Fourier transforms along the last axis, not divided by anything; e^(-2πi jk/n), or e^(+2πi jk/n) if `inverse`. */
export const fft = (x: Parts, inverse: boolean): Parts => bind(fftPrimitive, x, { inverse }) as Parts;
