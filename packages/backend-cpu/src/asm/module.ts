import { InternalError } from '@neumann/core/backend';
import { Bytes } from './bytes.ts';
import { type Callable, Code, type Local, typeCodes, type ValueType } from './code.ts';

/** How a function sees its parameters. */
export interface Signature {
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
}

/**
 * One WebAssembly module: memory imported as `env.memory`, functions imported as `env.<name>`, and functions of its own.
 * All imports are declared before the first function is defined.
 */
export class ModuleBuilder {
  readonly #types = new Map<string, number>();
  readonly #typeList: Signature[] = [];
  readonly #imports: { name: string; type: number }[] = [];
  readonly #functions: { type: number; code: Code; exported: string | undefined }[] = [];

  /** An imported function. */
  import(name: string, signature: Signature): Callable {
    if (this.#functions.length > 0)
      throw new InternalError(`assembler: import ${name} comes after a function.`);
    this.#imports.push({ name, type: this.#typeIndex(signature) });
    return { index: this.#imports.length - 1, ...signature };
  }

  /** A function; `body` gets its code and one local for each parameter. */
  define(
    signature: Signature,
    body: (code: Code, params: readonly Local[]) => void,
    exported?: string,
  ): Callable {
    const code = new Code(signature.params.length);
    body(
      code,
      signature.params.map((_, i) => i),
    );
    this.#functions.push({ type: this.#typeIndex(signature), code, exported });
    return { index: this.#imports.length + this.#functions.length - 1, ...signature };
  }

  /** The binary, for a memory of at most `maxPages` pages of 64 KiB. */
  encode(options: { maxPages: number; shared: boolean }): Uint8Array<ArrayBuffer> {
    const out = new Bytes();
    out.bytes([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
    section(out, 1, this.#typeList, (into, { params, results }) => {
      into.byte(0x60);
      for (const types of [params, results]) {
        into.unsigned(types.length);
        for (const type of types) into.byte(typeCodes[type]);
      }
    });
    section(out, 2, [undefined, ...this.#imports], (into, imported) => {
      into.name('env');
      into.name(imported?.name ?? 'memory');
      if (imported) {
        into.byte(0);
        into.unsigned(imported.type);
      } else {
        into.byte(2);
        into.byte(options.shared ? 3 : 1);
        into.unsigned(0);
        into.unsigned(options.maxPages);
      }
    });
    section(out, 3, this.#functions, (into, { type }) => into.unsigned(type));
    const exported = this.#functions.flatMap(({ exported: name }, i) =>
      name === undefined ? [] : [{ name, i }],
    );
    section(out, 7, exported, (into, { name, i }) => {
      into.name(name);
      into.byte(0);
      into.unsigned(this.#imports.length + i);
    });
    section(out, 10, this.#functions, (into, { code }) => code.encode(into));
    return out.view();
  }

  #typeIndex({ params, results }: Signature): number {
    const key = `${params.join()}:${results.join()}`;
    let index = this.#types.get(key);
    if (index === undefined) {
      index = this.#typeList.push({ params, results }) - 1;
      this.#types.set(key, index);
    }
    return index;
  }
}

function section<T>(
  out: Bytes,
  id: number,
  items: readonly T[],
  write: (into: Bytes, item: T) => void,
): void {
  const body = new Bytes();
  body.unsigned(items.length);
  for (const item of items) write(body, item);
  out.byte(id);
  out.unsigned(body.length);
  out.bytes(body.view());
}
