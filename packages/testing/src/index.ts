export { checkGradients, differenceTolerance, type GradientOptions } from './checkGradients.ts';
export { difference, type ErrorModel, ulp, unitRoundoff } from './compare.ts';
export { download, type HostTensor, showHost, stack, upload } from './host.ts';
export { law } from './law.ts';
export { type Law, laws, primitivesOf } from './laws.ts';
export { draw, type Form, type Operand, type Row, Sample } from './row.ts';
export { primitiveRows } from './rows/primitives.ts';
export { runLaws, type Skip, type SuiteOptions } from './runLaws.ts';
