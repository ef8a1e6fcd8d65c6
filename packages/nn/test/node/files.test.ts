import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeAtomically } from '@neumann/nn/node';
import { afterAll, expect, test } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'neumann-files-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('a file is replaced as a whole', async () => {
  const path = join(folder, 'a.txt');
  await writeAtomically(path, 'one');
  await writeAtomically(path, 'two');
  expect(readFileSync(path, 'utf8')).toBe('two');
  expect(readdirSync(folder)).toEqual(['a.txt']);
});

test('a write that fails leaves nothing behind', async () => {
  const path = join(folder, 'taken');
  mkdirSync(join(path, 'inside'), { recursive: true }); // a folder is in the way of the rename
  await expect(writeAtomically(path, 'content')).rejects.toThrow('EISDIR');
  expect(existsSync(join(path, 'inside'))).toBe(true);
  expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});
