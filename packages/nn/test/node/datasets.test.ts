import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { BackendError, FileError, OptionError } from '@neumann/core';
import { inWorker, listImages, readCifar, readIdx, readImages, readMnist } from '@neumann/nn/node';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'data-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const images = Uint8Array.from([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4]);
const labels = Uint8Array.from([0, 0, 8, 1, 0, 0, 0, 2, 5, 6]);

describe('files of MNIST', () => {
  test('are read, packed or not', async () => {
    await writeFile(join(folder, 'train-images-idx3-ubyte.gz'), gzipSync(images));
    await writeFile(join(folder, 'train-labels-idx1-ubyte'), labels);
    await writeFile(join(folder, 't10k-images-idx3-ubyte'), images);
    await writeFile(join(folder, 't10k-labels-idx1-ubyte.gz'), gzipSync(labels));
    const { training, test: tested } = await readMnist(folder);
    expect(training.images.shape).toEqual([2, 1, 2, 1]);
    expect(tested.labels.data).toEqual(new Uint8Array([5, 6]));
  });

  test('that are missing, damaged or do not belong together are named by their path', async () => {
    await expect(readMnist(folder)).rejects.toThrow(
      /train-(images|labels)-idx.-ubyte: there is no such file/,
    );
    const path = join(folder, 'broken.gz');
    await writeFile(path, gzipSync(images).subarray(0, 20));
    await expect(readIdx(path)).rejects.toThrow(`${path}: gunzip: the file is truncated or damaged`);
    for (const part of ['train', 't10k']) {
      await writeFile(join(folder, `${part}-images-idx3-ubyte`), images);
      await writeFile(join(folder, `${part}-labels-idx1-ubyte`), images);
    }
    await expect(readMnist(folder)).rejects.toThrow('but [N, H, W] and [N] belong together');
  });
});

test('a folder of CIFAR files is read like the archive', async () => {
  const record = new Uint8Array(3073).fill(4);
  for (const name of [
    'data_batch_1',
    'data_batch_2',
    'data_batch_3',
    'data_batch_4',
    'data_batch_5',
    'test_batch',
  ])
    await writeFile(join(folder, `${name}.bin`), record);
  const { training } = await readCifar(folder, 10);
  expect(training.images.shape).toEqual([5, 32, 32, 3]);
  await expect(readCifar(join(folder, 'none.tar.gz'), 10)).rejects.toThrow(FileError);
});

describe('image folders', () => {
  test('classes are folders; images are cropped or stretched to one size', async () => {
    for (const [name, red] of [
      ['cat', 200],
      ['ant', 100],
    ] as const) {
      await mkdir(join(folder, name));
      const picture = sharp({
        create: { width: 40, height: 20, channels: 3, background: { r: red, g: 10, b: 0 } },
      });
      await picture.png().toFile(join(folder, name, 'one.png'));
      await writeFile(join(folder, name, 'notes.txt'), 'no image');
    }
    const listed = await listImages(folder);
    expect(listed.classes).toEqual(['ant', 'cat']);
    expect(listed.labels.data).toEqual(new Int32Array([0, 1]));
    const pixels = await readImages(listed.paths, { height: 8, width: 8 });
    expect(pixels.shape).toEqual([2, 8, 8, 3]);
    expect([pixels.get(0, 3, 3, 0), pixels.get(1, 3, 3, 0), pixels.get(1, 7, 0, 1)]).toEqual([100, 200, 10]);
  });

  test('damage, bombs and empty folders are named', async () => {
    const path = join(folder, 'a.jpg');
    await writeFile(path, 'no image');
    await expect(readImages([path], { height: 8, width: 8 })).rejects.toThrow(
      `${path}: the image cannot be read`,
    );
    const large = join(folder, 'large.png');
    await sharp({ create: { width: 500, height: 500, channels: 3, background: 'white' } })
      .png()
      .toFile(large);
    await expect(readImages([large], { height: 8, width: 8, maxPixels: 1000 })).rejects.toThrow(
      /pixel limit/,
    );
    await expect(readImages([large], { height: 0, width: 8 })).rejects.toThrow(OptionError);
    await expect(listImages(folder)).rejects.toThrow('there are no images in it');
    await expect(listImages(join(folder, 'missing'))).rejects.toThrow(FileError);
  });
});

describe('data from a worker', () => {
  const moduleOf = (code: string) => new URL(`data:text/javascript,${encodeURIComponent(code)}`);

  test('arrives in order', async () => {
    const counts: unknown[] = [];
    const code =
      'export default async function* (n) { for (let i = 0; i < n; i++) yield new Float32Array([i]); }';
    for await (const item of inWorker(moduleOf(code), { argument: 4 })) counts.push(item);
    expect(counts).toEqual([0, 1, 2, 3].map((i) => new Float32Array([i])));
  });

  test('errors arrive, an early end is named, and leaving the loop ends the worker', async () => {
    const failing = moduleOf("export default function* () { yield 1; throw new TypeError('bad file'); }");
    const seen: unknown[] = [];
    await expect(
      (async () => {
        for await (const item of inWorker(failing)) seen.push(item);
      })(),
    ).rejects.toThrow('bad file');
    expect(seen).toEqual([1]);
    const dying = moduleOf('export default function* () { process.exit(3); }');
    await expect(inWorker(dying).next()).rejects.toThrow(BackendError);
    await expect(inWorker(moduleOf('export const x = 1')).next()).rejects.toThrow(
      'does not export a function default',
    );
    for await (const item of inWorker<number>(
      moduleOf('export default function* () { for (;;) yield 1; }'),
    )) {
      expect(item).toBe(1);
      break;
    }
    await expect(inWorker(failing, { ahead: 0 }).next()).rejects.toThrow(OptionError);
  });
});
