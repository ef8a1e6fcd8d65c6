import { OptionError, treePaths } from '@neumann/core';
import { type Choice, chosen, keepLeaves, putLeaves } from '../masks.ts';
import { checkState, checkValue, record, transformation } from '../options.ts';
import type { GradientTransformation } from '../protocol.ts';

/** State of {@link partition}. */
export interface PartitionState<S> {
  /** The state of each label's transformation, which has leaves for its own parameters only. */
  readonly innerStates: S;
}

/**
 * Another transformation for each group of leaves, by label.
 *
 * @param transformations One for each label.
 * @param labels The label of each leaf: a function of its path and tensor, or a tree of labels, in which one label may stand
 *   for a whole branch.
 * @throws {TreeError} where the labels do not fit the parameters. {OptionError} for a label without a transformation.
 * @example
 * const tx = partition(
 *   { matrices: adamw({ learningRate: 1e-3 }), others: adam({ learningRate: 1e-3 }) },
 *   (_, w) => (w.ndim > 1 ? 'matrices' : 'others'),
 * );
 */
export function partition<S extends object>(
  transformations: { readonly [K in keyof S]: GradientTransformation<S[K]> },
  labels: Choice<Extract<keyof S, string>>,
): GradientTransformation<PartitionState<S>> {
  const op = 'partition';
  checkValue(op, 'labels', labels, {
    allows: (x) => ['function', 'string', 'object'].includes(typeof x) && x !== null,
    range: 'a function of path and tensor, or a tree of labels',
  });
  checkValue(op, 'transformations', transformations, record);
  const parts = Object.entries<GradientTransformation<unknown>>(transformations);
  for (const [name, part] of parts) checkValue(op, name, part, transformation);
  const labelsOf = (tree: unknown): string[] => {
    const all = chosen<string>(op, 'labels', labels, tree, 'string');
    const at = all.findIndex((label) => !Object.hasOwn(transformations, label));
    if (at >= 0)
      throw new OptionError(
        `${op}: ${treePaths(tree)[at]} has the label "${all[at]}", but the transformations are for ${parts.map(([name]) => `"${name}"`).join(', ')}.`,
      );
    return all;
  };
  return {
    init: (params) => {
      const all = labelsOf(params);
      const states = parts.map(([name, part]) => [
        name,
        part.init(
          keepLeaves(
            params,
            all.map((l) => l === name),
          ),
        ),
      ]);
      return { innerStates: Object.fromEntries(states) as S };
    },
    update: (updates, state, params, extra) => {
      checkState(op, state, ['innerStates']);
      const { innerStates } = state;
      const all = labelsOf(updates);
      let result = updates;
      const states = parts.map(([name, part]) => {
        const keep = all.map((l) => l === name);
        const own = params === null || params === undefined ? params : keepLeaves(params, keep);
        const inner = (innerStates as Readonly<Record<string, unknown>>)[name];
        const [changed, next] = part.update(keepLeaves(updates, keep), inner, own, extra);
        result = putLeaves(result, keep, changed);
        return [name, next];
      });
      return [result as never, { innerStates: Object.fromEntries(states) as S }];
    },
  };
}
