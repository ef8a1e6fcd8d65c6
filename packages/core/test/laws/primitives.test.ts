import { primitiveRows, runLaws } from '@neumann/testing';
import { reference } from '../../src/reference/backend.ts';

runLaws(reference(), { rows: primitiveRows });
