import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const program = join(import.meta.dirname, '../quickstart.ts');

test('the quickstart runs as it stands, learns its task, and has about thirty lines', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--conditions=@neumann/source', program], {
    encoding: 'utf8',
  });
  expect([status, stderr]).toEqual([0, '']);
  const [gradient, accuracy] = stdout.trim().split('\n');
  expect(gradient).toBe('f32[] 1');
  expect(Number(accuracy)).toBeGreaterThan(0.98);
  expect(readFileSync(program, 'utf8').split('\n').length).toBeLessThan(36);
});
