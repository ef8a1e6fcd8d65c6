import { BackendError, OptionError } from '@neumann/core/backend';
import type { Code } from './asm/code.ts';
import { ModuleBuilder } from './asm/module.ts';

/** What the WebAssembly engine can do, as far as it makes a difference to the code we emit. */
export interface Features {
  /** Fused multiply-add on vectors. */
  readonly relaxedSimd: boolean;
  /**
   * Whether the compiler keeps a loop that needs all vector registers in registers: V8 does from version 13 on. Before,
   * it spills, depending on details of the code around, and half of the speed is lost.
   */
  readonly fullRegisters: boolean;
}

/**
 * Asks the engine what it supports.
 *
 * @param relaxedSimd `'auto'` uses it where it exists; `true` insists.
 * @throws {BackendError} if vectors are not supported at all.
 * @throws {OptionError} if relaxed SIMD is insisted on but missing.
 */
export function detectFeatures(relaxedSimd: boolean | 'auto'): Features {
  if (!supports((code) => code.v128(new Uint8Array(16)).op('drop')))
    throw new BackendError(
      'cpu: this engine has no WebAssembly SIMD; use Node 22 or newer, or a browser from 2023 or newer ' +
        '(Chrome 91, Firefox 89, Safari 16.4), or the reference backend.',
    );
  const fullRegisters = knowsHalfFloats();
  if (relaxedSimd === false) return { relaxedSimd: false, fullRegisters };
  if (!supportsMadd()) enableInOldNode();
  const found = supportsMadd();
  if (relaxedSimd === true && !found)
    throw new OptionError(
      "cpu: relaxedSimd is true, but this engine has no WebAssembly relaxed SIMD; use 'auto'.",
    );
  return { relaxedSimd: found, fullRegisters };
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
  // Not an import, which bundlers for browsers would try to resolve.
  const { process } = globalThis as { process?: { getBuiltinModule?(name: string): unknown } };
  const v8 = process?.getBuiltinModule?.('node:v8') as
    | { setFlagsFromString(flags: string): void }
    | undefined;
  v8?.setFlagsFromString('--experimental-wasm-relaxed-simd');
}
