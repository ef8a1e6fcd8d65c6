import {
  type BinaryOp,
  type DType,
  InternalError,
  isFloat,
  type Kernel,
  nodesOf,
  scalarFunctions,
  type UnaryOp,
} from '@neumann/core/backend';
import type { Callable, Code, Local } from '../asm/code.ts';
import type { ModuleBuilder } from '../asm/module.ts';
import type { Features } from '../features.ts';
import type { Node } from './node.ts';
import { emitSpecial, isSpecial, NEEDS_FALLBACK, type SpecialName } from './special.ts';

const foreignUnary = [
  'exp',
  'expm1',
  'log',
  'log1p',
  'sin',
  'cos',
  'tan',
  'asin',
  'acos',
  'atan',
  'sinh',
  'cosh',
  'tanh',
  'asinh',
  'acosh',
  'atanh',
  'erf',
  'erfc',
  'erfInv',
  'sigmoid',
] as const;
const foreignBinary = ['pow', 'atan2', 'rem'] as const;

/** Float operations that WebAssembly lacks. */
export type ForeignName = (typeof foreignUnary)[number] | (typeof foreignBinary)[number];

/** They are imported from JavaScript and applied lane by lane, unless {@link specialName} has them. */
const foreign: Readonly<Record<ForeignName, (x: number, y: number) => number>> = {
  ...scalarFunctions,
  rem: (x, y) => x % y,
};

/** What a module of plans may import besides memory. */
export const foreignFunctions: Readonly<Record<string, (x: number, y: number) => number>> = foreign;

/**
 * Whether functions are those of JavaScript's `Math`, which every thread has. The others are code of core: kernels that
 * import them are run by the first thread alone.
 */
export function everywhere(names: ReadonlySet<ForeignName>): boolean {
  return [...names].every((name) => foreign[name] === (Math as unknown as Record<string, unknown>)[name]);
}

/** The imported function that computes an operation, if there is one. */
export function foreignName(dtype: DType, op: UnaryOp | BinaryOp): ForeignName | undefined {
  if (!isFloat(dtype) || specialName(dtype, op)) return undefined;
  return [...foreignUnary, ...foreignBinary].find((name) => name === op);
}

/** The function of vectors that computes an operation, if there is one. */
export function specialName(dtype: DType, op: UnaryOp | BinaryOp): SpecialName | undefined {
  return dtype === 'float32' && isSpecial(op) ? op : undefined;
}

/** Whether a node is computed by a call and not by instructions. */
export function callsOut(node: Node): boolean {
  if (node.kind !== 'unary' && node.kind !== 'binary') return false;
  if (foreignName(node.dtype, node.op)) return true;
  return !isFloat(node.dtype) && node.op === 'pow';
}

/** The functions that kernels import, by name. */
export function foreignNames(kernels: readonly Kernel[]): Set<ForeignName> {
  const names = new Set<ForeignName>();
  for (const expr of nodesOf(kernels.flatMap((k) => [...k.reductions.map((r) => r.value), ...k.outputs]))) {
    if (expr.kind !== 'unary' && expr.kind !== 'binary') continue;
    const special = specialName(expr.dtype, expr.op);
    const name = special && NEEDS_FALLBACK.has(special) ? special : foreignName(expr.dtype, expr.op);
    if (name) names.add(name);
  }
  return names;
}

/** The functions of one module: those it imports, and helpers defined when first used. */
export class Functions {
  readonly #builder: ModuleBuilder;
  /** Whether the engine has relaxed SIMD. */
  readonly relaxed: boolean;
  readonly #specials = new Map<SpecialName, Callable>();
  readonly #imports = new Map<ForeignName, Callable>();
  readonly #helpers = new Map<IntegerHelper, Callable>();

  constructor(builder: ModuleBuilder, names: Iterable<ForeignName>, { relaxedSimd }: Features) {
    this.#builder = builder;
    this.relaxed = relaxedSimd;
    for (const name of names) {
      const isBinary = foreignBinary.some((binary) => binary === name);
      const params = isBinary ? (['f64', 'f64'] as const) : (['f64'] as const);
      this.#imports.set(name, builder.import(name, { params, results: ['f64'] }));
    }
  }

  foreign(name: ForeignName): Callable {
    const found = this.#imports.get(name);
    if (!found) throw new InternalError(`emit: function ${name} was not imported.`);
    return found;
  }

  /** x (and y, for pow) -> the function of them, for float32 vectors. */
  applySpecial(code: Code, name: SpecialName): void {
    const [x, y] = [code.local('v128'), code.local('v128')];
    if (name === 'pow') code.set(y);
    code.set(x);
    this.#emitSpecial(code, name, x, y);
  }

  #emitSpecial(code: Code, name: SpecialName, x: Local, y: Local): void {
    const fallback = () => code.call(this.foreign(name));
    emitSpecial(name, { code, fused: this.relaxed, fallback }, x, y);
  }

  /** The same as a function, where a call is short enough: for scalars. */
  special(name: SpecialName): Callable {
    let found = this.#specials.get(name);
    if (!found) {
      const params = name === 'pow' ? (['v128', 'v128'] as const) : (['v128'] as const);
      found = this.#builder.define({ params, results: ['v128'] }, (code, [x = 0, y = 0]) =>
        this.#emitSpecial(code, name, x, y),
      );
      this.#specials.set(name, found);
    }
    return found;
  }

  helper(name: IntegerHelper): Callable {
    let found = this.#helpers.get(name);
    if (!found) {
      const body = integerHelpers[name];
      found = this.#builder.define({ params: ['i32', 'i32'], results: ['i32'] }, (code, [x, y]) =>
        body(code, x ?? 0, y ?? 1),
      );
      this.#helpers.set(name, found);
    }
    return found;
  }
}

export type IntegerHelper = 'div_s' | 'div_u' | 'rem_s' | 'rem_u' | 'pow_s' | 'pow_u';

/** Integer operations that would trap, or need a loop: `(x, y) -> i32`. */
const integerHelpers: Readonly<Record<IntegerHelper, (code: Code, x: Local, y: Local) => void>> = {
  div_s: (code, x, y) => {
    const byMinusOne = () => code.i32(0).get(x).op('i32.sub');
    const divide = () => code.get(x).get(y).op('i32.div_s');
    const otherwise = () => code.get(y).i32(-1).op('i32.eq').choose('i32', byMinusOne, divide);
    code
      .get(y)
      .op('i32.eqz')
      .choose('i32', () => code.i32(-1), otherwise);
  },
  div_u: (code, x, y) => {
    code
      .get(y)
      .op('i32.eqz')
      .choose(
        'i32',
        () => code.i32(-1),
        () => code.get(x).get(y).op('i32.div_u'),
      );
  },
  rem_s: (code, x, y) => {
    code
      .get(y)
      .op('i32.eqz')
      .choose(
        'i32',
        () => code.get(x),
        () => code.get(x).get(y).op('i32.rem_s'),
      );
  },
  rem_u: (code, x, y) => {
    code
      .get(y)
      .op('i32.eqz')
      .choose(
        'i32',
        () => code.get(x),
        () => code.get(x).get(y).op('i32.rem_u'),
      );
  },
  pow_s: (code, x, y) => {
    const sign = () => code.i32(1).get(y).i32(1).op('i32.and').i32(1).op('i32.shl').op('i32.sub'); // (-1) ** y
    const reciprocal = () => {
      code
        .get(x)
        .i32(1)
        .op('i32.eq')
        .choose(
          'i32',
          () => code.i32(1),
          () => {
            code
              .get(x)
              .i32(-1)
              .op('i32.eq')
              .choose('i32', sign, () => code.i32(0));
          },
        );
    };
    code
      .get(y)
      .i32(0)
      .op('i32.lt_s')
      .choose('i32', reciprocal, () => powerBySquaring(code, x, y));
  },
  pow_u: powerBySquaring,
};

function powerBySquaring(code: Code, x: Local, y: Local): void {
  const power = code.local('i32');
  code.i32(1).set(power);
  code.block((end) =>
    code.loop((again) => {
      code.get(y).op('i32.eqz').branchIf(end);
      code
        .get(y)
        .i32(1)
        .op('i32.and')
        .if(() => code.get(power).get(x).op('i32.mul').set(power));
      code.get(x).get(x).op('i32.mul').set(x);
      code.get(y).i32(1).op('i32.shr_u').set(y).branch(again);
    }),
  );
  code.get(power);
}
