import { deviceBodies } from './deviceFunctions.ts';
import type { Dialect } from './dialect.ts';

export interface HelperBody {
  readonly parameters: readonly string[];
  readonly body: string;
  /** Set if parameters and result are integers to gpu.js. */
  readonly isWhole?: true;
  /** What it returns, in the two shading languages, where gpu.js is not to translate the body. */
  readonly glsl?: string;
  readonly wgsl?: string;
}

/** A function of the emitted JavaScript: what gpu.js, or JavaScript's Math, lacks or gets wrong. All numbers are float32. */
export interface Helper {
  readonly name: string;
  readonly source: string;
  readonly arity: number;
  /** Whether parameters and result are integers to gpu.js. */
  readonly isWhole: boolean;
  /** The whole function in GLSL ES 3.00 and in WGSL, which is to be taken where that is the language. */
  readonly glsl: string | undefined;
  readonly wgsl: string | undefined;
}

/** What gpu.js calls a function in WGSL. */
export const wgslName = (name: string): string => `fn_${name.replaceAll('_', 'u_u')}`;

/** The functions that a source calls, and those that they call. */
export function functionsOf(source: string, dialect: Dialect): Helper[] {
  const find = (name: string): HelperBody => {
    const shared = bodies[name as keyof typeof bodies];
    if (dialect === 'exact') return shared;
    const found = deviceBodies[name] ?? shared;
    return { ...found, body: found.body.replaceAll(/Math\.(exp|log|log1p|trunc)\(/g, 'k_$1(') };
  };
  const names = new Set<string>();
  const visit = (text: string): void => {
    for (const [name] of text.matchAll(/\bk_\w+(?=\()/g)) {
      if (names.has(name)) continue;
      visit(find(name).body);
      names.add(name); // after those that it calls
    }
  };
  visit(source);
  return [...names].map((name) => {
    const { parameters, body, isWhole = false, glsl, wgsl } = find(name);
    const typed = (form: (parameter: string) => string): string => parameters.map(form).join(', ');
    return {
      name,
      source: `function ${name}(${parameters.join(', ')}) {\n${body}}`,
      arity: parameters.length,
      isWhole,
      glsl: glsl && `float ${name}(${typed((p) => `float ${p}`)}) { return ${glsl}; }`,
      wgsl: wgsl && `fn ${wgslName(name)}(${typed((p) => `${p}: f32`)}) -> f32 { return ${wgsl}; }`,
    };
  });
}

/**
 * A line that calls every function, callers first, and is never reached. In GLSL a function must stand before those that
 * call it; gpu.js takes the order of a kernel's first calls, and forgets what a function that it meets again calls itself.
 */
export function orderOf(functions: readonly Helper[]): string {
  const calls = functions.map(
    ({ name, arity }, i) => `const order${i} = ${name}(${new Array(arity).fill(0).join(', ')});`,
  );
  return `if (0 > 1) { ${calls.toReversed().join(' ')} }`;
}

/** `c[0] x^n + … + c[n]` */
const horner = (x: string, [first, ...rest]: readonly number[]): string =>
  rest.reduce((sum, c) => `(${sum} * ${x} + ${c < 0 ? `(${c})` : c})`, String(first));

/** Cephes' single-precision erff and erfcf (S. Moshier, 1992), highest power first; erf(x)/x - 1 and erfc's tails. */
const erfCentre = [
  7.853861353153693e-5, -8.010193625184903e-4, 5.188327685732524e-3, -2.685381193529856e-2,
  1.128358514861418e-1, -3.7612625824233e-1, 0.12837916572671,
];
const erfcNear = [
  2.326819970068386e-2, -1.387039388740657e-1, 3.687424674597105e-1, -5.824733027278666e-1,
  6.210004621745983e-1, -4.944515323274145e-1, 3.404879937665872e-1, -2.741127028184656e-1,
  5.638259427386472e-1,
];
const erfcFar = [
  -1.047766399936249e1, 1.297719955372516e1, -7.495518717768503, 2.921019019210786, -1.0152652792027,
  4.218463358204948e-1, -2.820767439740514e-1, 5.641895067754075e-1,
];

/** M. Giles, "Approximating the erfinv function" (2010), single precision, highest power first. */
const erfInvCentre = [
  2.81022636e-8, 3.43273939e-7, -3.5233877e-6, -4.39150654e-6, 2.1858087e-4, -1.25372503e-3, -4.17768164e-3,
  2.46640727e-1, 1.50140941,
];
const erfInvTail = [
  -2.00214257e-4, 1.00950558e-4, 1.34934322e-3, -3.67342844e-3, 5.73950773e-3, -7.6224613e-3, 9.43887047e-3,
  1.00167406, 2.83297682,
];

/** Of integers: what may be too great for float32 is never given a name. */
const whole = (parameters: readonly string[], result: string): HelperBody => ({
  parameters,
  body: `\n  return ${result};\n`,
  isWhole: true,
});

const bodies = {
  k_whole: whole(['x'], 'x'),
  k_times: whole(['x', 'y'], 'x * y'),
  k_rest: whole(['x', 'q', 'y'], 'x - q * y'),
  k_sigmoid: {
    parameters: ['x'],
    // The exponential never overflows, so both tails keep their relative accuracy.
    body: `
  const e = Math.exp(-Math.abs(x));
  return x < 0 ? e / (1 + e) : 1 / (1 + e);
`,
  },
  k_round: {
    parameters: ['x'],
    // Adding 2^23 rounds half to even. 1/x tells -0 from 0.
    body: `
  const a = Math.abs(x);
  if (!(a < 8388608)) { return x; }
  const r = (a + 8388608) - 8388608;
  return 1 / x < 0 ? -r : r;
`,
  },
  k_pow: {
    parameters: ['x', 'y'],
    body: `
  return x === 1 ? 1 : Math.pow(x, y);
`,
  },
  k_power: {
    parameters: ['x', 'y'],
    // Of integers. What leaves the exact range on the way stays outside, and is found by the check of the result.
    body: `
  if (y < 0) {
    const sign = y * 0.5 - Math.floor(y * 0.5) > 0.25 ? x : 1;
    return x * x === 1 ? sign : 0;
  }
  let r = 1;
  let s = x;
  let q = y;
  for (let i = 0; i < 24; i++) {
    const h = Math.floor(q * 0.5);
    if (q - h * 2 > 0.5) { r = r * s; }
    s = s * s;
    q = h;
  }
  return r;
`,
  },
  k_powerOfByte: {
    parameters: ['x', 'y'],
    body: `
  let r = 1;
  let s = x;
  let q = y;
  for (let i = 0; i < 8; i++) {
    const h = Math.floor(q * 0.5);
    if (q - h * 2 > 0.5) { r = k_byte(r * s); }
    s = k_byte(s * s);
    q = h;
  }
  return r;
`,
  },
  k_rem: {
    parameters: ['x', 'y'],
    // Long division in binary: every step is exact. gpu.js's % rounds the quotient.
    body: `
  const b = Math.abs(y);
  let r = Math.abs(x);
  if (y === 0 || !(r - r === 0) || !(b === b)) { return (x * y) / (x * y); }
  if (r < b) { return x; }
  let t = b;
  for (let i = 0; i < 280; i++) {
    if (r - t < t) { break; }
    t = t * 2;
  }
  for (let j = 0; j < 280; j++) {
    if (r >= t) { r = r - t; }
    if (t === b) { break; }
    t = t * 0.5;
  }
  return x < 0 ? -r : r;
`,
  },
  k_erf: {
    parameters: ['x'],
    body: `
  const a = Math.abs(x);
  const z = x * x;
  if (a < 1e-20) { return x * 1.12837917; }
  if (a < 1) { return x + x * ${horner('z', erfCentre)}; }
  const y = 1 - k_erfcTail(a);
  return x < 0 ? -y : y;
`,
  },
  k_erfc: {
    parameters: ['x'],
    // From 1/2 on, 1 - x is exact and the rest is small.
    body: `
  const a = Math.abs(x);
  const z = x * x;
  const t = x * ${horner('z', erfCentre)};
  if (a < 1) { return x < 0.5 ? 1 - (x + t) : (1 - x) - t; }
  const y = k_erfcTail(a);
  return x < 0 ? 2 - y : y;
`,
  },
  k_erfcTail: {
    parameters: ['a'],
    // For a >= 1. h is a in 12 bits, so h * h is exact and exp(-a^2) loses nothing by its large exponent.
    body: `
  if (a > 11) { return 0; }
  const c = a * 4097;
  const h = c - (c - a);
  const q = 1 / a;
  const y = q * q;
  const p = a < 2 ? ${horner('y', erfcNear)} : ${horner('y', erfcFar)};
  return Math.exp(-h * h) * (Math.exp((h - a) * (h + a)) * (q * p));
`,
  },
  k_erfInv: {
    parameters: ['x'],
    body: `
  const a = Math.abs(x);
  if (a === 1) { return x / (1 - a); }
  const w = a < 0.5 ? -Math.log1p(-a * a) : -Math.log((1 - a) * (1 + a));
  const u = w - 2.5;
  const v = Math.sqrt(w) - 3;
  const p = w < 5 ? ${horner('u', erfInvCentre)} : ${horner('v', erfInvTail)};
  return p * x;
`,
  },
  k_toInteger: {
    parameters: ['x', 'least', 'greatest'],
    // NaN is 0, and so is -0 (by adding 0).
    body: `
  return x === x ? Math.min(Math.max(Math.trunc(x), least), greatest) + 0 : 0;
`,
  },
  k_byte: {
    parameters: ['x'],
    body: `
  return x - Math.floor(x / 256) * 256;
`,
  },
  k_shl: {
    parameters: ['x', 'y'],
    // What leaves the exact range is found by its check.
    body: `
  let r = x;
  if (y < 0 || y >= 32) { return 0; }
  for (let i = 0; i < 32; i++) {
    if (i < y) { r = r * 2; }
  }
  return r;
`,
  },
  k_shr: {
    parameters: ['x', 'y'],
    body: `
  let d = 1;
  if (y < 0 || y >= 24) { return x < 0 ? -1 : 0; }
  for (let i = 0; i < 24; i++) {
    if (i < y) { d = d * 2; }
  }
  return Math.floor(x / d);
`,
  },
  k_divide: {
    parameters: ['x', 'y', 'allBits'],
    // A quotient of integers below 2^24, correctly rounded, never reaches the next integer.
    body: `
  return y === 0 ? allBits : Math.trunc(x / y);
`,
  },
  k_remainder: {
    parameters: ['x', 'y'],
    body: `
  return y === 0 ? x : x - Math.trunc(x / y) * y;
`,
  },
} satisfies Record<string, { parameters: readonly string[]; body: string }>;
