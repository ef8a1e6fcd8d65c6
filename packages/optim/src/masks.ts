/** Which leaves of a tree something concerns: choices by path, or by a tree of them. */
import {
  type Leaf,
  Tensor,
  TreeError,
  type TreeStructure,
  tensor,
  treeFlatten,
  treePaths,
  treeUnflatten,
} from '@neumann/core';

/**
 * A choice for each leaf: a function of its path (`layers[0].w`) and its tensor; or a tree of choices in the form of the
 * parameters, in which one choice may stand for a whole branch.
 */
export type Choice<T> = ((path: string, leaf: Tensor) => T) | ChoiceTree<T>;

/** A tree of choices: see {@link Choice}. */
export type ChoiceTree<T> = T | readonly ChoiceTree<T>[] | { readonly [key: string]: ChoiceTree<T> };

/**
 * Which leaves are meant, by path and tensor or by a tree of booleans.
 *
 * @example
 * const matrices: Mask = (_path, leaf) => leaf.ndim >= 2;
 * const weights: Mask = { layer1: { w: true, b: false }, layer2: false };
 */
export type Mask = Choice<boolean>;

/**
 * The choice for each leaf of a tree, in order.
 * @throws {TreeError} where the choices do not fit the tree, or are no `kind`.
 */
export function chosen<T extends boolean | string>(
  op: string,
  name: string,
  choice: Choice<T>,
  tree: unknown,
  kind: 'boolean' | 'string',
): T[] {
  const { leaves, structure } = treeFlatten(tree);
  if (typeof choice !== 'function') return spread<T>(op, name, choice, structure, '', kind);
  const paths = treePaths(tree);
  return leaves.map((leaf, i) => {
    const value = choice(paths[i] as string, asTensor(leaf));
    if (typeof value !== kind) refuse(op, name, paths[i] as string, `a ${kind}`, value);
    return value;
  });
}

const asTensor = (x: Leaf): Tensor => (x instanceof Tensor ? x : tensor(x as number));

function spread<T>(
  op: string,
  name: string,
  choice: unknown,
  structure: TreeStructure,
  path: string,
  kind: string,
): T[] {
  if (typeof choice === kind) return Array.from({ length: countLeaves(structure) }, () => choice as T);
  if (structure.kind === 'array' && Array.isArray(choice) && choice.length === structure.children.length)
    return structure.children.flatMap((s, i) => spread<T>(op, name, choice[i], s, `${path}[${i}]`, kind));
  if (
    structure.kind === 'object' &&
    typeof choice === 'object' &&
    choice !== null &&
    !Array.isArray(choice)
  ) {
    const odd = Object.keys(choice).find((key) => !structure.keys.includes(key));
    if (odd !== undefined)
      refuse(
        op,
        name,
        join(path, odd),
        'nothing, as the parameters have no such branch',
        (choice as Readonly<Record<string, unknown>>)[odd],
      );
    return structure.keys.flatMap((key, i) =>
      spread<T>(
        op,
        name,
        (choice as Readonly<Record<string, unknown>>)[key],
        structure.children[i] as TreeStructure,
        join(path, key),
        kind,
      ),
    );
  }
  if (structure.kind === 'null' || structure.kind === 'static') return [];
  const needed =
    structure.kind === 'leaf' ? `a ${kind}` : `a ${kind} or ${structure.kind} like the parameters'`;
  return refuse(op, name, path || '(root)', needed, choice);
}

const join = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`);

const countLeaves = (s: TreeStructure): number =>
  s.kind === 'leaf' ? 1 : 'children' in s ? s.children.reduce((n, child) => n + countLeaves(child), 0) : 0;

function refuse(op: string, name: string, path: string, needed: string, value: unknown): never {
  const got =
    value === undefined
      ? 'nothing'
      : Array.isArray(value)
        ? `an array of ${value.length}`
        : `a ${typeof value}`;
  throw new TreeError(`${op}: ${name} must have ${needed} at ${path}, but has ${got}.`);
}

/** A tree with `null`, an empty tree, in place of the leaves that are not kept. */
export function keepLeaves<T>(tree: T, keep: readonly boolean[]): T {
  const { leaves, structure } = treeFlatten(tree);
  return treeUnflatten(
    structure,
    leaves.map((x, i) => (keep[i] ? x : null)),
  );
}

/** `tree` with the leaves that `keep` names taken from `kept`, a tree like that of {@link keepLeaves}. */
export function putLeaves<T>(tree: T, keep: readonly boolean[], kept: unknown): T {
  const { leaves, structure } = treeFlatten(tree);
  const changed = treeFlatten(kept).leaves;
  let next = 0;
  return treeUnflatten(
    structure,
    leaves.map((x, i) => (keep[i] ? changed[next++] : x)),
  );
}
