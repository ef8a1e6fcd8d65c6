import { ModuleBuilder } from './words.ts';

/** Memory of 64 KiB pages that is only ever added to, and kernels on it. */
export class Memory {
  readonly #memory = new WebAssembly.Memory({ initial: 1, maximum: 65536 });
  #top = 4096;

  /** The address of so many floats. */
  take(floats: number): number {
    const address = this.#top;
    this.#top += Math.ceil(floats / 64) * 256 + 256; // vectors may reach a little further
    const pages = Math.ceil(this.#top / 65536) - this.#memory.buffer.byteLength / 65536;
    if (pages > 0) this.#memory.grow(pages);
    return address;
  }

  /** What lies there; valid until more is taken. */
  floats(address: number, count: number): Float32Array {
    return new Float32Array(this.#memory.buffer, address, count);
  }

  /** The exported functions of a module that `emit` writes. */
  load(emit: (builder: ModuleBuilder) => void): Kernels {
    const builder = new ModuleBuilder();
    emit(builder);
    const module = new WebAssembly.Module(builder.encode({ maxPages: 65536, shared: false }));
    const { exports } = new WebAssembly.Instance(module, { env: { memory: this.#memory } });
    return exports as unknown as Kernels;
  }
}

/** Functions by name, of addresses and numbers. */
type Kernels = Readonly<
  Record<
    'forward' | 'weights' | 'input' | 'backward' | 'sum' | 'pack' | 'unpack' | 'adam',
    (...args: number[]) => void
  >
>;
