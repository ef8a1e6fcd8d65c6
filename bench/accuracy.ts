/** `node --conditions=@neumann/source bench/accuracy.ts [stride]`: measures backend-cpu's functions, prints docs/accuracy.md but its last section. */
import process from 'node:process';
import { cpu } from '@neumann/backend-cpu';
import { convErrors } from './convErrors.ts';
import { worstOf, worstOfPairs } from './ulps.ts';

const ops = ['exp', 'expm1', 'log', 'log1p', 'sin', 'cos', 'tanh', 'erf', 'erfInv', 'sigmoid'] as const;
/** One of how many float32 numbers is tried; 1 tries all. */
const stride = Number(process.argv[2] ?? 61);

const [fused, unfused] = [await cpu(), await cpu({ relaxedSimd: false })];
const rows: string[] = [];
for (const op of ops) {
  const [a, b] = [await worstOf(fused, op, stride), await worstOf(unfused, op, stride)];
  rows.push(`| ${op} | ${a.worst.toFixed(2)} | ${b.worst.toFixed(2)} | ${a.at} |`);
}
const [a, b] = [await worstOfPairs(fused, 'pow'), await worstOfPairs(unfused, 'pow')];
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
