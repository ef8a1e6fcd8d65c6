/** A function that is traced once for each signature of its arguments. */
import { showAval } from '../aval.ts';
import { idOf } from '../ir/identity.ts';
import { capturesTracers, type Recorded, record } from '../ir/record.ts';
import { Lru } from '../lru.ts';
import { toTensor } from '../ops/convert.ts';
import type { Tensor } from '../tensor.ts';
import { axisEnvironment } from '../trace.ts';
import { type Flattened, type TreeStructure, treeFlatten } from '../tree.ts';
import { type FlatFunction, flatFunction } from './flat.ts';

/** How a staged function has been called. */
export interface StageStats {
  /** Calls that ran a program made before. */
  readonly hits: number;
  /** Calls that traced the function. */
  readonly misses: number;
  /** Programs made; the same as misses. */
  readonly compilations: number;
  /** Programs kept. */
  readonly size: number;
}

/** Signatures that one function keeps; a function that sees more of them forgets the one unused for longest. */
const maxSignatures = 256;

/** A function traced for one signature. */
export interface Staged {
  readonly recorded: Recorded;
  readonly f: FlatFunction;
}

/** What a call needs. */
export interface StagedCall extends Staged {
  /** Leaves of the arguments that are not static. */
  readonly inputs: readonly Tensor[];
  /** How many leaves each argument has; 0 for static ones. */
  readonly counts: readonly number[];
}

export class StagedFunction {
  readonly name: string;
  readonly #f: (...args: never[]) => unknown;
  readonly #isStatic: ReadonlySet<number>;
  readonly #cache = new Lru<Staged>(maxSignatures);
  #hits = 0;
  #misses = 0;

  constructor(name: string, f: (...args: never[]) => unknown, staticArgs: readonly number[]) {
    this.name = name;
    this.#f = f;
    this.#isStatic = new Set(staticArgs);
  }

  get stats(): StageStats {
    return { hits: this.#hits, misses: this.#misses, compilations: this.#misses, size: this.#cache.size };
  }

  clear(): void {
    this.#cache.clear();
  }

  /** The program for arguments like these, and its inputs. */
  call(args: readonly unknown[]): StagedCall {
    const flats: (Flattened | null)[] = [];
    const inputs: Tensor[] = [];
    const counts: number[] = [];
    let key = axisEnvironment();
    for (const [i, arg] of args.entries()) {
      if (this.#isStatic.has(i)) {
        flats.push(null);
        counts.push(0);
        key += `|${staticKey(arg)}`;
        continue;
      }
      const flat = treeFlatten(arg);
      flats.push(flat);
      counts.push(flat.leaves.length);
      key += `|${structureKey(flat.structure)}`;
      for (const leaf of flat.leaves) {
        const x = toTensor(leaf);
        inputs.push(x);
        key += ` ${showAval(x.aval)}`;
      }
    }
    const known = this.#cache.get(key);
    if (known) this.#hits++;
    const staged = known ?? this.#stage(key, args, flats, inputs);
    return { recorded: staged.recorded, f: staged.f, inputs, counts };
  }

  #stage(
    key: string,
    args: readonly unknown[],
    flats: readonly (Flattened | null)[],
    inputs: readonly Tensor[],
  ): Staged {
    const dynamic = flats.filter((flat) => flat !== null).map((flat) => flat.structure);
    const whole = (...trees: unknown[]): unknown => {
      let next = 0;
      return this.#f(...(flats.map((flat, i) => (flat ? trees[next++] : args[i])) as never[]));
    };
    const staged = stage(
      this.name,
      flatFunction(this.name, whole, { kind: 'array', children: dynamic }),
      inputs,
    );
    this.#misses++;
    if (!capturesTracers(staged.recorded)) this.#cache.set(key, staged);
    return staged;
  }
}

/** Traces a function for inputs like `xs`. */
function stage(name: string, f: FlatFunction, xs: readonly Tensor[]): Staged {
  const avals = xs.map((x) => x.aval);
  return { recorded: record(name, avals, (inputs) => f.call(...inputs)), f };
}

function structureKey(s: TreeStructure): string {
  switch (s.kind) {
    case 'leaf':
      return '*';
    case 'null':
      return '-';
    case 'static':
      return `<${staticKey(s.value)}>`;
    case 'array':
      return `[${s.children.map(structureKey).join()}]`;
    case 'object':
      return `{${s.keys.map((key, i) => `${JSON.stringify(key)}:${structureKey(s.children[i] as TreeStructure)}`).join()}}`;
    default:
      return s satisfies never;
  }
}

function staticKey(value: unknown): string {
  if ((typeof value === 'object' && value !== null) || typeof value === 'function') return `#${idOf(value)}`;
  return `${typeof value} ${Object.is(value, -0) ? '-0' : JSON.stringify(String(value))}`;
}
