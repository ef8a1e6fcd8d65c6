import type { NeumannOptions } from './options.ts';

let warned = false;

/**
 * Warns of β > 0 without a burn-in, where weights start at their anchor and the repulsion β/r² has no bound.
 * Once in a process, or sweeps would fill the console with it; so this flag is module-level state.
 */
export function warnOfRepulsion(
  op: string,
  { beta, betaPerVariable = 1e-5, burnInSteps }: NeumannOptions,
): void {
  const strength = beta ?? betaPerVariable;
  if (warned || burnInSteps !== 0 || !(typeof strength === 'number' && strength > 0)) return;
  warned = true;
  console.warn(
    `${op}: beta > 0 with burnInSteps: 0 usually diverges: the weights start at their anchor, and the repulsion ` +
      `beta/r² grows without bound as their distance r goes to 0. Give burnInSteps (5 epochs in the paper; see ` +
      `neumannEpochs), or beta: 0.`,
  );
}
