import { runMistakes } from '@neumann/testing';
import * as core from '../src/index.ts';

// showAval only shows what is a shape and dtype.
runMistakes('core', core, ['setBackend', 'showAval']);
runMistakes('core, random', core.random);
runMistakes('core, linalg', core.linalg);
runMistakes('core, fft', core.fft);
runMistakes('core, image', core.image);
