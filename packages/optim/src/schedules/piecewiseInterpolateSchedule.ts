import {
  add,
  clip,
  cos,
  divide,
  less,
  multiply,
  OptionError,
  subtract,
  type Tensor,
  where,
} from '@neumann/core';
import { checkOptions, finite, oneOf, required } from '../options.ts';
import type { Schedule } from '../protocol.ts';
import { beside, scalarOf } from '../trees.ts';
import { schedule } from './schedule.ts';

/** Options of {@link piecewiseInterpolateSchedule}. */
export interface PiecewiseInterpolateOptions {
  /** Whether values are joined by lines or by half cosines. */
  readonly interpolateType: 'linear' | 'cosine';
  readonly initValue: number;
  /** Step to factor: the value at that step is the one before times the factor. */
  readonly boundariesAndScales?: Readonly<Record<number, number>>;
}

/**
 * Values at given steps, joined by lines or half cosines; the last is kept.
 *
 * @throws {OptionError} for options that are unknown, missing or out of range.
 * @example
 * const rate = piecewiseInterpolateSchedule({
 *   interpolateType: 'linear', initValue: 1, boundariesAndScales: { 10: 3, 20: 0.5 },
 * });
 * rate(tensor(15)).item()   // 2.25
 */
export function piecewiseInterpolateSchedule(options: PiecewiseInterpolateOptions): Schedule {
  const op = 'piecewiseInterpolateSchedule';
  checkOptions(op, options, {
    interpolateType: required(oneOf('linear', 'cosine')),
    initValue: required(finite),
    boundariesAndScales: {
      allows: (x) => typeof x === 'object' && x !== null,
      range: 'an object of steps and factors',
    },
  });
  const { interpolateType, initValue, boundariesAndScales = {} } = options;
  const knots = Object.entries(boundariesAndScales).map(([step, factor]) => ({ step: Number(step), factor }));
  for (const { step, factor } of knots)
    if (!(Number.isInteger(step) && step >= 1 && Number.isFinite(factor)))
      throw new OptionError(
        `${op}: boundariesAndScales has ${step}: ${factor}, but takes steps of at least 1 and finite factors.`,
      );
  knots.sort((a, b) => a.step - b.step);
  const points = [{ step: 0, value: initValue }];
  for (const { step, factor } of knots) points.push({ step, value: (points.at(-1)?.value ?? 0) * factor });
  const weight = (t: Tensor): Tensor =>
    interpolateType === 'linear' ? t : multiply(0.5, subtract(1, cos(multiply(t, Math.PI))));
  return schedule((count) =>
    points.slice(1).reduceRight<Tensor>(
      (later, { step, value }, i) => {
        const from = points[i] as (typeof points)[0];
        const t = clip(divide(subtract(count, from.step), step - from.step), { min: 0, max: 1 });
        const here = add(beside(count, from.value), multiply(value - from.value, weight(t)));
        return where(less(count, step), here, later);
      },
      scalarOf((points.at(-1) as (typeof points)[0]).value, count.dtype),
    ),
  );
}
