/** Counts what is asked of the graphics interfaces, whoever asks. */

type Methods = Record<string, (...args: unknown[]) => unknown>;

let launches = 0;

function watch(owner: string, methods: readonly string[]): void {
  const prototype = (globalThis as unknown as Record<string, { prototype: Methods } | undefined>)[owner]
    ?.prototype;
  for (const name of methods) {
    const original = prototype?.[name];
    if (!prototype || !original) continue;
    prototype[name] = function (this: unknown, ...args) {
      launches++;
      return original.apply(this, args);
    };
  }
}

watch('WebGL2RenderingContext', ['drawArrays', 'drawElements']);
watch('GPUComputePassEncoder', ['dispatchWorkgroups']);
watch('GPURenderPassEncoder', ['draw', 'drawIndexed']);

/** How many programs one run starts on the device. */
export async function counted(run: () => unknown): Promise<number> {
  const before = launches;
  await run();
  return launches - before;
}
