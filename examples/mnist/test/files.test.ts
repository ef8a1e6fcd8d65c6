import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { writeAtomically } from '../files.ts';

const folder = mkdtempSync(join(tmpdir(), 'neumann-files-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('a file is replaced as a whole', () => {
  const path = join(folder, 'a.txt');
  writeAtomically(path, 'one');
  writeAtomically(path, 'two');
  expect(readFileSync(path, 'utf8')).toBe('two');
  expect(readdirSync(folder)).toEqual(['a.txt']);
});

test('a write that fails leaves nothing behind', () => {
  const path = join(folder, 'taken');
  mkdirSync(join(path, 'inside'), { recursive: true }); // a folder is in the way of the rename
  expect(() => writeAtomically(path, 'content')).toThrow('EISDIR');
  expect(existsSync(join(path, 'inside'))).toBe(true);
  expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});
