/** Algorithm 2's step, which the form with state and the form as a gradient transformation share. */
import {
  add,
  astype,
  logicalOr,
  multiply,
  subtract,
  type Tensor,
  treeFlatten,
  treeUnflatten,
  where,
} from '@neumann/core';
import { beside, sameForm } from '../trees.ts';
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
 * Each leaf's new m, w and v are elementwise in w, m, v, g and scalars, so one kernel can read and write them once;
 * before that comes one reduction for each leaf, the distance ‖w - v‖.
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
  const vs = sameForm(op, 'params', params, 'anchor', memory.anchor);

  const phase = neumannPhase(memory);
  const roles = rolesOf(memory, phase);
  const coefficients = coefficientsOf(memory, phase, ws, vs);
  const moved = ws.map((w, i) => {
    const [m, v, g] = [ms[i] as Tensor, vs[i] as Tensor, astype(gs[i] as Tensor, w.dtype)];
    // v - w, where the norm has w - v: two expressions, so that jit computes each in place and stores no difference.
    const force = multiply(beside(w, coefficients[i] as Tensor), subtract(v, w));
    return move({ w, m, v, d: subtract(g, force) }, roles);
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
      anchor: treeOf('v'),
      displacement,
    },
  };
}

/** Line 9: the coefficients of w - v in d; 0 in the burn-in, and in resets but `stepReg`. */
function coefficientsOf(
  { hyper, settings }: NeumannMemory<unknown>,
  phase: NeumannPhase,
  ws: readonly Tensor[],
  vs: readonly Tensor[],
): Tensor[] {
  const differences = ws.map((w, i) => subtract(w, vs[i] as Tensor));
  const bare = settings.resetMode.value === 'stepReg' ? phase.burnIn : logicalOr(phase.burnIn, phase.reset);
  const { alpha, beta, eps } = hyper;
  const options = { alpha, beta, eps, betaCount: settings.betaCount.value, norm: settings.norm.value };
  return anchorCoefficients(differences, options).map((c) => where(bare, 0, c));
}

/** What the phase means for every leaf. */
interface Roles {
  readonly learningRate: Tensor;
  readonly gamma: Tensor;
  readonly burnIn: Tensor;
  /** μ of line 10; 0 where m is forgotten. */
  readonly carry: Tensor;
  /** μ of line 11, and the displacement that it makes. */
  readonly displacement: Tensor;
  /** Whether w stays: a reset that skips. */
  readonly rests: Tensor | false;
  /** Whether v stays. */
  readonly anchored: Tensor | false;
}

function rolesOf({ hyper, settings }: NeumannMemory<unknown>, phase: NeumannPhase): Roles {
  const { burnIn, reset, mu, learningRate } = phase;
  const rests = settings.resetMode.value === 'skip' && reset;
  const frozen = settings.burnInAnchor.value === 'frozen' && burnIn;
  return {
    learningRate,
    gamma: hyper.gamma,
    burnIn,
    carry: where(reset, 0, mu),
    displacement: either(rests, 0, mu),
    rests,
    anchored: rests && frozen ? logicalOr(rests, frozen) : rests || frozen,
  };
}

interface Moved {
  readonly w: Tensor;
  readonly m: Tensor;
  readonly v: Tensor;
  readonly update: Tensor;
}

/** Lines 10-12 for one leaf. */
function move({ w, m, v, d }: { w: Tensor; m: Tensor; v: Tensor; d: Tensor }, roles: Roles): Moved {
  const { burnIn, rests, anchored } = roles;
  const of = (x: Tensor) => beside(w, x);
  const descent = multiply(of(roles.learningRate), d);
  const nextM = where(burnIn, 0, subtract(multiply(of(roles.carry), m), descent));
  const update = either(rests, 0, subtract(multiply(of(roles.displacement), nextM), descent));
  const nextW = add(w, update);
  const nextV = add(nextW, multiply(of(roles.gamma), subtract(v, nextW)));
  return { w: nextW, m: nextM, v: either(anchored, v, nextV), update };
}

/** `where` with a condition that may be known to be false. */
const either = (condition: Tensor | false, x: Tensor | 0, y: Tensor): Tensor =>
  condition ? where(condition, x, y) : y;
