/** Values in nested states, by name. */
import {
  OptionError,
  Static,
  type Tensor,
  type TreeStructure,
  treeFlatten,
  treeUnflatten,
} from '@neumann/core';
import { leavesOf, sameForm } from '../trees.ts';

type Step = string | number;
type Visit = (value: unknown, path: readonly Step[]) => unknown;

const show = (path: readonly Step[]): string =>
  path.map((p, i) => (typeof p === 'number' ? `[${p}]` : i === 0 ? p : `.${p}`)).join('') || '(root)';

/** A copy of a tree; `visit` may replace a branch by something other than `undefined`, which then is not entered. */
function rebuild(tree: unknown, path: readonly Step[], visit: Visit): unknown {
  const replaced = visit(tree, path);
  if (replaced !== undefined) return replaced;
  if (Array.isArray(tree)) return tree.map((child, i) => rebuild(child, [...path, i], visit));
  const isBranch =
    typeof tree === 'object' && tree !== null && Object.getPrototypeOf(tree) === Object.prototype;
  if (!isBranch) return tree;
  const entries = Object.entries(tree).map(([key, child]) => [key, rebuild(child, [...path, key], visit)]);
  return Object.fromEntries(entries);
}

/**
 * All values under a name, wherever in a state they are, with their paths.
 *
 * @example
 * const state = adam({ learningRate: 0.1 }).init({ w: zeros([2]) });
 * tree.getAllWithPath(state, 'count').map(([path]) => path)   // ["[0].count", "[1].count"]
 */
export function getAllWithPath(state: unknown, name: string): (readonly [path: string, value: unknown])[] {
  const found: (readonly [string, unknown])[] = [];
  rebuild(state, [], (value, path) => {
    if (path.at(-1) === name) found.push([show(path), value]);
    return undefined;
  });
  return found;
}

/**
 * The value under a name, wherever in a state it is.
 *
 * @throws {OptionError} if there is none, or several, naming their paths.
 * @example
 * const state = adam({ learningRate: 0.1 }).init(zeros([2]));
 * tree.get(state, 'nu')   // [0, 0]
 */
export function get(state: unknown, name: string): unknown {
  const found = getAllWithPath(state, name);
  const [only] = found;
  if (!only) throw new OptionError(`tree.get: nothing in the state is called "${name}".`);
  if (found.length > 1)
    throw new OptionError(
      `tree.get: "${name}" is at ${found.map(([path]) => path).join(', ')}; use getAllWithPath(), or take the part you mean.`,
    );
  return only[1];
}

/**
 * A copy of a state with other values under the given names, wherever they are.
 *
 * @throws {OptionError} for a name that is not there. {TreeError} {ShapeError} for a value of another form.
 * @example
 * const tx = injectHyperparams(sgd)({ learningRate: 0.1 });
 * const state = tree.set(tx.init(zeros([2])), { learningRate: tensor(0.01) });
 * tree.get(state, 'learningRate')   // 0.01
 */
export function set<S>(state: S, values: Readonly<Record<string, unknown>>): S {
  const missing = new Set(Object.keys(values));
  const changed = rebuild(state, [], (old, path) => {
    const name = path.at(-1);
    if (typeof name !== 'string' || !Object.hasOwn(values, name)) return undefined;
    missing.delete(name);
    sameForm('tree.set', `the state at ${show(path)}`, old, 'the new value', values[name]);
    return values[name];
  });
  const [first] = missing;
  if (first !== undefined) throw new OptionError(`tree.set: nothing in the state is called "${first}".`);
  return changed as S;
}

/**
 * A copy of a state with a function applied to what has the form of the parameters (averages, anchors), leaf by leaf; counts
 * and other values stay. Where the parameters are one tensor, that is every tensor of its shape.
 *
 * @param f From a leaf of the state and the parameter it belongs to.
 * @example
 * const params = { w: zeros([2]) };
 * const state = adam({ learningRate: 0.1 }).init(params);
 * tree.get(tree.mapParams((m) => add(m, 1), params, state), 'mu').w   // [1, 1]
 */
export function mapParams<S>(f: (x: Tensor, param: Tensor) => Tensor, params: unknown, state: S): S {
  const { structure } = treeFlatten(params);
  const own = leavesOf(params);
  return rebuild(state, [], (value) => {
    if (!hasForm(value, structure, own)) return undefined;
    const leaves = leavesOf(value);
    return treeUnflatten(
      structure,
      leaves.map((x, i) => f(x, own[i] as Tensor)),
    );
  }) as S;
}

function hasForm(value: unknown, structure: TreeStructure, own: readonly Tensor[]): boolean {
  if (own.length === 0 || value === null || value instanceof Static) return false;
  const flat = treeFlatten(value);
  if (JSON.stringify(flat.structure) !== JSON.stringify(structure)) return false;
  return leavesOf(value).every((x, i) => String(x.shape) === String(own[i]?.shape));
}
