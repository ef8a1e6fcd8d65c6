import { type DType, dtypes } from '../core.ts';

export const floats: readonly DType[] = ['float32', 'float64'];
export const integers: readonly DType[] = ['int32', 'uint32', 'uint8'];
/** All but bool. */
export const numbers: readonly DType[] = dtypes.filter((d) => d !== 'bool');
