import { type Aval, showAval } from '../aval.ts';
import type { DType } from '../dtype.ts';
import { InternalError } from '../errors.ts';
import {
  binaryFunctions,
  compareFunctions,
  isBitcastable,
  isNumberOf,
  unaryFunctions,
} from '../reference/scalar.ts';
import { type Shape, sizeOf } from '../shape.ts';
import { nodesOf } from './expr.ts';
import type { ConvGeometry, Expr, Kernel, Reduction, Routine, WindowGeometry } from './kernel.ts';

/**
 * Throws unless the kernel is well-formed. What passes has a meaning (`reference/interpret.ts`), provided that
 * unguarded indices stay in range.
 */
export function checkKernel(kernel: Kernel): void {
  const { name, axes, reduceAxes, reductions, outputs } = kernel;
  const fail: Fail = (what) => {
    throw new InternalError(`kernel ${name}: ${what}.`);
  };
  for (const [what, shape] of [
    ['axes', axes],
    ['reduceAxes', reduceAxes],
    ...kernel.inputs.map((aval, i) => [`the shape of input ${i}`, aval.shape] as const),
  ] as const)
    if (!shape.every(isCount)) fail(`${what} [${shape.join(',')}] must hold non-negative integers`);
  if (outputs.length === 0) fail('it has no output');
  if (reductions.length === 0 && reduceAxes.length > 0) fail('it has reduceAxes but no reduction');
  for (const [i, { op, value }] of reductions.entries()) {
    const nodes = nodesOf([value]);
    for (const node of nodes) checkNode(node, kernel, fail);
    if (nodes.some((node) => node.kind === 'acc')) fail(`reduction ${i} reads acc, which only outputs may`);
    checkReduction(i, op, value.dtype, reduceAxes, fail);
  }
  for (const node of nodesOf(outputs)) {
    checkNode(node, kernel, fail);
    if (node.kind === 'coord' && node.axis >= axes.length)
      fail(`an output reads coord ${node.axis}, which is a reduce axis; only reductions may`);
  }
  if (kernel.routine) checkRoutine(kernel, kernel.routine, fail);
}

export type Fail = (what: string) => never;

/* ---- Kernels ---- */

function checkNode(node: Expr, kernel: Kernel, fail: Fail): void {
  const { inputs, axes, reduceAxes, reductions } = kernel;
  const want = (what: string, x: Expr, dtype: DType): void => {
    if (x.dtype !== dtype) fail(`${what} must be ${dtype}, but is ${x.dtype}`);
  };
  switch (node.kind) {
    case 'const':
      if (!isNumberOf(node.dtype, node.value))
        fail(`the constant ${node.value} is not a number of ${node.dtype}`);
      return;
    case 'coord': {
      const rank = axes.length + reduceAxes.length;
      if (!isCount(node.axis) || node.axis >= rank)
        fail(`coord ${node.axis} is out of range: there are ${rank} axes`);
      want(`coord ${node.axis}`, node, 'int32');
      return;
    }
    case 'load': {
      const aval = inputs[node.input] ?? fail(`load ${node.input}: there are ${inputs.length} inputs`);
      const what = `load ${node.input} ${showAval(aval)}`;
      want(what, node, aval.dtype);
      if (node.index.length !== aval.shape.length)
        fail(`${what} has ${node.index.length} indices; it needs one for each axis`);
      for (const [axis, index] of node.index.entries()) want(`${what}: index ${axis}`, index, 'int32');
      if (node.guard) want(`${what}: the guard`, node.guard, 'bool');
      return;
    }
    case 'unary':
      if (!unaryFunctions[node.dtype][node.op]) fail(`${node.op} is not defined for ${node.dtype}`);
      want(`${node.op}: the operand`, node.x, node.dtype);
      return;
    case 'binary':
      if (!binaryFunctions[node.dtype][node.op]) fail(`${node.op} is not defined for ${node.dtype}`);
      want(`${node.op}: the left operand`, node.x, node.dtype);
      want(`${node.op}: the right operand`, node.y, node.dtype);
      return;
    case 'compare':
      if (!compareFunctions[node.op]) fail(`${node.op} is no comparison`);
      want(`${node.op}: the result`, node, 'bool');
      want(`${node.op}: the right operand`, node.y, node.x.dtype);
      return;
    case 'select':
      want('select: the condition', node.cond, 'bool');
      want('select: the first branch', node.x, node.dtype);
      want('select: the second branch', node.y, node.dtype);
      return;
    case 'cast':
      return;
    case 'bitcast':
      for (const { dtype } of [node, node.x])
        if (!isBitcastable(dtype))
          fail(`bitcast is not defined for ${dtype}, only for float32, int32 and uint32`);
      return;
    case 'acc': {
      const { op, value } =
        reductions[node.index] ?? fail(`acc ${node.index}: there are ${reductions.length} reductions`);
      want(`acc ${node.index}`, node, op === 'argmax' || op === 'argmin' ? 'int32' : value.dtype);
      return;
    }
    default:
      node satisfies never;
  }
}

function checkReduction(i: number, op: Reduction['op'], dtype: DType, reduceAxes: Shape, fail: Fail): void {
  if ((op === 'add' || op === 'mul') && dtype === 'bool')
    fail(`reduction ${i}: ${op} is not defined for bool`);
  if ((op === 'argmax' || op === 'argmin') && sizeOf(reduceAxes) === 0)
    fail(`reduction ${i}: ${op} over no elements`);
}

/**
 * A routine has one output, and operands and a result as large as its parameters say; one parameter may stand for several
 * axes. A matmul or conv may have an epilogue: more inputs and outputs. A windowMax has the results of its reductions.
 */
function checkRoutine({ inputs, axes, outputs, reductions }: Kernel, routine: Routine, fail: Fail): void {
  const { operands, result } = signatureOf(routine);
  const dtype = inputs[0]?.dtype as DType;
  const hasEpilogue = (routine.name === 'matmul' || routine.name === 'conv') && reductions.length === 1;
  const isMax = routine.name === 'windowMax';
  if (outputs.length !== 1 && !hasEpilogue && !isMax)
    fail(`${routine.name} has ${outputs.length} outputs; a routine has one`);
  if (inputs.length < operands.length || (inputs.length > operands.length && !hasEpilogue))
    fail(`${routine.name} takes ${operands.length} inputs, but there are ${inputs.length}`);
  const check = (what: string, got: Aval, { shape, role }: Operand): void => {
    const want = { shape, dtype: role === 'position' ? ('int32' as const) : dtype };
    if (got.dtype !== want.dtype || sizeOf(got.shape) !== sizeOf(shape))
      fail(`${routine.name}: ${what} must be ${showAval(want)}, but is ${showAval(got)}`);
  };
  for (const [i, operand] of operands.entries()) check(`input ${i}`, inputs[i] as Aval, operand);
  const made = hasEpilogue ? reductions.map(({ value }) => value) : outputs;
  for (const output of made) {
    const isPosition = isMax && output.kind === 'acc' && isArg(reductions[output.index]?.op);
    const { shape, role } = result;
    check(
      'the result',
      { shape: axes, dtype: output.dtype },
      { shape, role: isPosition ? 'position' : role },
    );
  }
}

const isArg = (op: Kernel['reductions'][number]['op'] | undefined): boolean =>
  op === 'argmax' || op === 'argmin';

interface Operand {
  readonly shape: Shape;
  /** Values share the dtype of input 0; positions are int32. */
  readonly role: 'value' | 'position';
}

function signatureOf(routine: Routine): { operands: readonly Operand[]; result: Operand } {
  const value = (...shape: Shape): Operand => ({ shape, role: 'value' });
  const position = (...shape: Shape): Operand => ({ shape, role: 'position' });
  switch (routine.name) {
    case 'matmul': {
      const { batch, m, n, k, transposeX, transposeY } = routine;
      const x = transposeX ? value(batch, k, m) : value(batch, m, k);
      const y = transposeY ? value(batch, n, k) : value(batch, k, n);
      return { operands: [x, y], result: value(batch, m, n) };
    }
    case 'conv': {
      const operands = convOperands(routine.conv, value);
      const target = ['x', 'w', 'y'].indexOf(routine.target);
      return { operands: operands.filter((_, i) => i !== target), result: operands[target] as Operand };
    }
    case 'windowSum': {
      const { x, y } = windowOperands(routine.window, value);
      return routine.target === 'y' ? { operands: [x], result: y } : { operands: [y], result: x };
    }
    case 'windowMax': {
      const { x, y } = windowOperands(routine.window, value);
      return { operands: [x], result: y };
    }
    case 'windowGather': {
      const { x, y } = windowOperands(routine.window, value);
      const positions = windowOperands(routine.window, position).y;
      return routine.target === 'y'
        ? { operands: [x, positions], result: y }
        : { operands: [y, positions], result: x };
    }
    case 'gather':
    case 'scatterAdd': {
      const { outer, rows, count, inner } = routine;
      const [x, y] = [value(outer, rows, inner), value(outer, count, inner)];
      return routine.name === 'gather'
        ? { operands: [x, position(count)], result: y }
        : { operands: [y, position(count)], result: x };
    }
    default:
      return routine satisfies never;
  }
}

function convOperands(g: ConvGeometry, of: (...shape: Shape) => Operand): Operand[] {
  return [of(g.n, ...g.x, g.c), of(...g.kernel, g.c / g.groups, g.f), of(g.n, ...g.y, g.f)];
}

function windowOperands(g: WindowGeometry, of: (...shape: Shape) => Operand): { x: Operand; y: Operand } {
  return { x: of(g.n, ...g.x, g.c), y: of(g.n, ...g.y, g.c) };
}

export function isCount(n: number): boolean {
  return Number.isInteger(n) && n >= 0;
}
