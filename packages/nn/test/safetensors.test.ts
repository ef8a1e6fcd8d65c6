import { FileError, reshape, type Tensor, tensor, treeLeaves, treePaths, zeros } from '@neumann/core';
import { decodeSafetensors, encodeSafetensors, loadInto, safetensorsMetadata } from '@neumann/nn';
import fc from 'fast-check';
import { expect, test } from 'vitest';

/** A file with this header text and data. */
function fileOf(header: string | object, data: readonly number[] = [], length?: bigint): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

const f32 = (shape: number[], begin: number, end: number): object => ({
  dtype: 'F32',
  shape,
  data_offsets: [begin, end],
});
const four = [0, 0, 128, 63]; // 1 as float32

const params = {
  conv1: { w: reshape(tensor([1, 2, 3, 4, 5, 6]), [3, 1, 2, 1]), b: tensor([0.5]) },
  layers: [{ w: tensor([[1.5]], 'float64') }, tensor([1, 2], 'int32')],
};

test('a tree comes back from its bytes, named by its paths', async () => {
  const bytes = await encodeSafetensors(params);
  const tensors = decodeSafetensors(bytes);
  expect(Object.keys(tensors).sort()).toEqual(['conv1.b', 'conv1.w', 'layers[0].w', 'layers[1]']);
  const loaded = loadInto(params, tensors);
  expect(treeLeaves(loaded).map(String)).toEqual(treeLeaves(params).map(String));
});

test("Node's buffers, which share memory, are read like arrays", async () => {
  const bytes = await encodeSafetensors({ a: tensor([1]), b: tensor([2, 3]) });
  const shared = Buffer.concat([Buffer.from([1, 2, 3]), bytes]).subarray(3);
  expect(decodeSafetensors(shared)['b']?.toArray()).toEqual([2, 3]);
});

test('the bytes are those of the format: length, JSON padded to 8 bytes, data', async () => {
  const bytes = await encodeSafetensors({ a: tensor([1]), b: tensor([2, 3], 'float64') }, { note: 'é' });
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  expect(length % 8).toBe(0);
  expect(JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)))).toEqual({
    __metadata__: { note: 'é' },
    b: { dtype: 'F64', shape: [2], data_offsets: [0, 16] }, // wide elements first: all are aligned
    a: { dtype: 'F32', shape: [1], data_offsets: [16, 20] },
  });
  expect([...bytes.subarray(-4)]).toEqual(four);
  expect(bytes.length).toBe(8 + length + 20);
});

test('metadata comes back, and an empty tree is a file', async () => {
  const bytes = await encodeSafetensors({}, { epochs: '10', optimizer: 'neumann' });
  expect(safetensorsMetadata(bytes)).toEqual({ epochs: '10', optimizer: 'neumann' });
  expect(decodeSafetensors(bytes)).toEqual({});
});

const dtypes = ['float32', 'float64', 'int32', 'uint32', 'uint8', 'bool'] as const;

const anyTensor = fc
  .record({
    dtype: fc.constantFrom(...dtypes),
    shape: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 }),
  })
  .chain(({ dtype, shape }) => {
    const size = shape.reduce((n, extent) => n * extent, 1);
    const element = {
      float32: fc.float(),
      float64: fc.double(),
      int32: fc.integer(),
      uint32: fc.nat(),
      uint8: fc.nat(255),
      bool: fc.nat(1),
    }[dtype];
    const array = {
      float32: Float32Array,
      float64: Float64Array,
      int32: Int32Array,
      uint32: Uint32Array,
      uint8: Uint8Array,
      bool: Uint8Array,
    }[dtype];
    return fc
      .array(element, { minLength: size, maxLength: size })
      .map((values): Tensor => reshape(tensor(new array(values), dtype), shape));
  });

const key = fc
  .string({ minLength: 1 })
  .filter((s) => !s.includes('.') && s !== '__metadata__' && s !== '__proto__');
const anyTree = fc.dictionary(key, fc.oneof(anyTensor, fc.array(anyTensor, { minLength: 1, maxLength: 2 })), {
  maxKeys: 4,
});

/** Bits, so that NaN equals NaN and -0 is not 0. */
const bitsOf = (x: Tensor): string =>
  `${x.dtype}[${x.shape}] ${Buffer.from(x.dataSync().buffer).toString('hex')}`;

test('every tree of tensors survives the round trip bit for bit', async () => {
  await fc.assert(
    fc.asyncProperty(anyTree, async (tree) => {
      fc.pre(new Set(treePaths(tree)).size === treePaths(tree).length);
      const loaded = loadInto(tree, decodeSafetensors(await encodeSafetensors(tree)));
      expect(treeLeaves(loaded).map((x) => bitsOf(x as Tensor))).toEqual(
        treeLeaves(tree).map((x) => bitsOf(x as Tensor)),
      );
    }),
    { numRuns: 60 },
  );
});

test('a file cut anywhere, or with a byte more, is refused', async () => {
  const bytes = await encodeSafetensors(params, { a: 'b' });
  for (let length = 0; length < bytes.length; length++)
    expect(() => decodeSafetensors(bytes.slice(0, length)), `${length} bytes`).toThrow(FileError);
  expect(() => decodeSafetensors(new Uint8Array([...bytes, 0]))).toThrow(
    'safetensors: 1 bytes trail after "layers[1]", at byte 44 of the data.',
  );
});

test('bytes that are changed anywhere give tensors or a FileError, nothing else', async () => {
  const bytes = await encodeSafetensors({ a: tensor([1, 2]), b: tensor([true]) });
  const survives = (at: number, value: number): boolean => {
    const damaged = bytes.slice();
    damaged[at] = value;
    try {
      decodeSafetensors(damaged);
      return true;
    } catch (error) {
      return error instanceof FileError;
    }
  };
  const runs = fc.check(fc.property(fc.nat(bytes.length - 1), fc.nat(255), survives), { numRuns: 500 });
  expect(runs.counterexample).toBeNull();
});

test.each<[string, Uint8Array, string]>([
  [
    'an empty file',
    new Uint8Array(0),
    'the file is truncated: it has 0 bytes, but even an empty one has 10.',
  ],
  [
    'a header longer than the file',
    fileOf('{}', [], 100n),
    'the file is truncated or foreign: bytes 0..8 announce a header of 100 bytes, but 2 follow.',
  ],
  [
    'a huge header',
    fileOf('{}', [], 2n ** 63n),
    'the header would have 9223372036854775808 bytes, more than the 100000000 allowed; this is no safetensors file.',
  ],
  ['another format', fileOf('[1]'), 'the header does not start with "{"; this is no safetensors file.'],
  ['an empty header', fileOf(''), 'the header does not start with "{"; this is no safetensors file.'],
  [
    'a key twice',
    fileOf('{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"\\u0061":1}', four),
    'the header has the key "a" twice.',
  ],
  [
    'a field twice',
    fileOf('{"a":{"dtype":"F32","shape":[],"shape":[1],"data_offsets":[0,4]}}', four),
    'the header has the key "shape" twice.',
  ],
  ['a number for a tensor', fileOf({ a: 3 }), 'tensor "a" must be described by an object, but is 3.'],
  [
    'an unknown field',
    fileOf({ a: { ...f32([], 0, 4), order: 'C' } }, four),
    'tensor "a" has an unknown field "order".',
  ],
  [
    'an unknown dtype',
    fileOf({ a: { dtype: 'BF16', shape: [2], data_offsets: [0, 4] } }, four),
    'tensor "a" has dtype "BF16"; only F32, F64, I32, U32, U8, BOOL exist here.',
  ],
  [
    'no dtype',
    fileOf({ a: { shape: [1], data_offsets: [0, 4] } }, four),
    'tensor "a" has dtype undefined; only F32, F64, I32, U32, U8, BOOL exist here.',
  ],
  [
    'a negative extent',
    fileOf({ a: f32([-1], 0, 4) }, four),
    'tensor "a" has shape [-1], which must be non-negative integers.',
  ],
  [
    'a broken extent',
    fileOf({ a: f32([0.5], 0, 2) }, [0, 0]),
    'tensor "a" has shape [0.5], which must be non-negative integers.',
  ],
  [
    'offsets in the wrong order',
    fileOf({ a: f32([1], 4, 0) }, four),
    'tensor "a" has data_offsets [4,0], which must be [begin, end].',
  ],
  [
    'a shape that does not fit its bytes',
    fileOf({ a: f32([2], 0, 4) }, four),
    'tensor "a" is f32[2], which takes 8 bytes, but its data_offsets [0, 4] hold 4.',
  ],
  [
    'too many elements',
    fileOf({ a: f32([65536, 65536], 0, 4) }, four),
    'tensor "a" has 4294967296 elements, more than the 2147483647 a tensor can have.',
  ],
  [
    'tensors that overlap',
    fileOf({ a: f32([2], 0, 8), b: f32([1], 4, 8) }, [...four, ...four]),
    'tensor "b" begins at byte 4 of the data and overlaps "a", which ends at 8.',
  ],
  [
    'a gap',
    fileOf({ a: f32([1], 0, 4), b: f32([1], 8, 12) }, [...four, ...four, ...four]),
    'bytes 4..8 of the data, between "a" and "b", belong to no tensor.',
  ],
  [
    'data that ends early',
    fileOf({ a: f32([2], 0, 8) }, four),
    'the file is truncated: tensor "a" ends at byte 8 of the data, of which there are 4.',
  ],
  [
    'trailing bytes',
    fileOf({ a: f32([1], 0, 4) }, [...four, 1, 2]),
    '2 bytes trail after "a", at byte 4 of the data.',
  ],
  [
    'a bool that is 2',
    fileOf({ a: { dtype: 'BOOL', shape: [2], data_offsets: [0, 2] } }, [1, 2]),
    'tensor "a" is bool, but its byte 1 is 2.',
  ],
  [
    'metadata that is no string',
    fileOf({ __metadata__: { epoch: 3 } }),
    '__metadata__.epoch must be a string, but is 3.',
  ],
  [
    'metadata that is no object',
    fileOf({ __metadata__: null }),
    '__metadata__ must be an object of strings.',
  ],
])('%s is refused', (_, bytes, message) => {
  const decode = (): unknown => decodeSafetensors(bytes);
  expect(decode).toThrow(FileError);
  expect(decode).toThrow(new FileError(`safetensors: ${message}`));
});

test('a header that is no JSON, or no UTF-8, is refused', () => {
  expect(() => decodeSafetensors(fileOf('{"a":'))).toThrow(/^safetensors: the header is not JSON in UTF-8: /);
  const bytes = fileOf('{"a":"?"}');
  bytes[8 + 6] = 0xff;
  expect(() => decodeSafetensors(bytes)).toThrow(/^safetensors: the header is not JSON in UTF-8: /);
  expect(() => decodeSafetensors(fileOf('{"a":'.repeat(100_000)))).toThrow(FileError);
});

test('headers of many megabytes, in one key or in many, are read without a stack overflow', () => {
  const key = '\\u0041\\"'.repeat(1_000_000);
  expect(() => decodeSafetensors(fileOf(`{"${key}":1}`))).toThrow(
    /^safetensors: tensor "A\\"A.{90,110}… must be described/,
  );
  expect(() => decodeSafetensors(fileOf(`{"a":"${key}"}`))).toThrow(
    /^safetensors: tensor "a" must be described by an object, but is .{101}\.$/,
  );
  expect(() => decodeSafetensors(fileOf(`${'{"a":'.repeat(1e6)}1${'}'.repeat(1e6)}`))).toThrow(FileError);
});

test('names that are members of every object are only names', () => {
  const bytes = fileOf(
    `{"__proto__":${JSON.stringify(f32([1], 0, 4))},"toString":${JSON.stringify(f32([1], 4, 8))}}`,
    [...four, ...four],
  );
  const tensors = decodeSafetensors(bytes);
  expect(Object.keys(tensors)).toEqual(['__proto__', 'toString']);
  expect(() => loadInto({ valueOf: zeros([1]) }, tensors)).toThrow(
    /^loadInto: the model needs valueOf f32\[1\]/,
  );
});

test('a file that does not fit the model is refused by name', () => {
  const model = { a: zeros([2]), b: zeros([3]) };
  expect(() => loadInto(model, { a: zeros([2]), c: zeros([3]) })).toThrow(
    'loadInto: the model needs b f32[3], but the file has only a, c.',
  );
  expect(() => loadInto(model, { a: zeros([2]), b: zeros([4]) })).toThrow(
    'loadInto: b must be f32[3], but is f32[4] in the file.',
  );
  expect(() => loadInto(model, { a: zeros([2]), b: zeros([3], 'float64') })).toThrow(
    'loadInto: b must be f32[3], but is f64[3] in the file.',
  );
  expect(() => loadInto(model, { a: zeros([2]), b: zeros([3]), c: zeros([1]) })).toThrow(
    'loadInto: the file has a tensor "c", but the model has no such leaf.',
  );
  expect(() => loadInto(model, {})).toThrow(FileError);
});

test('trees that cannot be told apart by their paths are refused', async () => {
  await expect(encodeSafetensors({ 'a.b': zeros([1]), a: { b: zeros([1]) } })).rejects.toThrow(
    'encodeSafetensors: two leaves have the path a.b; use keys without dots.',
  );
  await expect(encodeSafetensors({ __metadata__: zeros([1]) })).rejects.toThrow(
    /^encodeSafetensors: __metadata__ cannot/,
  );
  await expect(encodeSafetensors({}, { epoch: 3 as never })).rejects.toThrow(
    'encodeSafetensors: metadata.epoch must be a string, but is 3.',
  );
});
