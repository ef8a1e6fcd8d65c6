/** Parameters of PyTorch's networks by the names that torchvision and timm give them. */
import {
  FileError,
  OptionError,
  type ShapeDtype,
  showAval,
  type Tensor,
  type Tensors,
  transpose,
  treeFlatten,
  treePaths,
  treeUnflatten,
} from '@neumann/core';
import { checkNamed } from './options.ts';

/** How our names become PyTorch's: patterns and what takes their place, in this order. */
export type Renaming = readonly (readonly [pattern: RegExp, replacement: string])[];

/** The names of torchvision's and timm's ResNets for the leaves of `resnet`. */
export const resnetNames: Renaming = [
  [/\.block(\d+)\./, '.$1.'],
  [/\.sum\./, '.'],
  [/\.body\./, '.'],
  [/\.shortcut\.conv\./, '.downsample.0.'],
  [/\.shortcut\.bn\./, '.downsample.1.'],
];

/** Of the last name of a path. */
const leafNames: Renaming = [
  [/\.w$/, '.weight'],
  [/\.b$/, '.bias'],
  [/\.scale$/, '.weight'],
  [/\.shift$/, '.bias'],
  [/\.mean$/, '.running_mean'],
  [/\.variance$/, '.running_var'],
];

/** The name that PyTorch gives the leaf with a path of ours. */
export function torchName(path: string, renaming: Renaming): string {
  if (typeof path !== 'string' || !Array.isArray(renaming) || !renaming.every(Array.isArray))
    throw new OptionError(
      'torchName: takes a path and pairs of a pattern and its replacement, such as resnetNames.',
    );
  return [...renaming, ...leafNames].reduce(
    (name, [pattern, replacement]) => name.replace(pattern, replacement),
    path,
  );
}

/**
 * Parameters and state of a model with the values of a PyTorch network, such as those of a safetensors file of timm.
 *
 * PyTorch's weights `[F, C, KH, KW]` and `[F, D]` become `[KH, KW, C, F]` and `[D, F]`.
 *
 * @param template `{ params, state }` as `init` makes them, or their `evalShape`.
 * @param tensors By PyTorch's names, as `decodeSafetensors` gives them.
 * @param renaming How our paths become PyTorch's names: {@link resnetNames} for ResNets.
 * @throws {FileError} naming a tensor that is missing, left over, or has another shape.
 * @example
 * const model = resnet({ blocks: [1], block: 'basic', width: 4, classes: 2 });
 * const template = evalShape((k: Tensor) => model.init(k, { shape: [1, 32, 32, 3], dtype: 'float32' }), key);
 * // const { params, state } = fromTorch(template, decodeSafetensors(await readFile('model.safetensors')), resnetNames);
 */
export function fromTorch<T extends { readonly params: unknown; readonly state: unknown }>(
  template: T,
  tensors: Readonly<Record<string, Tensor>>,
  renaming: Renaming,
): Tensors<T> {
  checkNamed('fromTorch', 'tensors', tensors);
  const { leaves, structure } = treeFlatten(template);
  const left = new Set(Object.keys(tensors).filter((name) => !name.endsWith('num_batches_tracked')));
  const paths = treePaths(template);
  const loaded = leaves.map((leaf, i) => {
    const path = (paths[i] as string).replace(/^(params|state)\./, '');
    const name = torchName(path, renaming);
    const found = Object.hasOwn(tensors, name) ? tensors[name] : undefined;
    if (!found)
      throw new FileError(
        `fromTorch: ${path} needs a tensor ${JSON.stringify(name)}, but there are only ${[...left].slice(0, 8).join(', ')}, ….`,
      );
    left.delete(name);
    const ours = path.endsWith('.w') ? channelsLast(found) : found;
    const wanted = showAval(leaf as Tensor | ShapeDtype);
    if (showAval(ours.aval) !== wanted)
      throw new FileError(
        `fromTorch: ${path} must be ${wanted}, but ${JSON.stringify(name)} is ${showAval(found.aval)} in PyTorch's order.`,
      );
    return ours;
  });
  const [extra] = left;
  if (extra !== undefined)
    throw new FileError(
      `fromTorch: there is a tensor ${JSON.stringify(extra)}, but the model has no such leaf.`,
    );
  return treeUnflatten(structure, loaded);
}

/** `[F, C, ...window] -> [...window, C, F]` */
function channelsLast(w: Tensor): Tensor {
  const axes = w.shape.map((_, axis) => axis);
  return w.ndim < 2 ? w : transpose(w, [...axes.slice(2), 1, 0]);
}
