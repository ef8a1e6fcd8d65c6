import { runMistakes } from '@neumann/testing';
import * as optim from '../src/index.ts';
import { optimizers } from './optimizers.ts';

runMistakes('optim', optim);

for (const { name, rate, make } of optimizers) {
  const { init, update } = make(rate ?? 0.1);
  runMistakes(name, { init, update });
}
