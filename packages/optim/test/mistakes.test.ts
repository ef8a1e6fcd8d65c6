import { runMistakes } from '@neumann/testing';
import * as optim from '../src/index.ts';

runMistakes('optim', optim);
