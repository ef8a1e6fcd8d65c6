import { cpu } from '@neumann/backend-cpu';
import { primitiveRows, runLaws } from '@neumann/testing';

runLaws(await cpu({ threads: 1 }), { rows: primitiveRows });
