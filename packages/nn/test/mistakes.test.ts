import { runMistakes } from '@neumann/testing';
import * as data from '../src/data.ts';
import * as nn from '../src/index.ts';
import * as models from '../src/models.ts';

runMistakes('nn', nn);
runMistakes('models', models);
runMistakes('data', data);
