import { showAval } from '../aval.ts';
import { type DType, isFloat } from '../dtype.ts';
import { OptionError, ShapeError } from '../errors.ts';
import { checkOptions, type ShapeLike, show, toShape } from '../ops/check.ts';
import { operand, type TensorLike } from '../ops/convert.ts';
import { convert } from '../primitives/arithmetic.ts';
import { broadcastTo } from '../primitives/movement.ts';
import { scalar } from '../primitives/pointwise.ts';
import { broadcastShapes, sameShape } from '../shape.ts';
import { Tensor } from '../tensor.ts';
import { checkFloat, type SampleOptions } from './base.ts';

/** Parameters of a distribution, each of the shape of the result and of its dtype. */
export interface Drawn {
  readonly values: Tensor[];
  readonly shape: number[];
  readonly dtype: DType;
}

/**
 * Parameters as tensors.
 *
 * @param shape That to which they broadcast by default.
 * @throws {ShapeError} if one does not broadcast to `shape`. {DTypeError} unless the dtype is a float. {OptionError} if a
 *   number is not positive, where it has to be.
 */
export function parameters(
  name: string,
  given: Readonly<Record<string, TensorLike>>,
  shape: ShapeLike | undefined,
  options: SampleOptions,
  positive: readonly string[] = Object.keys(given),
): Drawn {
  const op = `random.${name}`;
  checkOptions(op, options, ['dtype']);
  for (const [parameter, value] of Object.entries(given))
    if (typeof value === 'number' && !(positive.includes(parameter) ? value > 0 : !Number.isNaN(value)))
      throw new OptionError(
        `${op}: ${parameter} is a ${positive.includes(parameter) ? 'positive ' : ''}number, but got ${show(value)}.`,
      );
  const tensors = Object.values(given).map((x) => operand(op, x));
  const dtype = options.dtype ?? floatOf(Object.values(given));
  checkFloat(name, dtype);
  const target =
    shape === undefined ? broadcastShapes(op, ...tensors.map((x) => x.shape)) : toShape(op, shape);
  for (const x of tensors)
    if (!sameShape(broadcastShapes(op, x.shape, target), target))
      throw new ShapeError(
        `${op}: a parameter ${showAval(x.aval)} does not broadcast to the shape [${target}].`,
      );
  return { values: tensors.map((x) => broadcastTo(convert(x, dtype), target)), shape: target, dtype };
}

/** The dtype of the first float tensor. */
function floatOf(given: readonly TensorLike[]): DType {
  const found = given.find((x) => x instanceof Tensor && isFloat(x.dtype));
  return found instanceof Tensor ? found.dtype : 'float32';
}

/** A constant of the dtype of a tensor. */
export const like = (x: Tensor, value: number): Tensor => scalar(value, x.dtype);

/** The distance from 1 to the next number. */
export const epsilon = (dtype: DType): number => (dtype === 'float32' ? 2 ** -23 : 2 ** -52);
