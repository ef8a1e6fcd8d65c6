/** NumPy's and SciPy's results (numpy.json, written by make.py) are ours, in float64. */
import { describe, expect, test } from 'vitest';
import { Tensor } from '../../src/tensor.ts';
import { cases, type Result } from './cases.ts';
import expected from './numpy.json' with { type: 'json' };

type Plain = number | boolean | string | readonly Plain[];

const plain = (result: Result): Plain => (result instanceof Tensor ? result.toArray() : result.map(plain));

/** Relative error of a few roundings in float64, or of the approximations of special functions. */
const tolerance = 1e-12;

function expectClose(actual: Plain, wanted: Plain, at: string): void {
  if (Array.isArray(wanted)) {
    expect((actual as Plain[]).length, at).toBe(wanted.length);
    for (const [i, one] of wanted.entries()) expectClose((actual as Plain[])[i] as Plain, one, `${at}[${i}]`);
    return;
  }
  const number = typeof wanted === 'string' ? Number(wanted.replace('inf', 'Infinity')) : Number(wanted);
  const got = Number(actual);
  if (Number.isFinite(number))
    expect(Math.abs(got - number), `${at}: ${got} and ${number}`).toBeLessThanOrEqual(
      tolerance * Math.max(1, Math.abs(number)),
    );
  else expect(got, at).toBe(number);
}

describe('oracles', () => {
  test('both sides have the same cases', () => {
    expect(Object.keys(cases)).toEqual(Object.keys(expected));
  });

  test.each(Object.keys(cases))('%s', (name) => {
    const result = (cases[name] as () => Result)();
    expectClose(plain(result), (expected as unknown as Record<string, Plain>)[name] as Plain, name);
  });
});
