/** The greatest errors of backend-gpu's functions in one mode, as cells of a table. */
import { type GpuMode, gpu } from '@neumann/backend-gpu';
import { worstOf, worstOfPairs } from '../../bench/ulps.ts';

const ops = [
  'sqrt',
  'rsqrt',
  'exp',
  'expm1',
  'log',
  'log1p',
  'sin',
  'cos',
  'tan',
  'asin',
  'acos',
  'atan',
  'sinh',
  'cosh',
  'tanh',
  'asinh',
  'acosh',
  'atanh',
  'erf',
  'erfc',
  'erfInv',
  'sigmoid',
] as const;
const pairs = ['div', 'pow', 'atan2'] as const;

async function errors(mode: GpuMode, stride: number): Promise<{ device: string; cells: string[] }> {
  const backend = await gpu({ mode });
  const denormals = mode === 'webasm';
  const cells: string[] = [];
  for (const op of ops) {
    const { worst, at } = await worstOf(backend, op, stride, denormals);
    cells.push(`${worst.toFixed(2)}${worst > 4 ? ` (${at})` : ''}`);
  }
  for (const op of pairs) {
    const { worst, at } = await worstOfPairs(backend, op, denormals);
    cells.push(`${worst.toFixed(2)}${worst > 4 ? ` (${at})` : ''}`);
  }
  return { device: backend.describe().device, cells };
}

Object.assign(globalThis, { errors });
