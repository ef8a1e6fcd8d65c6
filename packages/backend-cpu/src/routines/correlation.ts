import type { ConvGeometry } from '@neumann/core/backend';

/**
 * One residue class of output positions along one spatial dimension. Output `first + q step`, for q below `count`, adds
 * up the inputs at `start + q stride + t dilation`, times kernel position `taps[t]`.
 *
 * Both a convolution and its input gradient fall into such classes, one of them unless inputs or outputs are dilated:
 * within a class every output has the same taps and no zeros are multiplied.
 */
export interface Phase {
  readonly first: number;
  readonly step: number;
  readonly count: number;
  readonly taps: readonly number[];
  readonly start: number;
  readonly stride: number;
  readonly dilation: number;
}

/** A spatial dimension of a convolution, or of its input gradient. */
export interface Dimension {
  readonly input: number;
  readonly output: number;
  readonly kernel: number;
  readonly phases: readonly Phase[];
  /** Zeros that the input wants on both sides. */
  readonly low: number;
  readonly high: number;
}

/** `in = (out * outFactor + k * kernelFactor + offset) / divisor`, where that is an integer. */
interface Relation {
  readonly outFactor: number;
  readonly kernelFactor: number;
  readonly offset: number;
  readonly divisor: number;
}

/** The spatial dimensions of the convolution that computes y from x, or x from y; always three, the last ones given. */
export function dimensionsOf(target: 'x' | 'y', conv: ConvGeometry): Dimension[] {
  const given = conv.x.map((x, d) => {
    const [y = 0, kernel = 0, stride = 1] = [conv.y[d], conv.kernel[d], conv.stride[d]];
    const [padLow = 0, dilateX = 1, dilateW = 1] = [conv.padLow[d], conv.dilateX[d], conv.dilateW[d]];
    return target === 'y'
      ? dimension(x, y, kernel, {
          outFactor: stride,
          kernelFactor: dilateW,
          offset: -padLow,
          divisor: dilateX,
        })
      : dimension(y, x, kernel, {
          outFactor: dilateX,
          kernelFactor: -dilateW,
          offset: padLow,
          divisor: stride,
        });
  });
  const flat = dimension(1, 1, 1, { outFactor: 1, kernelFactor: 1, offset: 0, divisor: 1 });
  return [...Array.from({ length: Math.max(0, 3 - given.length) }, () => flat), ...given];
}

function dimension(input: number, output: number, kernel: number, relation: Relation): Dimension {
  const { outFactor, divisor } = relation;
  const step = divisor / greatestCommonDivisor(outFactor, divisor);
  const phases = Array.from({ length: Math.min(step, output) }, (_, first) =>
    phaseOf(output, kernel, relation, first, step),
  );
  const reached = phases.filter((phase) => phase.taps.length > 0);
  return {
    input,
    output,
    kernel,
    phases,
    low: Math.max(0, ...reached.map((phase) => -phase.start)),
    high: Math.max(0, ...reached.map((phase) => lastInput(phase) - (input - 1))),
  };
}

function phaseOf(output: number, kernel: number, relation: Relation, first: number, step: number): Phase {
  const { outFactor, kernelFactor, offset, divisor } = relation;
  const at = (k: number) => (first * outFactor + k * kernelFactor + offset) / divisor;
  const taps = Array.from({ length: kernel }, (_, k) => k)
    .filter((k) => Number.isInteger(at(k)))
    .sort((a, b) => at(a) - at(b));
  const [one = 0, two] = taps;
  return {
    first,
    step,
    count: Math.ceil((output - first) / step),
    taps,
    start: at(one),
    stride: (step * outFactor) / divisor,
    dilation: two === undefined ? 1 : at(two) - at(one),
  };
}

/** The input position that the last output's last tap reads. */
function lastInput({ start, count, stride, taps, dilation }: Phase): number {
  return start + (count - 1) * stride + (taps.length - 1) * dilation;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
