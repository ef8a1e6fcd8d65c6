/**
 * Trees: nested arrays and plain objects whose leaves are tensors, numbers, booleans or typed arrays.
 *
 * Keys are sorted, so two objects with the same keys are the same structure in whatever order they were written.
 * `null` is an empty tree. `Static` carries anything else (functions, strings, options) as part of the structure.
 */
import { ShapeDtype } from './aval.ts';
import { dtypeOfArray, type TypedArray } from './dtype.ts';
import { OptionError, TreeError } from './errors.ts';
import { Tensor } from './tensor.ts';

/** What may stand at the ends of a tree. A `ShapeDtype` has no values, and is only for `evalShape`. */
export type Leaf = Tensor | number | boolean | TypedArray | ShapeDtype;

/**
 * A value that belongs to the structure of a tree and not to its leaves: a function, a name, an option.
 * Transformations pass it through unchanged; `jit` compiles anew for another (compared by identity of `value`).
 *
 * @example
 * const state = { count: tensor(0), schedule: new Static((t: Tensor) => divide(1, add(t, 1))) };
 * treeLeaves(state).length   // 1
 */
export class Static<T> {
  readonly value: T;
  constructor(value: T) {
    this.value = value;
  }
}

/** `T` with a tensor at every leaf. */
export type Tensors<T> = T extends Leaf
  ? Tensor
  : T extends Static<unknown> | null
    ? T
    : { [K in keyof T]: Tensors<T[K]> };

/** `T` where any leaf may also be a number, boolean or typed array. */
export type Leaves<T> = unknown extends T
  ? T
  : T extends Tensor
    ? Tensor | number | boolean | TypedArray
    : T extends Static<unknown> | null | number | boolean | TypedArray
      ? T
      : T extends (...args: never[]) => unknown
        ? T
        : { [K in keyof T]: Leaves<T[K]> };

/** The structure of a tree without its leaves. */
export type TreeStructure =
  | { readonly kind: 'leaf' }
  | { readonly kind: 'null' }
  | { readonly kind: 'static'; readonly value: unknown }
  | { readonly kind: 'array'; readonly children: readonly TreeStructure[] }
  | {
      readonly kind: 'object';
      readonly keys: readonly string[];
      readonly children: readonly TreeStructure[];
    };

const leaf: TreeStructure = { kind: 'leaf' };
const empty: TreeStructure = { kind: 'null' };

/** A tree taken apart: its leaves in order, and what is needed to build it again. */
export interface Flattened {
  readonly leaves: Leaf[];
  readonly structure: TreeStructure;
}

/**
 * Leaves (depth first, keys sorted) and structure of a tree.
 * @throws {TreeError} naming the path of anything that is neither a tree nor a leaf.
 */
export function treeFlatten(tree: unknown): Flattened {
  const leaves: Leaf[] = [];
  const structure = visit(tree, [], (x) => {
    leaves.push(x);
  });
  return { leaves, structure };
}

/** Builds the tree that `treeFlatten` took apart, with other leaves. */
export function treeUnflatten<T = unknown>(structure: TreeStructure, leaves: readonly unknown[]): T {
  if (typeof structure !== 'object' || structure === null || !('kind' in structure))
    throw new TreeError('treeUnflatten: takes a structure that treeFlatten() gave.');
  const expected = countLeaves(structure);
  if (expected !== leaves.length)
    throw new TreeError(
      `treeUnflatten: the structure has ${expected} leaves, but ${leaves.length} were given.`,
    );
  let next = 0;
  const build = (s: TreeStructure): unknown => {
    switch (s.kind) {
      case 'leaf':
        return leaves[next++];
      case 'null':
        return null;
      case 'static':
        return new Static(s.value);
      case 'array':
        return s.children.map(build);
      case 'object':
        return Object.fromEntries(s.keys.map((key, i) => [key, build(s.children[i] as TreeStructure)]));
      default:
        return s satisfies never;
    }
  };
  return build(structure) as T;
}

/** The leaves of a tree: depth first, keys sorted. */
export function treeLeaves(tree: unknown): Leaf[] {
  return treeFlatten(tree).leaves;
}

/** The structure of a tree, without its leaves. */
export function treeStructure(tree: unknown): TreeStructure {
  return treeFlatten(tree).structure;
}

/** The path of each leaf, in the order of `treeLeaves`: `block1.conv.w`, `layers[0]`. */
export function treePaths(tree: unknown): string[] {
  const paths: string[] = [];
  visit(tree, [], (_, path) => {
    paths.push(showPath(path));
  });
  return paths;
}

/**
 * Applies `f` to the leaves of one or several trees of the same structure.
 * @throws {TreeError} naming the first place where the structures differ.
 * @example
 * treeMap((w, g) => subtract(w, multiply(0.1, g)), params, grads)
 */
export function treeMap<T>(f: (x: Tensor) => Tensor, tree: T): Tensors<T>;
export function treeMap<T>(f: (x: Tensor, y: Tensor) => Tensor, tree: T, second: unknown): Tensors<T>;
export function treeMap<T>(
  f: (x: Tensor, y: Tensor, z: Tensor) => Tensor,
  tree: T,
  second: unknown,
  third: unknown,
): Tensors<T>;
export function treeMap<T>(f: (...leaves: Tensor[]) => Tensor, tree: T, ...rest: unknown[]): Tensors<T>;
export function treeMap<T>(f: (...leaves: never[]) => unknown, tree: T, ...rest: unknown[]): Tensors<T> {
  if (typeof f !== 'function') throw new OptionError(`treeMap: needs a function first, but got ${typeof f}.`);
  const first = treeFlatten(tree);
  const others = rest.map((t, i) => {
    const flat = treeFlatten(t);
    checkSameStructure('treeMap', 'tree 1', first.structure, `tree ${i + 2}`, flat.structure);
    return flat.leaves;
  });
  return treeUnflatten(
    first.structure,
    first.leaves.map((x, i) => f(...([x, ...others.map((o) => o[i])] as never[]))),
  );
}

/** @throws {TreeError} saying where, and how, `b` differs from `a`. */
export function checkSameStructure(
  op: string,
  nameA: string,
  a: TreeStructure,
  nameB: string,
  b: TreeStructure,
): void {
  const found = difference(a, b, []);
  if (found)
    throw new TreeError(
      `${op}: ${nameA} and ${nameB} must have the same structure, but at ${found.path} ` +
        `${nameA} has ${found.a} and ${nameB} has ${found.b}.`,
    );
}

function visit(
  tree: unknown,
  path: (string | number)[],
  onLeaf: (x: Leaf, path: (string | number)[]) => void,
): TreeStructure {
  if (
    tree instanceof Tensor ||
    tree instanceof ShapeDtype ||
    typeof tree === 'number' ||
    typeof tree === 'boolean'
  ) {
    onLeaf(tree, path);
    return leaf;
  }
  if (tree === null) return empty;
  if (tree instanceof Static) return { kind: 'static', value: tree.value };
  if (Array.isArray(tree))
    return { kind: 'array', children: tree.map((child, i) => visit(child, [...path, i], onLeaf)) };
  if (ArrayBuffer.isView(tree)) {
    dtypeOfArray(tree as TypedArray);
    onLeaf(tree as TypedArray, path);
    return leaf;
  }
  if (typeof tree === 'object' && isPlain(tree)) {
    const keys = Object.keys(tree).sort();
    return {
      kind: 'object',
      keys,
      children: keys.map((key) => visit((tree as Record<string, unknown>)[key], [...path, key], onLeaf)),
    };
  }
  throw new TreeError(
    `tree: ${showPath(path)} is ${describe(tree)}, which is neither a leaf (tensor, number, boolean, typed array) ` +
      `nor an array or plain object; wrap values that are not data in new Static(value).`,
  );
}

function isPlain(x: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(x);
  return prototype === Object.prototype || prototype === null;
}

function describe(x: unknown): string {
  if (x === undefined) return 'undefined';
  if (typeof x === 'string') return `the string ${JSON.stringify(x)}`;
  if (x instanceof Promise) return 'a promise (await it first)';
  if (typeof x === 'object') return `a ${(x as object).constructor.name}`;
  return `a ${typeof x}`;
}

function showPath(path: readonly (string | number)[]): string {
  if (path.length === 0) return '(root)';
  return path.map((p, i) => (typeof p === 'number' ? `[${p}]` : i === 0 ? p : `.${p}`)).join('');
}

function countLeaves(s: TreeStructure): number {
  if (s.kind === 'leaf') return 1;
  if (s.kind === 'null' || s.kind === 'static') return 0;
  return s.children.reduce((n, child) => n + countLeaves(child), 0);
}

function difference(
  a: TreeStructure,
  b: TreeStructure,
  path: (string | number)[],
): { path: string; a: string; b: string } | undefined {
  const differ = (x: string, y: string) => ({ path: showPath(path), a: x, b: y });
  if (a === b) return undefined;
  if (a.kind === 'static' && b.kind === 'static')
    return Object.is(a.value, b.value) ? undefined : differ('a static value', 'another static value');
  if (a.kind === 'array' && b.kind === 'array') {
    if (a.children.length !== b.children.length)
      return differ(`an array of ${a.children.length}`, `an array of ${b.children.length}`);
    return firstDifference(a.children, b.children, (i) => [...path, i]);
  }
  if (a.kind === 'object' && b.kind === 'object') {
    if (a.keys.length !== b.keys.length || a.keys.some((key, i) => key !== b.keys[i]))
      return differ(`keys {${a.keys.join(', ')}}`, `keys {${b.keys.join(', ')}}`);
    return firstDifference(a.children, b.children, (i) => [...path, a.keys[i] as string]);
  }
  return a.kind === b.kind ? undefined : differ(nameOf(a), nameOf(b));
}

function firstDifference(
  a: readonly TreeStructure[],
  b: readonly TreeStructure[],
  pathOf: (i: number) => (string | number)[],
): { path: string; a: string; b: string } | undefined {
  for (let i = 0; i < a.length; i++) {
    const found = difference(a[i] as TreeStructure, b[i] as TreeStructure, pathOf(i));
    if (found) return found;
  }
  return undefined;
}

const nameOf = (s: TreeStructure): string =>
  ({ leaf: 'a leaf', null: 'null', static: 'a static value', array: 'an array', object: 'an object' })[
    s.kind
  ];
