/** What the structural primitives mean, as plain loops over index vectors: nothing here shares code with core. */
import type { ConvGeometry, Shape, WindowGeometry } from './core.ts';
import type { HostTensor } from './host.ts';

/** All index vectors of a shape, in row-major order. */
export function* points(shape: Shape): Generator<number[]> {
  if (shape.includes(0)) return;
  const at = shape.map(() => 0);
  for (;;) {
    yield [...at];
    let axis = shape.length - 1;
    while (axis >= 0 && ++(at[axis] as number) === shape[axis]) at[axis--] = 0;
    if (axis < 0) return;
  }
}

/** The place of an index vector in row-major order; -1 if it is out of range. */
export function placeOf(shape: Shape, at: readonly number[]): number {
  let place = 0;
  for (const [axis, n] of shape.entries()) {
    const i = at[axis] as number;
    if (i < 0 || i >= n) return -1;
    place = place * n + i;
  }
  return place;
}

export function read({ shape, values }: HostTensor, at: readonly number[]): number {
  return values[placeOf(shape, at)] as number;
}

/** Elements of `shape` by a function of the index vector. */
export function build(shape: Shape, element: (at: number[]) => number): number[] {
  return Array.from(points(shape), element);
}

/** Elements of `shape` that are sums of contributions. */
export function accumulate(
  shape: Shape,
  contribute: (give: (at: readonly number[], value: number) => void) => void,
): number[] {
  const result = new Array<number>(shape.reduce((n, extent) => n * extent, 1)).fill(0);
  contribute((at, value) => {
    const place = placeOf(shape, at);
    if (place >= 0) result[place] = (result[place] as number) + value;
  });
  return result;
}

/** Folds elements over `axes`; `fold` gets the elements of one result in row-major order of those axes. */
export function foldAxes(
  x: HostTensor,
  axes: readonly number[],
  fold: (elements: number[]) => number,
): number[] {
  const kept = x.shape.map((_, i) => i).filter((i) => !axes.includes(i));
  return build(
    kept.map((i) => x.shape[i] as number),
    (outer) =>
      fold(
        build(
          axes.map((i) => x.shape[i] as number),
          (inner) => {
            const at = x.shape.map(() => 0);
            for (const [j, i] of kept.entries()) at[i] = outer[j] as number;
            for (const [j, i] of axes.entries()) at[i] = inner[j] as number;
            return read(x, at);
          },
        ),
      ),
  );
}

/** Every pair of an input position and an output position that a window of positions `k` connects. */
export function* connections(
  { x, y, stride, padLow }: Pick<WindowGeometry, 'x' | 'y' | 'stride' | 'padLow'>,
  window: Shape,
  dilation: readonly number[],
  dilateX: readonly number[] = x.map(() => 1),
): Generator<{ i: number[]; o: number[]; k: number[] }> {
  for (const o of points(y))
    for (const k of points(window)) {
      const position = o.map(
        (at, d) =>
          at * (stride[d] as number) + (k[d] as number) * (dilation[d] as number) - (padLow[d] as number),
      );
      if (position.some((p, d) => p % (dilateX[d] as number) !== 0)) continue;
      const i = position.map((p, d) => p / (dilateX[d] as number));
      if (placeOf(x, i) >= 0) yield { i, o, k };
    }
}

/** One operand of the trilinear form of a convolution from the other two. */
export function defineConv(target: 'x' | 'w' | 'y', g: ConvGeometry, a: HostTensor, b: HostTensor): number[] {
  const shape = {
    x: [g.n, ...g.x, g.c],
    w: [...g.kernel, g.c / g.groups, g.f],
    y: [g.n, ...g.y, g.f],
  }[target];
  const [perC, perF] = [g.c / g.groups, g.f / g.groups];
  return accumulate(shape, (give) => {
    for (const { i, o, k } of connections(g, g.kernel, g.dilateW, g.dilateX))
      for (const [n, group, c, f] of points([g.n, g.groups, perC, perF]) as Iterable<
        [number, number, number, number]
      >) {
        const atX = [n, ...i, group * perC + c];
        const atW = [...k, c, group * perF + f];
        const atY = [n, ...o, group * perF + f];
        if (target === 'y') give(atY, read(a, atX) * read(b, atW));
        else if (target === 'x') give(atX, read(a, atW) * read(b, atY));
        else give(atW, read(a, atX) * read(b, atY));
      }
  });
}
