/** How the elements of a value lie in a texture, by their number alone. */
export interface Layout {
  /** Texels in a row: a power of two, so that the place of an element is found by shifts. */
  readonly width: number;
  readonly height: number;
  /** Elements in a texel. Four are read and written at once, but one program then computes four. */
  readonly lanes: 1 | 4;
}

/** Fewer elements lie one in a texel, so that a device computes all of them at the same time. */
const packedFrom = 2 ** 12;

export function layoutOf(size: number): Layout {
  return layoutOfTexels(size, size < packedFrom ? 1 : 4);
}

/** About a square, because devices draw squares of pixels at a time. */
export function layoutOfTexels(size: number, lanes: 1 | 4): Layout {
  const texels = Math.max(1, Math.ceil(size / lanes));
  const width = 2 ** Math.ceil(Math.log2(texels) / 2);
  return { width, height: Math.ceil(texels / width), lanes };
}

/** GLSL: the place of a texel, given the text of its number. */
export function texelAt({ width }: Layout, number: string): string {
  return `ivec2(${number} & ${width - 1}, ${number} >> ${Math.log2(width)})`;
}

/** GLSL: a function `name` that reads the element of a sampler at a flat index. */
export function elementFunction(name: string, sampler: string, layout: Layout): string {
  const [number, element] = layout.lanes === 4 ? ['(i >> 2)', '[i & 3]'] : ['i', '.x'];
  return `float ${name}(int i) { return texelFetch(${sampler}, ${texelAt(layout, number)}, 0)${element}; }`;
}
