/**
 * Elementary functions from + - * and floor, for shading languages: after S. Moshier's Cephes library (single precision),
 * 1 to 4 units in the last place. NaN and what is out of the domain is decided by the caller.
 */
import { deviceLogarithms } from './deviceLogarithms.ts';
import type { HelperBody } from './functions.ts';

/** A bitwise word of integers within ±2^24. gpu.js has none in GLSL but loops, which are wrong for negative integers. */
const bitwise = (operator: string): HelperBody => ({
  parameters: ['x', 'y'],
  body: `
  return x ${operator} y;
`,
  glsl: `float(int(x) ${operator} int(y))`,
});

/** One of two numbers, or where they are 0 and -0, what `operator` makes of their bits. NaN wins. */
const extremum = (compare: '>' | '<', operator: '&' | '|'): HelperBody => {
  return {
    parameters: ['x', 'y'],
    body: `
  if (x ${compare} y) { return x; }
  if (y ${compare} x) { return y; }
  if (x === y) { return 1 / x < 0 ? ${operator === '&' ? 'y : x' : 'x : y'}; }
  return x === x ? y : x;
`,
    glsl: `x ${compare} y || !(x == x) ? x : (x == y ? intBitsToFloat(floatBitsToInt(x) ${operator} floatBitsToInt(y)) : y)`,
    wgsl: `select(select(y, bitcast<f32>(bitcast<u32>(x) ${operator} bitcast<u32>(y)), x == y), x, x ${compare} y || !(x == x))`,
  };
};

/** A factor of x 2^n, whose exponent fits into the bits of a float32: for half of n, and for the rest. */
const powers = (bitsToFloat: string, toInteger: string): string =>
  ['(N >> 1u)', '(N - (N >> 1u))']
    .map((half) => `${bitsToFloat}((${half.replaceAll('N', `${toInteger}(n)`)} + 127) << 23u)`)
    .join(' * ');

/** 2/pi in digits of 12 bits, after two zeros that stand before the point. */
const twoOverPi = [
  0,
  0,
  ...('A2F9836E4E441529FC2757D1F534DDC0DB6295993C439041'.match(/.../g) ?? []).map((d) =>
    Number.parseInt(d, 16),
  ),
];

/**
 * Large a modulo pi/2, by Payne and Hanek: j is twice the number of the quadrant, y the rest. Three digits of `a` times
 * the digits of 2/pi that are left when multiples of 4 are dropped; products of digits are exact, and carried like them.
 */
const reduction = [
  'let m = a;',
  ...Array.from({ length: 10 }, (_, k) => {
    const digits = Array.from(
      { length: 8 },
      (__, i) => `${k === 0 ? 'let ' : ''}d${i} = ${twoOverPi[k + i]};`,
    );
    return k === 0 ? digits.join(' ') : `if (m >= 16777216) { m = m * 0.000244140625; ${digits.join(' ')} }`;
  }),
  'const whole = Math.floor(m);',
  'const a2 = Math.floor(whole * 0.000244140625);',
  'const a1 = whole - a2 * 4096;',
  'const a0 = (m - whole) * 4096;',
  'let carry = 0;',
  ...[5, 4, 3, 2, 1, 0].flatMap((t) => [
    `const p${t} = a2 * d${t + 2}; const q${t} = a1 * d${t + 1}; const r${t} = a0 * d${t};`,
    `const hp${t} = Math.floor(p${t} * 0.000244140625); const hq${t} = Math.floor(q${t} * 0.000244140625); const hr${t} = Math.floor(r${t} * 0.000244140625);`,
    `const s${t} = carry + (p${t} - hp${t} * 4096) + (q${t} - hq${t} * 4096) + (r${t} - hr${t} * 4096);`,
    `const hs${t} = Math.floor(s${t} * 0.000244140625);`,
    `const f${t} = s${t} - hs${t} * 4096;`,
    `carry = hs${t} + hp${t} + hq${t} + hr${t};`,
  ]),
  'const up = f1 < 2048 ? 0 : 1;',
  'j = 2 * (f0 - 4 * Math.floor(f0 * 0.25) + up);',
  'y = (((f1 - up * 4096) * 4096 + f2) * 5.960464477539063e-8 + (f3 * 4096 + f4) * 3.552713678800501e-15) * 1.57079633;',
].join('\n    ');

export const deviceBodies: Readonly<Record<string, HelperBody>> = {
  k_and: bitwise('&'),
  k_or: bitwise('|'),
  k_xor: bitwise('^'),
  k_quotient: {
    parameters: ['x', 'y'],
    // floor(x / y) of whole numbers, x >= 0 and y > 0, however the device divides.
    body: `
  const q = Math.floor(x / y);
  const r = x - q * y;
  return r < 0 ? q - 1 : (r >= y ? q + 1 : q);
`,
  },
  k_trunc: {
    parameters: ['x'],
    body: `
  return x < 0 ? Math.ceil(x) : Math.floor(x);
`,
    glsl: 'trunc(x)',
    wgsl: 'trunc(x)',
  },
  k_sign: {
    parameters: ['x'],
    body: `
  return x > 0 ? 1 : (x < 0 ? -1 : x);
`,
  },
  k_max: extremum('>', '&'),
  k_min: extremum('<', '|'),
  k_round: {
    parameters: ['x'],
    body: `
  const a = Math.abs(x);
  let f = Math.floor(a);
  const d = a - f;
  const h = f * 0.5;
  if (d > 0.5 || (d === 0.5 && h - Math.floor(h) > 0.25)) { f = f + 1; }
  const r = 1 / x < 0 ? -f : f;
  return a < 8388608 ? r : x;
`,
  },
  k_exp: {
    parameters: ['x'],
    // Far up, the product overflows to infinity; NaN stays NaN.
    body: `
  const c = x < -110 ? -110 : (x > 90 ? 90 : x);
  const n = Math.floor(c * 1.44269504 + 0.5);
  const r = (c - n * 0.693359375) - n * (-0.00021219444);
  const p = ((((0.00019875691 * r + 0.0013981999) * r + 0.0083334519) * r + 0.041665796) * r + 0.16666665) * r + 0.5;
  return k_scale((p * r) * r + r + 1, n);
`,
  },
  k_scale: {
    parameters: ['x', 'n'],
    // x 2^n for a whole n from -254 to 130, by exact products.
    glsl: `x * ${powers('intBitsToFloat', 'int')}`,
    wgsl: `x * ${powers('bitcast<f32>', 'i32')}`,
    body: `
  let s = n > 100 ? 2 * x : x;
  let t = n < 0 ? 0.5 : 2;
  let q = n > 100 ? n - 1 : Math.abs(n);
  for (let i = 0; i < 8; i++) {
    const h = Math.floor(q * 0.5);
    if (q - h * 2 > 0.5) { s = s * t; }
    if (h > 0.5) { t = t * t; }
    q = h;
  }
  return s;
`,
  },
  ...deviceLogarithms,
  k_expm1: {
    parameters: ['x'],
    body: `
  if (x === 0) { return x; }
  if (x > -0.5 && x < 0.5) {
    return x + x * x * (0.5 + x * (0.16666667 + x * (0.041666668 + x * (0.0083333333 + x * (0.0013888889 + x * (0.00019841270 + x * (0.000024801587 + x * 0.0000027557319)))))));
  }
  return k_exp(x) - 1;
`,
  },
  k_tanh: {
    parameters: ['x'],
    body: `
  const a = Math.abs(x);
  if (a < 0.0001) { return x; }
  const t = k_expm1(2 * (a > 10 ? 10 : a));
  const y = t / (t + 2);
  return x < 0 ? -y : y;
`,
  },
  k_sinh: {
    parameters: ['x'],
    body: `
  const a = Math.abs(x);
  if (a < 0.0001) { return x; }
  if (a > 20) {
    const h = k_exp(0.5 * a);
    return x < 0 ? -(0.5 * h) * h : (0.5 * h) * h;
  }
  const e = k_expm1(a);
  const y = 0.5 * (e + e / (e + 1));
  return x < 0 ? -y : y;
`,
  },
  k_cosh: {
    parameters: ['x'],
    body: `
  const a = Math.abs(x);
  const h = k_exp(a > 20 ? 0.5 * a : a);
  return a > 20 ? (0.5 * h) * h : 0.5 * (h + 1 / h);
`,
  },
  k_asinh: {
    parameters: ['x'],
    body: `
  const a = Math.abs(x);
  if (a < 0.0001) { return x; }
  const z = a * a;
  const y = a > 10000 ? k_log(a) + 0.69314718 : k_log1p(a + z / (1 + Math.sqrt(z + 1)));
  return x < 0 ? -y : y;
`,
  },
  k_acosh: {
    parameters: ['x'],
    body: `
  const t = x - 1;
  return x > 10000 ? k_log(x) + 0.69314718 : k_log1p(t + Math.sqrt(2 * t + t * t));
`,
  },
  k_atanh: {
    parameters: ['x'],
    body: `
  const a = Math.abs(x);
  if (a < 0.0001) { return x; }
  const y = 0.5 * k_log1p(2 * a + 2 * a * a / (1 - a));
  return x < 0 ? -y : y;
`,
  },
  k_sinCos: {
    parameters: ['x', 'shift'],
    // sin(x) for shift 0, cos(x) for shift 2; below 8192 reduced by pi/4 in three parts.
    body: `
  const a = Math.abs(x);
  let j = Math.floor(a * 1.27323954);
  if (j - 2 * Math.floor(j * 0.5) > 0.5) { j = j + 1; }
  let y = ((a - j * 0.78515625) - j * 0.000241875648498535) - j * 0.0000000377489497744594;
  if (a >= 8192) {
    ${reduction}
  }
  const z = y * y;
  const k = j + shift;
  const q = k - 8 * Math.floor(k * 0.125);
  const sine = ((-0.00019515296 * z + 0.0083321609) * z - 0.16666655) * z * y + y;
  const cosine = ((0.0000244331571 * z - 0.00138873162) * z + 0.0416666457) * z * z - 0.5 * z + 1;
  let value = (q > 1 && q < 3) || (q > 5 && q < 7) ? cosine : sine;
  if (q > 3) { value = -value; }
  return shift < 1 && x < 0 ? -value : value;
`,
  },
  k_sin: {
    parameters: ['x'],
    body: `
  return Math.abs(x) < 0.0001 ? x : k_sinCos(x, 0);
`,
  },
  k_cos: {
    parameters: ['x'],
    body: `
  return k_sinCos(x, 2);
`,
  },
  k_tan: {
    parameters: ['x'],
    body: `
  return Math.abs(x) < 0.0001 ? x : k_sinCos(x, 0) / k_sinCos(x, 2);
`,
  },
  k_asinNear: {
    parameters: ['x'],
    body: `
  const z = x * x;
  return ((((0.042163199 * z + 0.024181311) * z + 0.045470026) * z + 0.074953003) * z + 0.16666752) * z * x + x;
`,
  },
  k_asin: {
    parameters: ['x'],
    body: `
  const a = Math.abs(x);
  if (a < 0.0001) { return x; }
  const y = a > 0.5 ? 1.57079633 - 2 * k_asinNear(Math.sqrt(0.5 * (1 - a))) : k_asinNear(a);
  return x < 0 ? -y : y;
`,
  },
  k_acos: {
    parameters: ['x'],
    body: `
  if (x < -0.5) { return 3.14159265 - 2 * k_asinNear(Math.sqrt(0.5 * (1 + x))); }
  if (x > 0.5) { return 2 * k_asinNear(Math.sqrt(0.5 * (1 - x))); }
  return 1.57079633 - k_asinNear(x);
`,
  },
  k_atanPositive: {
    parameters: ['a'],
    body: `
  let y = 0;
  let u = a;
  if (a > 2.41421356) { y = 1.57079633; u = -1 / a; }
  else if (a > 0.414213562) { y = 0.785398163; u = (a - 1) / (a + 1); }
  const z = u * u;
  return y + ((((0.0805374450 * z - 0.138776856) * z + 0.199777106) * z - 0.333329492) * z * u + u);
`,
  },
  k_atan: {
    parameters: ['x'],
    body: `
  const a = Math.abs(x);
  if (a < 0.0001) { return x; }
  const y = k_atanPositive(a);
  return x < 0 ? -y : y;
`,
  },
  k_atan2: {
    parameters: ['y', 'x'],
    body: `
  let a = Math.abs(x);
  let b = Math.abs(y);
  if (a > 3.4028235e38 && b > 3.4028235e38) { a = 1; b = 1; }
  let t = 0;
  if (b > a) { t = 1.57079633 - k_atanPositive(a / b); }
  else if (b > 0) { t = k_atanPositive(b / a); }
  if (x < 0 || (x === 0 && 1 / x < 0)) { t = 3.14159265 - t; }
  return y < 0 || (y === 0 && 1 / y < 0) ? -t : t;
`,
  },
  k_divide: {
    parameters: ['x', 'y', 'allBits'],
    body: `
  if (y === 0) { return allBits; }
  const q = k_quotient(Math.abs(x), Math.abs(y));
  return x * y < 0 ? -q : q;
`,
  },
  k_remainder: {
    parameters: ['x', 'y'],
    body: `
  if (y === 0) { return x; }
  const b = Math.abs(y);
  const r = Math.abs(x) - k_quotient(Math.abs(x), b) * b;
  return x < 0 ? -r : r;
`,
  },
};
