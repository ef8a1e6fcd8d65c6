import { expect, test } from 'vitest';
import { TreeError } from '../src/errors.ts';
import {
  Static,
  treeFlatten,
  treeLeaves,
  treeMap,
  treePaths,
  treeStructure,
  treeUnflatten,
} from '../src/tree.ts';

test('keys are sorted, so the order they are written in does not matter', () => {
  expect(treeLeaves({ b: 1, a: 2 })).toEqual([2, 1]);
  const sum = treeMap(
    (x, y) => ((x as never as number) + (y as never as number)) as never,
    { a: 1, b: 2 },
    { b: 10, a: 20 },
  );
  expect(sum).toEqual({ a: 21, b: 12 });
});

test('flattening and building again gives the same tree', () => {
  const tree = {
    layers: [
      { w: 1, b: 2 },
      { w: 3, b: 4 },
    ],
    none: null,
    scale: new Float32Array([1, 2]),
  };
  const { leaves, structure } = treeFlatten(tree);
  expect(treeUnflatten(structure, leaves)).toEqual(tree);
});

test('paths name every leaf', () => {
  expect(treePaths({ block: { conv: { w: 1 } }, layers: [2, 3] })).toEqual([
    'block.conv.w',
    'layers[0]',
    'layers[1]',
  ]);
  expect(treePaths(1)).toEqual(['(root)']);
});

test('a static value is structure, compared by identity', () => {
  const f = () => 1;
  expect(treeLeaves({ f: new Static(f), x: 1 })).toEqual([1]);
  const tree = { f: new Static(f), x: 1 };
  expect(treeMap((x) => x, tree)).toEqual(tree);
  expect(() => treeMap((x) => x, tree, { f: new Static(() => 1), x: 1 })).toThrow(
    new TreeError(
      'treeMap: tree 1 and tree 2 must have the same structure, but at f tree 1 has a static value and tree 2 has another static value.',
    ),
  );
});

test.each([
  [{ a: 1 }, { a: 1, b: 2 }, 'at (root) tree 1 has keys {a} and tree 2 has keys {a, b}.'],
  [{ a: [1, 2] }, { a: [1] }, 'at a tree 1 has an array of 2 and tree 2 has an array of 1.'],
  [{ a: [1, { b: 2 }] }, { a: [1, 2] }, 'at a[1] tree 1 has an object and tree 2 has a leaf.'],
])('a difference in structure is named: %o and %o', (a, b, text) => {
  expect(() => treeMap((x) => x, a, b)).toThrow(
    `treeMap: tree 1 and tree 2 must have the same structure, but ${text}`,
  );
});

test.each([
  [{ a: 'text' }, 'tree: a is the string "text"'],
  [{ a: undefined }, 'tree: a is undefined'],
  [{ a: [new Map()] }, 'tree: a[0] is a Map'],
  [{ a: () => 1 }, 'tree: a is a function'],
  [{ a: Promise.resolve(1) }, 'tree: a is a promise (await it first)'],
])('what is no leaf is refused by path: %o', (tree, text) => {
  expect(() => treeLeaves(tree)).toThrow(text);
});

test('a wrong number of leaves is refused', () => {
  expect(() => treeUnflatten(treeStructure([1, 2]), [1])).toThrow(
    'treeUnflatten: the structure has 2 leaves, but 1 were given.',
  );
});
