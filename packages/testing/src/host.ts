import {
  type Backend,
  type DType,
  place,
  type Shape,
  showAval,
  sizeOf,
  Tensor,
  type TypedArray,
} from './core.ts';

/** A tensor's values in host memory, row-major. */
export interface HostTensor {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly values: TypedArray;
}

/** The values of a tensor, or of several. */
export async function download(result: Tensor | readonly Tensor[]): Promise<HostTensor[]> {
  const tensors = result instanceof Tensor ? [result] : result;
  return Promise.all(tensors.map(async (x) => ({ dtype: x.dtype, shape: x.shape, values: await x.data() })));
}

/** New tensors on a backend. */
export function upload(backend: Backend, xs: readonly HostTensor[]): Tensor[] {
  return xs.map((x) => place(backend, x.dtype, x.shape, x.values));
}

/** Examples behind one another along a new axis. */
export function stack(examples: readonly HostTensor[], axis: number): HostTensor {
  const [first] = examples as [HostTensor];
  const { dtype } = first;
  const shape = [...first.shape.slice(0, axis), examples.length, ...first.shape.slice(axis)];
  const outer = sizeOf(first.shape.slice(0, axis));
  const inner = sizeOf(first.shape.slice(axis));
  const values = first.values.slice(0, 0).constructor as new (n: number) => TypedArray;
  const stacked = new values(sizeOf(shape));
  for (let o = 0; o < outer; o++)
    for (const [b, example] of examples.entries())
      stacked.set(example.values.subarray(o * inner, (o + 1) * inner), (o * examples.length + b) * inner);
  return { dtype, shape, values: stacked };
}

/** `f32[2] [1, -0]`: every value, exactly. */
export function showHost(x: HostTensor): string {
  const show = (v: number): string => (Object.is(v, -0) ? '-0' : String(v));
  return `${showAval(x)} [${Array.from(x.values, show).join(', ')}]`;
}
