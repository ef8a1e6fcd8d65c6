/** Algorithm 2's step, which the form with state and the form as a gradient transformation share. */
import {
  add,
  astype,
  logicalOr,
  multiply,
  square,
  subtract,
  sum,
  type Tensor,
  treeFlatten,
  treeStructure,
  treeUnflatten,
  where,
} from '@neumann/core';
import { checkSameStructure } from '@neumann/core/extend';
import { beside, leavesOf, sameForm } from '../trees.ts';
import { anchorCoefficients } from './anchor.ts';
import { type NeumannPhase, neumannPhase } from './phase.ts';
import type { NeumannMemory } from './state.ts';

/** Updates, the weights with them, and the memory after the step. */
export interface Advanced<P> {
  readonly updates: P;
  readonly params: P;
  readonly memory: NeumannMemory<P>;
}

/**
 * Each leaf's new m, w and u = w - v are elementwise in w, m, u, g and scalars, so one kernel can read and write them once,
 * and sum up the squares of u on the way, which make the distance ‖u‖ of the next step: seven words of memory for each weight,
 * as many as Adam. With v in the state, or without the squares, it would be more.
 */
export function advance<P>(
  op: string,
  memory: NeumannMemory<unknown>,
  params: P,
  grads: unknown,
): Advanced<P> {
  const { leaves, structure } = treeFlatten(params);
  const ws = leaves as Tensor[]; // a state's leaves are tensors
  const gs = sameForm(op, 'params', params, 'grads', grads);
  const ms = sameForm(op, 'params', params, 'momentum', memory.momentum);
  const us = sameForm(op, 'params', params, 'offset', memory.offset);
  checkSameStructure(op, 'params', structure, 'squares', treeStructure(memory.squares));

  const phase = neumannPhase(memory);
  const roles = rolesOf(memory, phase);
  const coefficients = coefficientsOf(memory, phase, ws);
  const moved = ws.map((w, i) => {
    const [m, u, g] = [ms[i] as Tensor, us[i] as Tensor, astype(gs[i] as Tensor, w.dtype)];
    const force = multiply(beside(w, coefficients[i] as Tensor), u);
    return move({ w, m, u, d: add(g, force) }, roles);
  });

  const treeOf = (key: keyof Moved): P =>
    treeUnflatten<P>(
      structure,
      moved.map((leaf) => leaf[key]),
    );
  const { displacement } = roles;
  return {
    updates: treeOf('update'),
    params: treeOf('w'),
    memory: {
      ...memory,
      count: add(memory.count, 1),
      momentum: treeOf('m'),
      offset: treeOf('u'),
      squares: treeOf('square'),
      displacement,
    },
  };
}

/** Line 9: the coefficients of w - v in d; 0 in the burn-in, and in resets but `stepReg`. */
function coefficientsOf(
  { hyper, settings, squares }: NeumannMemory<unknown>,
  phase: NeumannPhase,
  ws: readonly Tensor[],
): Tensor[] {
  const bare = settings.resetMode.value === 'stepReg' ? phase.burnIn : logicalOr(phase.burnIn, phase.reset);
  const { alpha, beta, eps } = hyper;
  const options = { alpha, beta, eps, betaCount: settings.betaCount.value, norm: settings.norm.value };
  return anchorCoefficients(ws, leavesOf(squares), options).map((c) => where(bare, 0, c));
}

/** What the phase means for every leaf. */
interface Roles {
  readonly learningRate: Tensor;
  readonly burnIn: Tensor;
  /** μ of line 10; 0 where m is forgotten. */
  readonly carry: Tensor;
  /** μ of line 11, and the displacement that it makes. */
  readonly displacement: Tensor;
  /** Whether w stays: a reset that skips. */
  readonly rests: Tensor | false;
  /** γ of line 12; 1 where v stays. */
  readonly approach: Tensor;
}

function rolesOf({ hyper, settings }: NeumannMemory<unknown>, phase: NeumannPhase): Roles {
  const { burnIn, reset, mu, learningRate } = phase;
  const rests = settings.resetMode.value === 'skip' && reset;
  const frozen = settings.burnInAnchor.value === 'frozen' && burnIn;
  return {
    learningRate,
    burnIn,
    carry: where(reset, 0, mu),
    displacement: either(rests, 0, mu),
    rests,
    // A step that rests moves w by 0, so that u would shrink: v would move.
    approach: either(rests, 1, either(frozen, 1, hyper.gamma)),
  };
}

interface Moved {
  readonly w: Tensor;
  readonly m: Tensor;
  readonly u: Tensor;
  /** ‖u‖² */
  readonly square: Tensor;
  readonly update: Tensor;
}

/** Lines 10-12 for one leaf. Line 12, v' = w' + γ (v - w'), is u' = w' - v' = γ (u + update). */
function move({ w, m, u, d }: { w: Tensor; m: Tensor; u: Tensor; d: Tensor }, roles: Roles): Moved {
  const { burnIn, rests } = roles;
  const of = (x: Tensor) => beside(w, x);
  const descent = multiply(of(roles.learningRate), d);
  const nextM = where(burnIn, 0, subtract(multiply(of(roles.carry), m), descent));
  const update = either(rests, 0, subtract(multiply(of(roles.displacement), nextM), descent));
  const nextU = multiply(of(roles.approach), add(u, update));
  return { w: add(w, update), m: nextM, u: nextU, square: sum(square(nextU)), update };
}

/** `where` with a condition that may be known to be false. */
const either = (condition: Tensor | false, x: Tensor | number, y: Tensor): Tensor =>
  condition ? where(condition, x, y) : y;
