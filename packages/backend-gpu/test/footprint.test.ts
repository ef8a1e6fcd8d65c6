import { runFootprint } from '@neumann/testing';
import { gpu } from '../src/index.ts';

runFootprint(await gpu({ mode: 'webasm' }), { elements: 16 });
