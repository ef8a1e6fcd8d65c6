/** ResNet-20 with augmentation on CIFAR-10, or on digits where there is none. `node scripts/up.mjs example cifar`. */
import { colorJitter, normalizeImages, randomCrop, randomFlip } from '@neumann/nn';
import { hostArray, type LabelledImages } from '@neumann/nn/data';
import { cifarResnet } from '@neumann/nn/models';
import { readCifar } from '@neumann/nn/node';
import type { Images } from '../mnist/data.ts';
import { loadDigits } from '../mnist/loadDigits.ts';
import { runCommand } from '../shared/command.ts';
import { runImageProgram } from '../shared/imageProgram.ts';

const side = 32;

/** Digits of 28 × 28 grey levels in the middle of images of 32 × 32 in three equal channels. */
function asCifar({ pixels, labels }: Images): LabelledImages {
  const n = labels.length;
  const images = new Uint8Array(n * side * side * 3);
  for (let i = 0; i < n; i++)
    for (let y = 0; y < 28; y++)
      for (let x = 0; x < 28; x++) {
        const at = 3 * ((i * side + y + 2) * side + x + 2);
        images.fill(pixels[(i * 28 + y) * 28 + x] as number, at, at + 3);
      }
  return { images: hostArray(images, [n, side, side, 3]), labels: hostArray(labels, [n]) };
}

await runCommand('cifar', (args) => {
  // Digits must not be mirrored.
  const isCifar = args.some((arg) => arg === '--data' || arg.startsWith('--data='));
  return runImageProgram(
    {
      name: 'cifar',
      about: `Trains ResNet-20 (He et al. 2015, section 4.2) with augmentation.

--data is cifar-10-binary.tar.gz from https://www.cs.toronto.edu/~kriz/cifar.html, or a folder with its .bin files. Without
it, the network learns the 10,000 digits that the package mnist ships, as images of 32 × 32.`,
      model: cifarResnet({ depth: 20 }),
      prepare: (images, key) => {
        if (!key)
          return normalizeImages(images, { mean: [0.491, 0.482, 0.447], stddev: [0.247, 0.243, 0.262] });
        const moved = randomCrop(key, isCifar ? randomFlip(key, images) : images, {
          padding: isCifar ? 4 : 2,
        });
        const seen = colorJitter(key, moved, { brightness: 0.1, contrast: 0.1 });
        return normalizeImages(seen, { mean: [0.491, 0.482, 0.447], stddev: [0.247, 0.243, 0.262] });
      },
      epochs: isCifar ? 60 : 3,
      batch: 128,
      async load(path) {
        if (path !== undefined) return readCifar(path, 10);
        console.log('no --data: training on the digits of the package mnist');
        const { training, test } = await loadDigits();
        return { training: asCifar(training), test: asCifar(test) };
      },
    },
    args,
  );
});
