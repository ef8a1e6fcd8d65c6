import { cpu } from '@neumann/backend-cpu';
import { runFuzz } from '@neumann/testing';

runFuzz(await cpu(), { runs: 2000, dtypes: ['float64'] });
