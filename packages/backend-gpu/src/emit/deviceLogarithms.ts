/** Logarithms and powers for devices, in the statements that gpu.js takes in all its modes. */
import type { HelperBody } from './functions.ts';

/** m and e with x = m 2^e, by exact products, and f = m - 1, from sqrt(1/2) - 1 to sqrt(2) - 1; x > 0 and finite. */
const mantissa = `let m = x;
  let e = 0;
  if (m < 1) { m = m * 8.5070592e37; e = -126; }
  if (m < 1) { m = m * 8388608; e = -149; }
  if (m >= 18446744073709551616) { m = m * 5.421010862427522e-20; e = e + 64; }
  if (m >= 4294967296) { m = m * 2.3283064365386963e-10; e = e + 32; }
  if (m >= 65536) { m = m * 0.0000152587890625; e = e + 16; }
  if (m >= 256) { m = m * 0.00390625; e = e + 8; }
  if (m >= 16) { m = m * 0.0625; e = e + 4; }
  if (m >= 4) { m = m * 0.25; e = e + 2; }
  if (m >= 2) { m = m * 0.5; e = e + 1; }
  if (m > 1.41421356) { m = m * 0.5; e = e + 1; }
  const f = m - 1;`;

export const deviceLogarithms: Readonly<Record<string, HelperBody>> = {
  k_log1pNear: {
    parameters: ['f'],
    // From sqrt(1/2) - 1 to sqrt(2) - 1.
    body: `
  const z = f * f;
  const p = (((((((0.070376836 * f - 0.11514610) * f + 0.11676999) * f - 0.12420141) * f + 0.14249323) * f - 0.16668058) * f + 0.20000714) * f - 0.24999999) * f + 0.33333331;
  return f + (p * f * z - 0.5 * z);
`,
  },
  k_log: {
    parameters: ['x'],
    // x > 0. The exponent by exact products.
    body: `
  ${mantissa}
  const z = f * f;
  const p = (((((((0.070376836 * f - 0.11514610) * f + 0.11676999) * f - 0.12420141) * f + 0.14249323) * f - 0.16668058) * f + 0.20000714) * f - 0.24999999) * f + 0.33333331;
  const y = (p * f * z + e * (-0.00021219444)) - 0.5 * z;
  return (f + y) + e * 0.693359375;
`,
  },
  k_log1p: {
    parameters: ['x'],
    // x > -1
    body: `
  if (x > -0.29 && x < 0.41) { return k_log1pNear(x); }
  return k_log(1 + x);
`,
  },
  k_powHasValue: {
    parameters: ['x', 'y'],
    // x^0 and 1^y are 1 whatever x and y are; -1 has no infinite power, and negative numbers only whole ones.
    body: `
  if (x === 1 || y === 0) { return 1; }
  const numbers = (x === x ? 1 : 0) * (y === y ? 1 : 0);
  if (numbers < 0.5) { return 0; }
  if (Math.abs(y) > 3.4028235e38) { return x === -1 ? 0 : 1; }
  return x < 0 && x >= -3.4028235e38 && Math.floor(y) !== y ? 0 : 1;
`,
  },
  k_pow: {
    parameters: ['x', 'y'],
    // Whole powers up to 8, and down to -4, by products, which are exact where the result is.
    body: `
  const a = Math.abs(x);
  const n = Math.abs(y);
  const whole = Math.floor(n);
  const half = whole * 0.5;
  const odd = whole === n && n < 16777216 && half - Math.floor(half) > 0.25 ? 1 : 0;
  let r = 1;
  if (whole === n && n <= (y < 0 ? 4 : 8)) {
    for (let i = 0; i < 8; i++) {
      if (i < n) { r = r * a; }
    }
    if (y < 0) { r = 1 / r; }
  }
  else if (a === 0) { r = y < 0 ? 1 / a : a; }
  else if (a > 3.4028235e38) { r = y < 0 ? 1 / a : a; }
  else if (n > 3.4028235e38 && a !== 1) { r = (a > 1 ? 1 : -1) * y > 0 ? n : 0; }
  else if (a !== 1) { r = k_powPositive(a, y); }
  return (x < 0 || 1 / x < 0) && odd > 0.5 ? -r : r;
`,
  },
  k_high: {
    parameters: ['x'],
    // x rounded to 12 bits, so that products of two such numbers are exact.
    body: `
  const c = x * 4097;
  return c - (c - x);
`,
  },
  k_powPositive: {
    parameters: ['x', 'y'],
    // 2^(y log2 x), finite and positive x. As y log2 x may have 7 bits before its point, log2 x is a sum of two floats
    // with 32 bits together, and so are the products. With f = m - 1, log m is f - f^2 / 2 + …, or, farther from 0,
    // 2 atanh(s) for s = f / (2 + f).
    body: `
  ${mantissa}
  const fh = Math.floor(f * 4096) * 0.000244140625;
  const fl = f - fh;
  let hi = f;
  let lo = 0;
  if (Math.abs(f) < 0.0625) {
    const p = (((((0.14249323 * f - 0.16668058) * f + 0.20000714) * f - 0.25) * f) + 0.33333333) * f * f * f;
    lo = (p - 0.5 * fl * (f + fh)) - 0.5 * fh * fh;
  }
  else {
    const d = 2 + f;
    const s = Math.floor(f / d * 4096 + 0.5) * 0.000244140625;
    const t = ((fh - s * (2 + fh)) + (fl - s * fl)) / d;
    const w = s + t;
    const z = w * w;
    hi = 2 * s;
    lo = 2 * t + w * z * (0.66666667 + z * (0.4 + z * (0.28571429 + z * 0.23)));
  }
  const hh = k_high(hi);
  const hl = hi - hh;
  const g = hh * 1.4423828125;
  const gl = hl * 1.4423828125 + (hi * 0.00031222849 + lo * 1.44269504);
  const sum = e + g;
  const rest = ((e - sum) + g) + gl;
  const b = sum + rest;
  const c = (sum - b) + rest;
  const p = y * b;
  if (p > 130) { return k_scale(1, 128); }
  if (p < -200) { return 0; }
  const yh = k_high(y);
  const bh = k_high(b);
  const q = ((yh * bh - p) + yh * (b - bh) + (y - yh) * bh) + (y - yh) * (b - bh);
  const n = Math.floor(p + 0.5);
  const r = ((p - n) + (q + y * c)) * 0.69314718;
  const u = (((((0.00019875691 * r + 0.0013981999) * r + 0.0083334519) * r + 0.041665796) * r + 0.16666665) * r + 0.5) * r * r + r + 1;
  return k_scale(u, n);
`,
  },
};
