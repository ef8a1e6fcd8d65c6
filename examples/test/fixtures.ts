/** The files that examples in the docs read: small, but of the real formats. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { encodeNpz, hostArray } from '@neumann/nn/data';
import sharp from 'sharp';

export async function writeFixtures(folder: string): Promise<void> {
  const write = (name: string, content: string | Uint8Array) => writeFileSync(join(folder, name), content);
  const images = gzipSync(Uint8Array.from([0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 7]));
  const labels = gzipSync(Uint8Array.from([0, 0, 8, 1, 0, 0, 0, 1, 7]));
  mkdirSync(join(folder, 'fashion-mnist'));
  for (const part of ['train', 't10k']) {
    write(`fashion-mnist/${part}-images-idx3-ubyte.gz`, images);
    write(`fashion-mnist/${part}-labels-idx1-ubyte.gz`, labels);
  }
  write('train-images-idx3-ubyte.gz', images);
  write(
    'data.npz',
    encodeNpz({ x: hostArray(new Float32Array(2), [2]), y: hostArray(new Float32Array(2), [2]) }),
  );
  mkdirSync(join(folder, 'cifar-10-batches-bin'));
  for (const name of [
    'data_batch_1',
    'data_batch_2',
    'data_batch_3',
    'data_batch_4',
    'data_batch_5',
    'test_batch',
  ])
    write(`cifar-10-batches-bin/${name}.bin`, new Uint8Array(3073));
  mkdirSync(join(folder, 'imagenet/train/cat'), { recursive: true });
  const picture = sharp({ create: { width: 8, height: 8, channels: 3, background: 'white' } });
  await picture.jpeg().toFile(join(folder, 'imagenet/train/cat/1.jpg'));
  write('loader.ts', 'export default function* ({ folder }) { yield { folder }; }\n');
}
