import { add, clip, divide, multiply, OptionError, subtract, Tensor } from '@neumann/core';
import { belowOne, checkOptions, oneOf, positive, required } from '../options.ts';
import type { Scalar, Schedule } from '../protocol.ts';
import { schedule } from '../schedules/schedule.ts';
import { beside } from '../trees.ts';

/** A form of μ(t), t = 1, 2, … */
export type NeumannMomentum =
  | {
      /** `'clip'`: 1 - 1/(1 + t/tau) clipped to [min, max]; `'affine'`: from min towards max as 1 - 1/(1 + (t-1)/tau). */
      readonly kind: 'clip' | 'affine';
      /** Unit of time, in steps; 1 (the paper's literal formula, at its maximum nine steps after the burn-in). */
      readonly tau?: Scalar;
      /** 0.5. */
      readonly min?: Scalar;
      /** 0.9. */
      readonly max?: Scalar;
    }
  | { readonly kind: 'constant'; readonly value: Scalar };

/**
 * μ(t) of the Neumann optimizer as a schedule of t = 1, 2, … (Table 1: "μ ∝ 1 - 1/(1+t), starting at 0.5 and peaking at
 * 0.9"; 1 - 1/(1+t) is 0.5 at t = 1 and 0.9 at t = 9).
 *
 * The form follows from λmax growing linearly and λmin staying constant during training (Section 3.1 and Appendix A),
 * which gives a time scale; `tau` is that scale.
 *
 * @throws {OptionError} for unknown or missing options and values out of range.
 * @example
 * neumannMomentum({ kind: 'clip', tau: 1, min: 0.5, max: 0.9 })(tensor(4)).item()   // 0.8
 */
export function neumannMomentum(form: NeumannMomentum): Schedule {
  checkForm('neumannMomentum', form);
  return schedule((t) => {
    if (form.kind === 'constant') return form.value;
    const { tau = 1, min = 0.5, max = 0.9 } = form;
    const [scale, low, high] = [beside(t, tau), beside(t, min), beside(t, max)];
    if (form.kind === 'clip') return clip(rise(t, scale), { min: low, max: high });
    return add(low, multiply(subtract(high, low), rise(subtract(t, 1), scale)));
  });
}

/** 1 - 1/(1 + t/tau) */
const rise = (t: Tensor, tau: Tensor): Tensor => subtract(1, divide(1, add(1, divide(t, tau))));

/** @throws {OptionError} unless `mu` is a number in [0, 1), a scalar tensor, a schedule or a {@link NeumannMomentum}. */
export function checkMomentum(op: string, mu: unknown): void {
  if (typeof mu === 'object' && mu !== null && !(mu instanceof Tensor)) checkForm(`${op}: mu`, mu);
  else if (typeof mu !== 'function' && !belowOne.allows(mu))
    throw new OptionError(
      `${op}: mu must be ${belowOne.range}, a schedule, or { kind: 'clip' | 'affine' | 'constant', … }, but is ${String(mu)}.`,
    );
}

function checkForm(op: string, form: unknown): void {
  const kind = required(oneOf('clip', 'affine', 'constant'));
  const isConstant = typeof form === 'object' && form !== null && 'kind' in form && form.kind === 'constant';
  checkOptions<object>(
    op,
    form as object,
    isConstant ? { kind, value: required(belowOne) } : { kind, tau: positive, min: belowOne, max: belowOne },
  );
}
