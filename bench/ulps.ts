/** The greatest errors of a backend's functions of float32, in units in the last place. */
import {
  type Backend,
  type BinaryOp,
  binary,
  coord,
  type Kernel,
  load,
  type Plan,
  scalarFunctions,
  type UnaryOp,
  unary,
} from '@neumann/core/backend';

const batch = 2 ** 20;

/** Where it was greatest, and what it was. */
export interface Worst {
  readonly worst: number;
  readonly at: string;
}

/** A plan that computes one expression of float32 arrays. */
function planOf(inputs: number, op: UnaryOp | BinaryOp): Plan {
  const place = [coord(0)];
  const [x, y] = [load(0, 'float32', place), load(1, 'float32', place)];
  const views = Array.from({ length: inputs }, () => ({ shape: [batch], dtype: 'float32' as const }));
  const kernel: Kernel = {
    name: op,
    inputs: views,
    axes: [batch],
    reduceAxes: [],
    reductions: [],
    outputs: [inputs === 1 ? unary(op as UnaryOp, x) : binary(op as BinaryOp, x, y)],
  };
  const slot = { dtype: 'float32', size: batch } as const;
  const inputSlots = views.map((_, index) => ({ ...slot, place: { kind: 'input', index } as const }));
  return {
    slots: [...inputSlots, { ...slot, place: { kind: 'output' } }],
    steps: [{ kind: 'kernel', kernel, inputs: views.map((_, i) => i), outputs: [inputs] }],
    inputs: views.map((_, i) => i),
    outputs: [inputs],
    arenaBytes: 0,
  };
}

const isDenormal = (x: number): boolean => x !== 0 && Math.abs(x) < 2 ** -126;

/** Distance of a float32 from the exact value, in units in the last place; infinite if a special value is wrong. */
function ulps(got: number, exact: number): number {
  const rounded = Math.fround(exact);
  if (Object.is(got, rounded) && !(Number.isFinite(got) && got !== 0)) return 0;
  const bothOverflow = Math.abs(got) === Infinity && Math.abs(exact) > 3.4028234e38;
  if (bothOverflow) return 0;
  if (!Number.isFinite(got) || !Number.isFinite(exact)) return Infinity;
  const unit = 2 ** (Math.max(-126, Math.floor(Math.log2(Math.abs(exact) || 2 ** -149))) - 23);
  return Math.abs(got - exact) / unit;
}

/** Of one of `stride` of all float32 numbers; denormal ones and results only if the backend is to have them. */
export async function worstOf(
  backend: Backend,
  op: keyof typeof scalarFunctions & UnaryOp,
  stride: number,
  denormals = true,
): Promise<Worst> {
  const executable = backend.compile(planOf(1, op));
  const x = new Float32Array(batch);
  const bits = new Int32Array(x.buffer);
  let [worst, at] = [0, ''];
  for (let base = 0; base < 2 ** 32; base += batch * stride) {
    for (let i = 0; i < batch; i++) bits[i] = (base + i * stride + ((i * 7919) % stride)) | 0;
    const [buffer] = executable.run([backend.upload('float32', x)]);
    const y = buffer ? await backend.download(buffer) : [];
    for (const [i, value] of x.entries()) {
      const exact = scalarFunctions[op](value);
      if (!denormals && (isDenormal(value) || isDenormal(exact))) continue;
      const error = Number.isNaN(exact) && Number.isNaN(y[i]) ? 0 : ulps(y[i] ?? 0, exact);
      if (error > worst) [worst, at] = [error, String(value)];
    }
  }
  return { worst, at };
}

/** Of a function of two numbers: pairs of any bits, and of ordinary size. */
export async function worstOfPairs(
  backend: Backend,
  op: 'pow' | 'atan2' | 'div',
  denormals = true,
): Promise<Worst> {
  const executable = backend.compile(planOf(2, op));
  const [x, y] = [new Float32Array(batch), new Float32Array(batch)];
  const [xBits, yBits] = [new Int32Array(x.buffer), new Int32Array(y.buffer)];
  let [worst, at] = [0, ''];
  for (let round = 0; round < 12; round++) {
    for (let i = 0; i < batch; i++) {
      if (round % 3 === 0) [xBits[i], yBits[i]] = [Math.random() * 2 ** 32, Math.random() * 2 ** 32];
      else if (round % 3 === 1) [x[i], y[i]] = [Math.random() * 4, (Math.random() - 0.5) * 100];
      else [x[i], y[i]] = [(Math.random() - 0.5) * 20, Math.round((Math.random() - 0.5) * 20)];
    }
    const [buffer] = executable.run([backend.upload('float32', x), backend.upload('float32', y)]);
    const z = buffer ? await backend.download(buffer) : [];
    for (const [i, value] of z.entries()) {
      const [a, b] = [x[i] ?? 0, y[i] ?? 0];
      const exact = op === 'div' ? a / b : scalarFunctions[op](a, b);
      if (!denormals && [a, b, exact].some(isDenormal)) continue;
      const error = Number.isNaN(exact) && Number.isNaN(value) ? 0 : ulps(value, exact);
      if (error > worst) [worst, at] = [error, `${op}(${a}, ${b})`];
    }
  }
  return { worst, at };
}
