/**
 * How a mode of gpu.js computes. `exact`: WebAssembly, where arithmetic is IEEE's and functions are JavaScript's.
 * `device`: shading languages, whose functions are inaccurate, whose division may round wrongly, and which need not
 * know NaN: everything but + - * / sqrt and floor is written out.
 */
export type Dialect = 'exact' | 'device';
