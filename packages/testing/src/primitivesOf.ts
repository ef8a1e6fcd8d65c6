import { currentTrace, type Tensor, type Trace, withTrace } from './core.ts';

/** Sees every primitive on its way to the interpreter below. */
class Watch implements Trace {
  readonly name = 'watch';
  readonly names: Set<string>;
  readonly parent: Trace;

  constructor(names: Set<string>, parent: Trace) {
    this.names = names;
    this.parent = parent;
  }

  bind(...[primitive, inputs, params]: Parameters<Trace['bind']>): Tensor[] {
    this.names.add(primitive.name);
    return withTrace(this.parent, () => this.parent.bind(primitive, inputs, params));
  }
}

/** Names of the primitives that `f` applies, with its derivatives if it is transformed within. */
export function primitivesOf(f: () => unknown): Set<string> {
  const names = new Set<string>();
  withTrace(new Watch(names, currentTrace()), f);
  return names;
}
