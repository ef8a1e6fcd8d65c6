/** `node --conditions=@neumann/source bench/accuracy.ts [stride]`: measures backend-cpu's functions, prints docs/accuracy.md. */
import process from 'node:process';
import { type CpuBackend, cpu } from '@neumann/backend-cpu';
import {
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
import { convErrors } from './convErrors.ts';

const ops = ['exp', 'expm1', 'log', 'log1p', 'sin', 'cos', 'tanh', 'erf', 'erfInv', 'sigmoid'] as const;
/** One of how many float32 numbers is tried; 1 tries all. */
const stride = Number(process.argv[2] ?? 61);
const batch = 2 ** 20;

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

/** The worst of all numbers tried, and where. */
async function worstOf(
  backend: CpuBackend,
  op: (typeof ops)[number],
): Promise<{ worst: number; at: number }> {
  const executable = backend.compile(planOf(1, op));
  const x = new Float32Array(batch);
  const bits = new Int32Array(x.buffer);
  let [worst, at] = [0, 0];
  for (let base = 0; base < 2 ** 32; base += batch * stride) {
    for (let i = 0; i < batch; i++) bits[i] = (base + i * stride + ((i * 7919) % stride)) | 0;
    const [buffer] = executable.run([backend.upload('float32', x)]);
    const y = buffer ? await backend.download(buffer) : [];
    for (const [i, value] of x.entries()) {
      const exact = scalarFunctions[op](value);
      const error = Number.isNaN(exact) && Number.isNaN(y[i]) ? 0 : ulps(y[i] ?? 0, exact);
      if (error > worst) [worst, at] = [error, value];
    }
  }
  return { worst, at };
}

/** Of pow: any bits, and bases and exponents of ordinary size. */
async function worstPower(backend: CpuBackend): Promise<{ worst: number; at: string }> {
  const executable = backend.compile(planOf(2, 'pow'));
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
      const exact = scalarFunctions.pow(x[i] ?? 0, y[i] ?? 0);
      const error = Number.isNaN(exact) && Number.isNaN(value) ? 0 : ulps(value, exact);
      if (error > worst) [worst, at] = [error, `${x[i]} to the power ${y[i]}`];
    }
  }
  return { worst, at };
}

const [fused, unfused] = [await cpu(), await cpu({ relaxedSimd: false })];
const rows: string[] = [];
for (const op of ops) {
  const [a, b] = [await worstOf(fused, op), await worstOf(unfused, op)];
  rows.push(`| ${op} | ${a.worst.toFixed(2)} | ${b.worst.toFixed(2)} | ${a.at} |`);
}
const [a, b] = [await worstPower(fused), await worstPower(unfused)];
rows.push(`| pow | ${a.worst.toFixed(2)} | ${b.worst.toFixed(2)} | ${a.at} |`);
console.log(`# Accuracy of backend-cpu

Elementary functions of float32 are computed four at a time in WebAssembly. The table gives the greatest distance from the exact
value, in units in the last place (ulp) of float32, against JavaScript's functions of float64: one of ${stride} of all float32
numbers was tried (random pairs for pow), with fused multiply-adds and (\`relaxedSimd: false\`) without. Special values (NaN,
infinities, -0, denormal arguments and results) are those of JavaScript, and sin and cos hold for any argument.

| function | fused | unfused | worst at |
|---|---|---|---|
${rows.join('\n')}

\`sqrt\`, arithmetic, rounding and conversions are correctly rounded; \`rsqrt\` is within 1.5 ulp. What the table does not list
(tan, asin, acos, atan, sinh, cosh, asinh, acosh, atanh, erfc, atan2) is JavaScript's result rounded to float32, and float64 is as
accurate as JavaScript throughout. An element's result does not depend on where it stands in its array.

## Convolutions

3×3 convolutions of stride 1 with at least 16 channels, unless of few points, use Winograd's F(4×4, 3×3). The greatest error,
relative to the greatest element of the result, against sums of float64, of the result, the input gradient and the weight gradient:

| channels, image | plain sums | Winograd |
|---|---|---|
${(await convErrors()).join('\n')}

Random operands, float32, jitted. \`cpu({ winograd: false })\` turns Winograd's algorithm off.

Made by \`node --conditions=@neumann/source bench/accuracy.ts\`.`);
