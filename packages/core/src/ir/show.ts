import { showAval } from '../aval.ts';
import { type DType, dtypeInfo } from '../dtype.ts';
import { nodesOf, operandsOf } from './expr.ts';
import type { BinaryOp, CompareOp, Expr, Kernel } from './kernel.ts';
import { type Place, type Plan, type Step, stepName } from './plan.ts';

/**
 * A kernel for people to read: i, j, … are the parallel coordinates, r, s, … those of the reduce axes, `in0[i, j]` is
 * a load, and what is used more than once has a line of its own:
 *
 *     kernel meanSquare [32] over [10] (f32[32,10])
 *       %0 = in0[i, r]
 *       acc0 f32 = add %0 * %0
 *       out f32 = acc0 / 10
 */
export function showKernel(kernel: Kernel): string {
  const { name, inputs, axes, reduceAxes, reductions, outputs, routine } = kernel;
  const roots = [...reductions.map((r) => r.value), ...outputs];
  const uses = new Map<Expr, number>();
  const nodes = nodesOf(roots);
  for (const operand of [...nodes.flatMap(operandsOf), ...roots])
    uses.set(operand, (uses.get(operand) ?? 0) + 1);

  const lines: string[] = [];
  const shown = new Map<Expr, Text>();
  for (const node of nodes) {
    const text = textOf(
      node,
      operandsOf(node).map((x) => shown.get(x) as Text),
      axes.length,
    );
    const own = operandsOf(node).length > 0 && ((uses.get(node) ?? 0) > 1 || text.text.length > LONG);
    if (own) lines.push(`%${lines.length} = ${text.text}`);
    shown.set(node, own ? { text: `%${lines.length - 1}`, infix: false } : text);
  }
  const show = (node: Expr): string => shown.get(node)?.text ?? '';
  for (const [i, { op, value }] of reductions.entries())
    lines.push(
      `acc${i} ${op.startsWith('arg') ? 'i32' : dtypeInfo(value.dtype).short} = ${op} ${show(value)}`,
    );
  for (const [i, output] of outputs.entries())
    lines.push(`out${outputs.length > 1 ? i : ''} ${dtypeInfo(output.dtype).short} = ${show(output)}`);
  const over = reductions.length > 0 ? ` over [${reduceAxes.join(',')}]` : '';
  const head = `kernel ${name} [${axes.join(',')}]${over} (${inputs.map(showAval).join(', ')})`;
  return [head + (routine ? ` as ${routine.name}` : ''), ...lines.map((line) => `  ${line}`)].join('\n');
}

/**
 * A plan for people to read: the steps with the slots they read and write, and where each slot lies:
 *
 *     plan (s0 f32[320] = argument 0) arena 1280
 *       s1 f32[320] in arena at 0 = relu(s0)
 *       s2 f32[32] new = sum(s1)
 *       s3 f32[32] new = host sort(s2)
 *       return s3
 *
 * The steps of loops and branches stand under a line that says how they run.
 */
export function showPlan(plan: Plan): string {
  const slot = (i: number): string => {
    const found = plan.slots[i];
    return found
      ? `s${i} ${showAval({ dtype: found.dtype, shape: [found.size] })}${wherePlaced(found.place)}`
      : `s${i}?`;
  };
  const names = (slots: readonly number[]): string => slots.map((i) => `s${i}`).join(', ');
  const block = (steps: readonly Step[]): string[] => steps.flatMap(lines).map((line) => `  ${line}`);
  const lines = (step: Step): string[] => {
    switch (step.kind) {
      case 'kernel':
      case 'host': {
        const work = step.kind === 'host' ? `host ${stepName(step)}` : stepName(step);
        return [`${step.outputs.map(slot).join(', ')} = ${work}(${names(step.inputs)})`];
      }
      case 'loop':
        return [`loop ${step.length} (${step.rows.map(slot).join(', ')})`, ...block(step.body)];
      case 'while':
        return ['while', ...block(step.condition), `do if s${step.predicate}`, ...block(step.body)];
      case 'branch':
        return step.branches.flatMap((branch, b) => [`branch s${step.index} == ${b}`, ...block(branch)]);
      default:
        return step satisfies never;
    }
  };
  return [
    `plan (${plan.inputs.map(slot).join(', ')}) arena ${plan.arenaBytes}`,
    ...plan.steps.flatMap(lines).map((line) => `  ${line}`),
    `  return ${names(plan.outputs)}`,
  ].join('\n');
}

/** A line longer than this is broken: the expression that made it so gets a name. */
const LONG = 72;

interface Text {
  readonly text: string;
  /** Needs parentheses as an operand of another operator. */
  readonly infix: boolean;
}

function textOf(node: Expr, operands: readonly Text[], rank: number): Text {
  const call = (f: string): Text => ({
    text: `${f}(${operands.map((x) => x.text).join(', ')})`,
    infix: false,
  });
  const infix = (operator: string, sides: readonly (Text | undefined)[] = operands): Text => ({
    text: sides.map((x) => (x?.infix ? `(${x.text})` : x?.text)).join(` ${operator} `),
    infix: true,
  });
  const leaf = (text: string): Text => ({ text, infix: false });
  switch (node.kind) {
    case 'const':
      return leaf(node.dtype === 'bool' ? String(node.value === 1) : showNumber(node.value, node.dtype));
    case 'coord':
      return leaf(
        node.axis < rank ? axisName('ijklmnopq', node.axis) : axisName('rstuvwxyz', node.axis - rank),
      );
    case 'acc':
      return leaf(`acc${node.index}`);
    case 'load': {
      const index = operands.slice(0, node.index.length).map((x) => x.text);
      return leaf(`in${node.input}[${index.join(', ')}${node.guard ? ` if ${operands.at(-1)?.text}` : ''}]`);
    }
    case 'unary':
      return call(node.op);
    case 'binary':
    case 'compare': {
      const [x] = operands;
      if (node.op === 'add' && node.y.kind === 'const' && node.y.value < 0)
        return infix('-', [x, leaf(showNumber(-node.y.value, node.dtype))]);
      const operator = operators[node.op];
      return operator ? infix(operator) : call(node.op);
    }
    case 'select':
      return call('select');
    case 'cast':
      return call(dtypeInfo(node.dtype).short);
    case 'bitcast':
      return call(`bits.${dtypeInfo(node.dtype).short}`);
    default:
      return node satisfies never;
  }
}

/** The shortest decimal that reads back as the same number of the dtype. */
function showNumber(value: number, dtype: DType): string {
  if (Object.is(value, -0)) return '-0';
  if (dtype !== 'float32' || Number.isInteger(value)) return String(value);
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return String(short);
  }
  return String(Number(value.toPrecision(9)));
}

const operators: Partial<Record<BinaryOp | CompareOp, string>> = {
  add: '+',
  sub: '-',
  mul: '*',
  div: '/',
  rem: '%',
  and: '&',
  or: '|',
  xor: '^',
  shl: '<<',
  shr: '>>',
  eq: '==',
  ne: '!=',
  lt: '<',
  le: '<=',
};

function axisName(letters: string, axis: number): string {
  return letters[axis] ?? `${letters[0]}${axis}`;
}

function wherePlaced(place: Place): string {
  switch (place.kind) {
    case 'input':
      return ` = argument ${place.index}`;
    case 'output':
      return ' new';
    case 'donated':
      return ` in argument ${place.index}`;
    case 'arena':
      return ` in arena at ${place.offset}`;
    case 'row':
      return ` = ${place.reverse ? 'last to first ' : ''}row of s${place.of}`;
    default:
      return place satisfies never;
  }
}
