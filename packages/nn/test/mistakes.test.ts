import { runMistakes } from '@neumann/testing';
import * as nn from '../src/index.ts';

runMistakes('nn', nn);
