import { dtypeInfo, InternalError } from '@neumann/core/backend';
import type { Code, Local } from '../asm/code.ts';
import { dynamicTerms, levelOf, type Nest, strideOf } from './nest.ts';
import type { LoadNode, Sum, Term } from './node.ts';

/**
 * An address that walks along with the loops. Its start is the parameter; each loop it moves along adds a local that
 * steps by a constant number of bytes.
 */
export interface Pointer {
  /** Bytes per step of each loop. */
  readonly strides: readonly number[];
  readonly constant: number;
  /** Added once, when the last of their loops was entered. */
  readonly terms: readonly Term[];
  readonly bytes: number;
  readonly locals: Map<string, Local>;
  current: Local;
  termsPending: boolean;
}

/** Where a load finds its element: a pointer, a constant distance, and terms that change within a strip. */
export interface Address {
  readonly pointer: Pointer;
  readonly offset: number;
  readonly varying: readonly Term[];
}

/** The pointers of a nest: loads of one input that move alike share one. */
export class Pointers {
  readonly all: Pointer[] = [];
  readonly #code: Code;
  readonly #nest: Nest;
  readonly #addresses = new Map<LoadNode, Address>();

  /** `isVarying` tells the terms that a pointer must not contain. */
  constructor(code: Code, nest: Nest, inputs: readonly Local[], isVarying: (term: Term) => boolean) {
    this.#code = code;
    this.#nest = nest;
    const groups = new Map<string, LoadNode[]>();
    for (const load of nest.loads) {
      const strides = nest.loops.map((loop) => strideOf(load.index, loop));
      const terms = dynamicTerms(load.index).map(({ node, factor }) => `${node.id}*${factor}`);
      const key = [load.input, strides, terms, load.guard?.id].join('|');
      groups.set(key, [...(groups.get(key) ?? []), load]);
    }
    for (const loads of groups.values()) {
      const [first] = loads;
      if (!first) continue;
      const least = Math.min(...loads.map((load) => load.index.constant));
      const terms = dynamicTerms(first.index);
      const varying = terms.filter(isVarying);
      const fixed = terms.filter((term) => !isVarying(term));
      const pointer = this.#add(
        inputs[first.input] ?? 0,
        { ...first.index, constant: least },
        fixed,
        bytesOf(first),
      );
      for (const load of loads)
        this.#addresses.set(load, {
          pointer,
          offset: (load.index.constant - least) * pointer.bytes,
          varying,
        });
    }
  }

  /** A pointer to the element of an output at each point. */
  output(param: Local, place: Sum, bytes: number): Pointer {
    return this.#add(param, place, [], bytes);
  }

  of(load: LoadNode): Address {
    const found = this.#addresses.get(load);
    if (!found) throw new InternalError('emit: a load has no pointer.');
    return found;
  }

  /** Computes the starts. */
  begin(): void {
    for (const pointer of this.all) {
      if (pointer.constant === 0) continue;
      const start = this.#local(pointer, 'start');
      this.#code.get(pointer.current).i32(pointer.constant).op('i32.add').set(start);
      pointer.current = start;
    }
  }

  /** Before a loop starts at `low`; returns what undoes it after the loop. */
  enter(loop: number, low: number): () => void {
    const moving = this.#along(loop).map((pointer) => ({ pointer, before: pointer.current }));
    for (const { pointer, before } of moving) {
      const walking = this.#local(pointer, `loop ${loop}`);
      this.#code.get(before);
      const distance = low * (pointer.strides[loop] ?? 0);
      if (distance !== 0) this.#code.i32(distance).op('i32.add');
      this.#code.set(walking);
      pointer.current = walking;
    }
    return () => {
      for (const { pointer, before } of moving) pointer.current = before;
    };
  }

  /** `steps` further along a loop. */
  advance(loop: number, steps: number): void {
    for (const pointer of this.#along(loop))
      this.#code.advance(pointer.current, steps * (pointer.strides[loop] ?? 0));
  }

  /** `units` times `steps` further along a loop. */
  advanceBy(loop: number, units: Local, steps: number): void {
    for (const pointer of this.#along(loop)) {
      const distance = steps * (pointer.strides[loop] ?? 0);
      this.#code
        .get(pointer.current)
        .get(units)
        .i32(distance)
        .op('i32.mul')
        .op('i32.add')
        .set(pointer.current);
    }
  }

  /** Pointers whose terms are known once `level` loops were entered. */
  pendingAt(level: number): Pointer[] {
    return this.all.filter((pointer) => pointer.termsPending && this.#termLevel(pointer) === level);
  }

  /** Adds the terms, which `push` puts on the stack one by one; returns what undoes it. */
  addTerms(pointer: Pointer, push: (term: Term) => void): () => void {
    const before = pointer.current;
    this.#code.get(before);
    for (const term of pointer.terms) {
      push(term);
      this.#code
        .i32(term.factor * pointer.bytes)
        .op('i32.mul')
        .op('i32.add');
    }
    pointer.current = this.#local(pointer, 'terms');
    pointer.termsPending = false;
    this.#code.set(pointer.current);
    return () => {
      pointer.current = before;
      pointer.termsPending = true;
    };
  }

  #along(loop: number): Pointer[] {
    return this.all.filter((pointer) => pointer.strides[loop] !== 0);
  }

  #termLevel(pointer: Pointer): number {
    return Math.max(0, ...pointer.terms.map(({ node }) => levelOf(this.#nest, node)));
  }

  #add(param: Local, index: Sum, terms: readonly Term[], bytes: number): Pointer {
    const pointer: Pointer = {
      strides: this.#nest.loops.map((loop) => strideOf(index, loop) * bytes),
      constant: index.constant * bytes,
      terms,
      bytes,
      locals: new Map(),
      current: param,
      termsPending: terms.length > 0,
    };
    this.all.push(pointer);
    return pointer;
  }

  #local(pointer: Pointer, name: string): Local {
    let local = pointer.locals.get(name);
    if (local === undefined) {
      local = this.#code.local('i32');
      pointer.locals.set(name, local);
    }
    return local;
  }
}

function bytesOf(load: LoadNode): number {
  return dtypeInfo(load.dtype).bytes;
}
