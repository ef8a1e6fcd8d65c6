import { runFootprint } from '@neumann/testing';
import { reference } from '../../src/index.ts';

runFootprint(reference(), { elements: 16 });
