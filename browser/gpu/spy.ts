/** What devices do underneath: those that were made, what they hold, and faults that come when a test asks for them. */

/** What is used of WebGPU, whose declarations TypeScript does not bring along. */
interface DeviceLike {
  destroy(): void;
}

type Method = (this: unknown, ...args: unknown[]) => unknown;

/** Replaces a method; the new one gets the old one first. */
function wrap(
  owner: object,
  name: string,
  around: (method: Method, self: unknown, args: unknown[]) => unknown,
) {
  const method = (owner as Record<string, Method>)[name] as Method;
  (owner as Record<string, Method>)[name] = function (...args) {
    return around(method, this, args);
  };
}

const contexts: WebGL2RenderingContext[] = [];
const devices: DeviceLike[] = [];
/** Textures and buffers that were made and not given back. */
const alive = new Set<object>();
let most = 0;
let short = false;
/** WebGL has still to be asked what it refused. */
let refused = false;

function hold(thing: object): void {
  alive.add(thing);
  most = Math.max(most, alive.size);
}

/** Launches until the device is lost, if it is to be lost by itself. */
let launchesLeft = Infinity;
let modeToLose = '';

function launched(): void {
  launchesLeft--;
  if (launchesLeft === 0) lose(modeToLose);
}

wrap(HTMLCanvasElement.prototype, 'getContext', (method, self, args) => {
  const context = method.apply(self, args);
  if (context instanceof WebGL2RenderingContext && !contexts.includes(context)) contexts.push(context);
  return context;
});

const webgl = WebGL2RenderingContext.prototype;
wrap(webgl, 'createTexture', (method, self, args) => {
  const texture = method.apply(self, args);
  hold(texture as object);
  return texture;
});
wrap(webgl, 'deleteTexture', (method, self, args) => {
  alive.delete(args[0] as object);
  return method.apply(self, args);
});
for (const name of ['texImage2D', 'texStorage2D', 'bufferData'])
  wrap(webgl, name, (method, self, args) => {
    refused ||= short;
    return short ? undefined : method.apply(self, args);
  });
wrap(webgl, 'drawArrays', (method, self, args) => {
  method.apply(self, args);
  launched();
});
wrap(webgl, 'getError', (method, self, args) => {
  if (!refused) return method.apply(self, args);
  refused = false;
  return webgl.OUT_OF_MEMORY;
});

const scope = globalThis as unknown as Readonly<Record<string, { prototype: object } | undefined>>;
if (scope['GPUAdapter'] && scope['GPUDevice'] && scope['GPUBuffer'] && scope['GPUComputePassEncoder']) {
  wrap(scope['GPUAdapter'].prototype, 'requestDevice', async (method, self, args) => {
    const device = await method.apply(self, args);
    devices.push(device as DeviceLike);
    return device;
  });
  wrap(scope['GPUDevice'].prototype, 'createBuffer', (method, self, args) => {
    const [options] = args as [object];
    const buffer = method.apply(self, short ? [{ ...options, size: 2 ** 45 }] : args);
    hold(buffer as object);
    return buffer;
  });
  wrap(scope['GPUComputePassEncoder'].prototype, 'dispatchWorkgroups', (method, self, args) => {
    method.apply(self, args);
    launched();
  });
  wrap(scope['GPUBuffer'].prototype, 'destroy', (method, self, args) => {
    alive.delete(self as object);
    return method.apply(self, args);
  });
}

/** Meanwhile there is no device for WebGPU, where the browser has that. */
export async function withoutAdapters<T>(f: () => Promise<T>): Promise<T> {
  const { gpu } = navigator as unknown as { gpu?: Record<string, unknown> };
  if (!gpu) return await f();
  gpu['requestAdapter'] = async () => null; // before that of the prototype
  try {
    return await f();
  } finally {
    delete gpu['requestAdapter'];
  }
}

/** Takes the newest context or device away. */
export function lose(mode: string): void {
  if (mode === 'webgl2') contexts.at(-1)?.getExtension('WEBGL_lose_context')?.loseContext();
  else devices.at(-1)?.destroy();
}

/** Takes it away as soon as so many kernels were launched from now on. */
export function loseAfter(launches: number, mode: string): void {
  launchesLeft = launches;
  modeToLose = mode;
}

/** From now on, until `enough`, the device has no memory for anything new. */
export function shortOfMemory(): void {
  short = true;
}

export function enoughMemory(): void {
  short = false;
}

/** How many textures and buffers are held. */
export function held(): number {
  return alive.size;
}

/** The most that were held at a time since this was asked last. */
export function mostHeld(): number {
  const before = most;
  most = alive.size;
  return before;
}
