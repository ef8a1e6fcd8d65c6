import { BackendError, OptionError } from '@neumann/core/backend';
import type { Code } from './asm/code.ts';
import { ModuleBuilder } from './asm/module.ts';
import { builtin, nodeVersion } from './node.ts';

/** What the WebAssembly engine can do, as far as it makes a difference to the code we emit. */
export interface Features {
  /** Fused multiply-add on vectors. */
  readonly relaxedSimd: boolean;
  /**
   * Whether the compiler keeps a loop that needs all vector registers in registers: V8 does from version 13 on. Before,
   * it spills, depending on details of the code around, and half of the speed is lost.
   */
  readonly fullRegisters: boolean;
  /** Whether the compiler turns pairs of neighbouring 128-bit instructions into 256-bit ones. */
  readonly revectorize: boolean;
}

/**
 * Asks the engine what it supports.
 *
 * @param relaxedSimd `'auto'` uses it where it exists; `true` insists.
 * @throws {BackendError} if vectors are not supported at all.
 * @param revectorize sets the flag for it, before the first compilation.
 * @throws {OptionError} if relaxed SIMD is insisted on but missing, or 256-bit mode is not to be had (any more).
 */
export function detectFeatures(relaxedSimd: boolean | 'auto', revectorize: boolean): Features {
  if (!supports((code) => code.v128(new Uint8Array(16)).op('drop')))
    throw new BackendError(
      'cpu: this engine has no WebAssembly SIMD; use Node 22 or newer, or a browser from 2023 or newer ' +
        '(Chrome 91, Firefox 89, Safari 16.4), or the reference backend.',
    );
  if (revectorize) setRevectorize();
  isDecided = true;
  const fullRegisters = knowsHalfFloats();
  if (relaxedSimd === false) return { relaxedSimd: false, fullRegisters, revectorize };
  if (!supportsMadd()) enableInOldNode();
  const found = supportsMadd();
  if (relaxedSimd === true && !found)
    throw new OptionError(
      "cpu: relaxedSimd is true, but this engine has no WebAssembly relaxed SIMD; use 'auto'.",
    );
  return { relaxedSimd: found, fullRegisters, revectorize };
}

function supportsMadd(): boolean {
  const zero = new Uint8Array(16);
  return supports((code) => code.v128(zero).v128(zero).v128(zero).op('f32x4.relaxed_madd').op('drop'));
}

/** Half-precision floats in JavaScript: nothing we use, but they came with V8 13.5, and there is no version to ask for. */
function knowsHalfFloats(): boolean {
  return 'f16round' in Math;
}

function supports(body: (code: Code) => void): boolean {
  const builder = new ModuleBuilder();
  builder.define({ params: [], results: [] }, body);
  return WebAssembly.validate(builder.encode({ maxPages: 1, shared: false }));
}

/** Node 20 has relaxed SIMD behind a flag that can be set until the first compilation. */
function enableInOldNode(): void {
  builtin<V8>('v8')?.setFlagsFromString('--experimental-wasm-relaxed-simd');
}

let isRevectorizing = false;
/** Whether a backend exists that may have compiled something. */
let isDecided = false;

/** The flag is one of V8 for the process; it exists since Node 24. */
function setRevectorize(): void {
  if (isRevectorizing) return;
  const v8 = builtin<V8>('v8');
  const version = nodeVersion();
  if (!v8 || Number.parseInt(version ?? '0', 10) < 24)
    throw new OptionError(
      `cpu: revectorize needs Node 24 or newer, but this is ${version ? `Node ${version}` : 'not Node'}; leave it out.`,
    );
  if (isDecided)
    throw new OptionError(
      'cpu: revectorize comes too late: another backend of this process may have compiled kernels already; ' +
        'ask for it when the first one is created.',
    );
  v8.setFlagsFromString('--experimental-wasm-revectorize');
  isRevectorizing = true;
}

interface V8 {
  setFlagsFromString(flags: string): void;
}
