import { NeumannError } from '@neumann/core';

/** Where in a model an error came from, kept on the error so that enclosing layers can put their names in front. */
interface Located {
  readonly layer: string;
  readonly cause: NeumannError;
}

/**
 * Runs `f` for the layer `name`; an error of this library leaves with the path of the layer in front of its message
 * and with its class unchanged: `block1.conv: conv2d: x must be …`.
 */
export function atLayer<T>(name: string, f: () => T): T {
  try {
    return f();
  } catch (error) {
    if (!(error instanceof NeumannError)) throw error;
    const inner = isLocated(error) ? error : undefined;
    const layer = inner ? `${name}${inner.layer.startsWith('[') ? '' : '.'}${inner.layer}` : name;
    const cause = inner?.cause ?? error;
    const Kind = error.constructor as new (message: string, options: ErrorOptions) => NeumannError;
    throw Object.assign(new Kind(`${layer}: ${cause.message}`, { cause }), { layer });
  }
}

function isLocated(error: NeumannError): error is NeumannError & Located {
  return 'layer' in error && error.cause instanceof NeumannError;
}
