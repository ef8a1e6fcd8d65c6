/** Small functions with a minimum of 0, on trees of different forms. */
import {
  add,
  matmul,
  multiply,
  square,
  subtract,
  sum,
  type Tensor,
  type Tensors,
  tensor,
} from '@neumann/core';

export interface Problem<P = never> {
  readonly name: string;
  readonly init: P;
  readonly loss: (params: P) => Tensor;
}

const f64 = (x: number | readonly number[] | readonly (readonly number[])[]): Tensor => tensor(x, 'float64');

const problem = <P extends object>(name: string, init: P, loss: (params: Tensors<P>) => Tensor): Problem =>
  ({ name, init, loss }) as unknown as Problem;

const curvatures = f64([1, 2, 4]);
const center = f64([1, -1, 0.5]);
const mixing = f64([
  [1, 0.3, 0],
  [-0.2, 1, 0.5],
  [0.1, 0, 0.8],
]);
const target = f64([
  [1, -1],
  [0.5, 0.2],
  [-0.3, 2],
]);
const inputs = f64([
  [1, 0.5],
  [-1, 1],
  [0.3, -0.8],
]);
const outputs = f64([[1], [-0.5], [0.2]]);

export const problems: readonly Problem[] = [
  problem('a parabola of a bare tensor', f64([2, 1, -1]), (w) =>
    multiply(0.5, sum(multiply(curvatures, square(subtract(w, center))))),
  ),
  problem("Rosenbrock's valley, of two scalars", { x: f64(0.3), y: f64(1.2) }, ({ x, y }) =>
    add(square(subtract(1, x)), multiply(5, square(subtract(y, square(x))))),
  ),
  problem(
    'a matrix',
    {
      w: f64([
        [0.5, 0.5],
        [1, 0.1],
        [0.3, -1],
      ]),
    },
    ({ w }) => multiply(0.5, sum(square(subtract(matmul(mixing, w), target)))),
  ),
  problem(
    'a tree of an array, a scalar, an empty tensor and an empty branch',
    {
      layers: [{ w: f64([[0.3], [0.7]]), b: f64([0.1]) }],
      scale: f64(0.7),
      none: tensor(new Float64Array(0)),
      rest: {},
    },
    ({ layers, scale, none }) => {
      const [{ w, b }] = layers as [{ w: Tensor; b: Tensor }];
      const y = multiply(scale, add(matmul(inputs, w), b));
      return add(multiply(0.5, sum(square(subtract(y, outputs)))), sum(none));
    },
  ),
];
