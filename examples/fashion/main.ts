/** Fashion-MNIST: 70,000 images of clothes. `node scripts/up.mjs example fashion`. */
import { existsSync } from 'node:fs';
import { normalizeImages, randomCrop, randomFlip } from '@neumann/nn';
import { smallCnn } from '@neumann/nn/models';
import { readMnist } from '@neumann/nn/node';
import { ExpectedError, runCommand } from '../shared/command.ts';
import { runImageProgram } from '../shared/imageProgram.ts';

/** Where Debian's package puts the files. */
const debian = '/usr/share/datasets/fashion-mnist';

await runCommand('fashion', (args) =>
  runImageProgram(
    {
      name: 'fashion',
      about: `Trains a small convolutional network on Fashion-MNIST (Xiao et al. 2017).

The files: Debian's package dataset-fashion-mnist (apt-get install dataset-fashion-mnist), or the four .gz files of
https://github.com/zalandoresearch/fashion-mnist in a folder that --data names.`,
      model: smallCnn({ classes: 10, width: 24 }),
      prepare: (images, key) => {
        const seen = key ? randomCrop(key, randomFlip(key, images), { padding: 2 }) : images;
        return normalizeImages(seen, { mean: [0.286], stddev: [0.353] });
      },
      epochs: 6,
      batch: 128,
      load: (path) => {
        if (path === undefined && !existsSync(debian))
          throw new ExpectedError(
            'the images are not here; install them with "apt-get install dataset-fashion-mnist", or download the four .gz files ' +
              'of https://github.com/zalandoresearch/fashion-mnist into a folder and give it with --data <folder>',
          );
        return readMnist(path ?? debian);
      },
    },
    args,
  ),
);
