import { lu, solveFactored } from './lu.ts';
import { Matrix } from './matrix.ts';

/** Of the [13/13] Padé approximant; Higham, "The scaling and squaring method for the matrix exponential revisited" (2005). */
const pade = [
  64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800, 129060195264000, 10559470521600,
  670442572800, 33522128640, 1323241920, 40840800, 960960, 16380, 182, 1,
] as const;
/** The 1-norm up to which it is exact to float64. */
const reach = 5.371920351148152;

/** e^a by scaling and squaring. */
export function expm(a: Matrix): Matrix {
  const n = a.rows;
  if (!a.isFinite()) return new Matrix(n, n, new Float64Array(n * n).fill(Number.NaN));
  let norm = 0;
  for (let j = 0; j < n; j++) {
    let total = 0;
    for (let i = 0; i < n; i++) total += Math.abs(a.get(i, j));
    norm = Math.max(norm, total);
  }
  const squarings = norm > reach ? Math.ceil(Math.log2(norm / reach)) : 0;
  const x = a.scaled(2 ** -squarings);
  const x2 = x.times(x);
  const x4 = x2.times(x2);
  const x6 = x4.times(x2);
  const powers = [Matrix.identity(n), x2, x4, x6] as const;
  const combine = (from: number): Matrix => {
    const low = [0, 1, 2, 3].map((k) => powers[k as 0].scaled(pade[from + 2 * k] as number));
    const high = [1, 2, 3].map((k) => powers[k as 1].scaled(pade[from + 6 + 2 * k] as number));
    const sum = (terms: Matrix[]): Matrix => terms.reduce((total, term) => total.plus(term));
    return sum([...low, x6.times(sum(high))]);
  };
  const [even, odd] = [combine(0), x.times(combine(1))];
  const denominator = even.plus(odd, -1);
  const order = lu(denominator);
  let result = solveFactored(denominator, order, even.plus(odd), false);
  for (let i = 0; i < squarings; i++) result = result.times(result);
  return result;
}
