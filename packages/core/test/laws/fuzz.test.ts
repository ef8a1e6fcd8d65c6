import { runFuzz } from '@neumann/testing';
import { reference } from '../../src/reference/backend.ts';

runFuzz(reference());
