/**
 * docs/coverage.md, from what the packages export: which of JAX's names are there, by which name, and why others are not.
 * `npm run names` writes it anew.
 */
import * as core from '@neumann/core';
import * as backend from '@neumann/core/backend';
import * as extend from '@neumann/core/extend';
import * as nn from '@neumann/nn';
import { describe, expect, test } from 'vitest';
import { jax, jaxJs } from './names.ts';
import { missing, ours } from './ours.ts';

/** Where a module's names are looked for, in this order, and with which prefix. */
const places: Record<string, readonly (readonly [prefix: string, exports: object])[]> = {
  'jax.numpy.linalg': [
    ['linalg.', core.linalg],
    ['', core],
  ],
  'jax.lax.linalg': [['linalg.', core.linalg]],
  'jax.numpy.fft': [['fft.', core.fft]],
  'jax.random': [['random.', core.random]],
};
const anywhere = [
  ['', core],
  ['', nn],
] as const;

/** `nan_to_num` and `nanToNum` are one name. */
const folded = (name: string): string => name.replaceAll('_', '').toLowerCase();

const words = (text: string): string[] => text.trim().split(/\s+/);

const reasons = new Map(
  missing.flatMap(([reason, names]) => words(names).map((name) => [name, reason] as const)),
);

const aliases = new Map(Object.entries(ours).map(([name, as]) => [folded(name), as]));
const aliasOf = (name: string): string | undefined => aliases.get(folded(name));

type Entry = { readonly name: string } & ({ readonly as: string } | { readonly why: string });

function entryOf(module: string, name: string): Entry {
  const given = aliasOf(`${module}.${name}`);
  if (given !== undefined) return { name, as: given };
  for (const [prefix, exports] of places[module] ?? anywhere) {
    const found = Object.keys(exports).find((key) => folded(key) === folded(name));
    if (found !== undefined) return { name, as: prefix + found };
  }
  const alias = aliasOf(name);
  if (alias !== undefined) return { name, as: alias };
  const why = reasons.get(name) ?? reasons.get(`${name}@${module}`);
  return why === undefined ? { name, why: '' } : { name, why };
}

const entriesOf = (modules: Record<string, string>): [module: string, entries: Entry[]][] =>
  Object.entries(modules).map(([module, names]) => [
    module,
    words(names).map((name) => entryOf(module, name)),
  ]);

const code = (text: string): string => `\`${text}\``;

function section([module, entries]: [string, Entry[]]): string {
  const here = entries.filter((e) => 'as' in e);
  const not = entries.filter((e) => !('as' in e));
  const camel = (name: string): string =>
    name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  const same = here.filter((e) => e.as.split('.').at(-1) === camel(e.name));
  const other = here.filter((e) => !same.includes(e));
  return [
    `## ${module}: ${here.length} of ${entries.length}`,
    `By the same name, in camel case: ${same.map((e) => code(e.as)).join(', ')}.`,
    ...(other.length === 0
      ? []
      : [
          [
            '| there | here |',
            '|---|---|',
            ...other.map((e) => `| ${code(e.name)} | ${describeOurs(e.as)} |`),
          ].join('\n'),
        ]),
    ...(not.length === 0
      ? []
      : [
          [
            '| missing | why |',
            '|---|---|',
            ...not.map((e) => `| ${code(e.name)} | ${'why' in e ? e.why : ''} |`),
          ].join('\n'),
        ]),
  ].join('\n\n');
}

const describeOurs = (as: string): string => (/[ ,]/.test(as) && !/\(/.test(as) ? as : code(as));

describe('coverage', () => {
  test('every name of JAX is there, or missing for a reason', () => {
    const open = entriesOf(jax).flatMap(([module, entries]) =>
      entries.filter((e) => 'why' in e && e.why === '').map((e) => `${module}.${e.name}`),
    );
    expect(open).toEqual([]);
  });

  test('everything that jax-js exports is there', () => {
    const absent = entriesOf(jaxJs).flatMap(([module, entries]) =>
      entries.filter((e) => 'why' in e).map((e) => `${module}.${e.name}`),
    );
    expect(absent).toEqual(['jax.numpy.finfo']);
  });

  test('what is named in the place of another name exists', () => {
    const all: object = { ...core, ...nn, ...extend, ...backend };
    const wrong = Object.values(ours).filter((as) => {
      const path = /^[a-zA-Z]\w*(\.\w+)?/.exec(as)?.[0] ?? '';
      if (!/^[a-z]\w*(\.\w+)?(\(|$| and| \(of|, )/.test(as) || /^[xf][.,(]|^x$/.test(as)) return false;
      const [first = '', second] = path.split('.');
      const value = (all as Record<string, unknown>)[first];
      return value === undefined || (second !== undefined && !(second in (value as object)));
    });
    expect(wrong).toEqual([]);
  });

  test('no name is missing that is there', () => {
    const there = entriesOf(jax).flatMap(([, entries]) =>
      entries.filter((e) => 'as' in e).map((e) => e.name),
    );
    expect([...reasons.keys()].filter((name) => there.includes(name))).toEqual([]);
  });

  test('docs/coverage.md is up to date', async () => {
    const sections = entriesOf(jax);
    const count = (of: (e: Entry) => boolean): number => sections.flatMap(([, e]) => e).filter(of).length;
    const head = [
      '# Coverage of JAX',
      `${count((e) => 'as' in e)} of the ${count(() => true)} names of these modules are here. This page is written by`,
      '`npm run names` from what the packages export; a test fails when it is not up to date. Names without a prefix are',
      "exports of `@neumann/core`; activations are `@neumann/nn`'s.",
    ];
    const page = [`${head[0]}\n\n${head.slice(1).join('\n')}`, ...sections.map(section)].join('\n\n');
    await expect(`${page}\n`).toMatchFileSnapshot('../../../docs/coverage.md');
  });
});
