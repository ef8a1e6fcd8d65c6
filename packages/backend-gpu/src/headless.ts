import { BackendError } from '@neumann/core/backend';
import type { Device } from './device.ts';
import { type GpuJs, messageOf } from './gpujs.ts';
import { webglDevice } from './webgl.ts';

/** The package `gl`. */
interface Gl {
  (width: number, height: number, options: object): WebGL2RenderingContext | null;
  readonly WebGL2RenderingContext?: unknown;
}

/**
 * WebGL 2 outside of browsers, by the package `gl`. It is the mode `webgl2` of gpu.js, which finds there what a browser has;
 * gpu.js's own `headlessgl` is WebGL 1, with other programs.
 *
 * @throws {BackendError} if `gl` is missing, too old, or finds no display.
 */
export async function headlessDevice(library: GpuJs): Promise<Device> {
  const gl = await loadGl();
  if (!gl.WebGL2RenderingContext)
    throw new BackendError(
      'gpu: the package gl that is installed has no WebGL 2; headlessgl needs gl@9.0.0-rc.10 or later.',
    );
  const contextOf = (width: number, height: number): WebGL2RenderingContext => {
    const context = gl(Math.max(1, width), Math.max(1, height), {
      createWebGL2Context: true,
      preserveDrawingBuffer: true,
    });
    if (context) return context;
    throw new BackendError(
      'gpu: the package gl makes no WebGL context here; on Linux it needs an X display, which xvfb-run gives to a program.',
    );
  };
  contextOf(1, 1).getExtension('STACKGL_destroy_context')?.destroy();
  class OffscreenCanvas {
    readonly width: number;
    readonly height: number;

    constructor(width: number, height: number) {
      this.width = width;
      this.height = height;
    }

    getContext(kind: string): unknown {
      return kind === 'webgl2' ? contextOf(this.width, this.height) : null;
    }
  }
  return withGlobals({ OffscreenCanvas, WebGL2RenderingContext: gl.WebGL2RenderingContext }, () =>
    webglDevice(library, false),
  );
}

async function loadGl(): Promise<Gl> {
  const name = 'gl'; // no bundler is to look for it
  try {
    return ((await import(/* @vite-ignore */ name)) as { readonly default: Gl }).default;
  } catch (cause) {
    throw new BackendError(
      `gpu: headlessgl needs the package gl (${messageOf(cause)}); install it with npm install gl@9.0.0-rc.10.`,
      { cause },
    );
  }
}

/** gpu.js looks for WebGL among the globals, when it starts. */
function withGlobals<T>(values: Readonly<Record<string, unknown>>, f: () => T): T {
  const before = Object.keys(values).map(
    (name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const,
  );
  for (const [name, value] of Object.entries(values))
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  try {
    return f();
  } finally {
    for (const [name, descriptor] of before)
      if (descriptor) Object.defineProperty(globalThis, name, descriptor);
      else Reflect.deleteProperty(globalThis, name);
  }
}
