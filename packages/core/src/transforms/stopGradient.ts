import { toTensor } from '../ops/convert.ts';
import { stop } from '../primitives/movement.ts';
import { type Tensors, treeMap } from '../tree.ts';

/**
 * The same values, but constants to every derivative: what depends on them only through this has gradient 0.
 *
 * @param tree A tensor, or a tree of them.
 * @example
 * grad((x: Tensor) => multiply(stopGradient(x), x))(tensor(3)).item()   // 3, not 6
 */
export function stopGradient<T>(tree: T): Tensors<T> {
  return treeMap((x) => stop(toTensor(x)), tree);
}
