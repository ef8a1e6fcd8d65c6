/**
 * The part of gpu.js 2.24.1 that this package uses. Its own declarations need the DOM and lack several settings.
 */
import { BackendError, type TypedArray } from '@neumann/core/backend';
import type { Emitted } from './emit/emit.ts';

export interface GpuJs {
  readonly GPU: new (settings: { readonly mode: string }) => Gpu;
  readonly WebGPUContext: { acquire(): Promise<GpuContext> };
}

/** The WebGPU device that gpu.js computes on. */
export interface GpuContext {
  readonly adapter: { readonly info?: { readonly vendor: string; readonly architecture: string } };
  readonly device: WebGpuDevice;
  readonly isLost: boolean;
}

/** What is used of WebGPU, whose declarations TypeScript does not bring along. */
interface WebGpuDevice {
  readonly limits: Readonly<Record<string, number>>;
  readonly lost: Promise<unknown>;
  readonly queue: {
    writeBuffer(buffer: WebGpuBuffer, offset: number, data: ArrayBufferView): void;
    submit(commands: readonly unknown[]): void;
  };
  createBuffer(options: {
    readonly size: number;
    readonly usage: number;
    readonly mappedAtCreation?: boolean;
  }): WebGpuBuffer;
  createShaderModule(options: { readonly code: string }): unknown;
  createComputePipeline(options: object): { getBindGroupLayout(index: number): unknown };
  createBindGroup(options: object): unknown;
  createCommandEncoder(): {
    beginComputePass(): {
      setPipeline(pipeline: unknown): void;
      setBindGroup(index: number, group: unknown): void;
      dispatchWorkgroups(x: number, y: number): void;
      end(): void;
    };
    copyBufferToBuffer(from: WebGpuBuffer, start: number, to: WebGpuBuffer, at: number, bytes: number): void;
    finish(): unknown;
  };
  pushErrorScope(kind: 'validation' | 'out-of-memory' | 'internal'): void;
  popErrorScope(): Promise<{ readonly message: string } | null>;
}

export interface WebGpuBuffer {
  readonly size: number;
  mapAsync(mode: number): Promise<void>;
  getMappedRange(): ArrayBuffer;
  unmap(): void;
  destroy(): void;
}

/** A kernel of gpu.js in `webgl2` mode, as far as it translates without a device. */
interface GlslTranslator {
  kernelArguments: readonly { readonly type: string }[];
  kernelConstants: readonly { readonly name: string; readonly type: string }[];
  argumentSizes: readonly unknown[];
  argumentBitRatios: readonly number[];
  constantBitRatios: Readonly<Record<string, number>>;
  translateSource(): void;
  readonly translatedSource: string;
}

/** A kernel of gpu.js in `webgpu` mode, as far as it translates without a device. */
interface WgslTranslator {
  setupConstants(): void;
  setupArguments(inputs: readonly unknown[]): void;
  validateSettings(inputs: readonly unknown[]): void;
  translateSource(): void;
  readonly translatedFunctions: string;
  readonly translatedBody: string;
}

export interface Gpu {
  readonly context: unknown;
  readonly kernels: unknown[];
  createKernel(source: string, settings: KernelSettings): KernelRun;
}

export interface KernelRun {
  (...inputs: readonly unknown[]): unknown;
  /** The kernel that ran last: gpu.js replaces it when it falls back to another mode. */
  readonly kernel: {
    readonly constructor: { readonly mode?: string };
    readonly fallbackReason?: string | null;
  };
  destroy(): void;
}

interface Types {
  readonly argumentTypes: readonly string[];
  readonly returnType: string;
}

const typesOf = (arity: number, isWhole: boolean): Types => {
  const type = isWhole ? 'Integer' : 'Number';
  return { argumentTypes: new Array<string>(arity).fill(type), returnType: type };
};

interface KernelSettings {
  readonly output: readonly [size: number];
  readonly constants: Readonly<Record<string, TypedArray>>;
  readonly functions: readonly { readonly source: string; readonly settings: Types }[];
  readonly nativeFunctions: readonly ({ readonly name: string; readonly source: string } & Types)[];
  /** A loop whose bound is not a literal stops here without a word; the default is 1000. */
  readonly loopMaxIterations: number;
  /** In GLSL, quotients that look whole are otherwise made so by functions that round on the way. */
  readonly fixIntegerDivisionAccuracy: boolean;
  readonly precision: 'single';
  readonly tactic: 'precision';
}

/** @throws {BackendError} if gpu.js is not installed. */
export async function loadGpuJs(): Promise<GpuJs> {
  const before = Object.getOwnPropertyDescriptor(globalThis, 'GPU');
  try {
    const loaded: unknown = await import('gpu.js');
    // In browsers gpu.js takes the name, which is WebGPU's where there is one.
    if (before) Object.defineProperty(globalThis, 'GPU', before);
    else Reflect.deleteProperty(globalThis, 'GPU');
    // Node sees the names; bundles for browsers are one class that has them all.
    return 'GPU' in (loaded as object) ? (loaded as GpuJs) : (loaded as { readonly default: GpuJs }).default;
  } catch (cause) {
    throw new BackendError(
      `gpu: the package gpu.js could not be loaded (${messageOf(cause)}); install it with npm install gpu.js@2.24.1.`,
      { cause },
    );
  }
}

/** Compiles with gpu.js; it translates at the first call. */
export function createKernel(
  gpu: Gpu,
  { source, size, constants, functions }: Emitted,
  isGlsl = false,
): KernelRun {
  return gpu.createKernel(source, {
    output: [size],
    constants,
    functions: functions.flatMap(({ source, arity, isWhole, glsl }) =>
      glsl !== undefined && isGlsl ? [] : [{ source, settings: typesOf(arity, isWhole) }],
    ),
    nativeFunctions: functions.flatMap(({ name, arity, isWhole, glsl }) =>
      glsl !== undefined && isGlsl ? [{ name, source: glsl, ...typesOf(arity, isWhole) }] : [],
    ),
    loopMaxIterations: 2 ** 30,
    fixIntegerDivisionAccuracy: false,
    precision: 'single',
    tactic: 'precision',
  });
}

/** The functions of a program in GLSL ES 3.00; `kernel` computes the point `threadId.x`, and writes `kernelResult`. */
export function translateToGlsl(gpu: Gpu, program: Emitted): string {
  const { kernel } = createKernel(gpu, program, true);
  gpu.kernels.pop(); // else gpu.js keeps it for ever
  const translator = kernel as unknown as GlslTranslator;
  const constants = Object.keys(program.constants);
  Object.assign(translator, {
    kernelArguments: program.inputs.map(() => ({ type: 'NumberTexture' })),
    kernelConstants: constants.map((name) => ({ name, type: 'Array' })),
    argumentSizes: [],
    argumentBitRatios: program.inputs.map(() => 4),
    constantBitRatios: Object.fromEntries(constants.map((name) => [name, 4])),
  });
  translator.translateSource();
  return translator.translatedSource;
}

/** The functions of a program in WGSL, and the body that computes the point `threadGid.x`. */
export function translateToWgsl(
  gpu: Gpu,
  program: Emitted,
): { readonly functions: string; readonly body: string } {
  const { kernel } = createKernel(gpu, program);
  gpu.kernels.pop();
  const translator = kernel as unknown as WgslTranslator;
  const inputs = program.inputs.map(({ size }) => ({ type: 'WebGPUBuffer', output: [Math.max(1, size)] }));
  translator.setupConstants();
  translator.setupArguments(inputs);
  translator.validateSettings(inputs);
  translator.translateSource();
  return { functions: translator.translatedFunctions, body: translator.translatedBody };
}

/**
 * gpu.js falls back to plain JavaScript, in float64 and with other rules, when it cannot run a kernel as asked.
 * @throws {BackendError} if it did.
 */
export function assertMode(name: string, run: KernelRun, mode: string): void {
  const { kernel } = run;
  const ran = kernel.constructor.mode;
  if (ran === mode && !kernel.fallbackReason) return;
  throw new BackendError(
    `gpu: kernel ${name} was to run in mode ${mode}, but gpu.js ran it in mode ${ran}` +
      `${kernel.fallbackReason ? ` (${kernel.fallbackReason})` : ''}; its results were dropped. Use another backend.`,
  );
}

export function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
