import { gzipSync } from 'node:zlib';
import { FileError, OptionError, tensor } from '@neumann/core';
import {
  decodeCifar,
  decodeCifarTar,
  decodeIdx,
  decodeNpy,
  decodeNpz,
  encodeNpy,
  encodeNpz,
  gunzip,
  hostArray,
  parseCsv,
  readTar,
} from '@neumann/nn/data';
import fc from 'fast-check';
import { zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

const concat = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

/** An IDX file of bytes. */
const idx = (shape: readonly number[], data: readonly number[]): Uint8Array =>
  Uint8Array.from([
    0,
    0,
    8,
    shape.length,
    ...shape.flatMap((n) => [n >>> 24, (n >> 16) & 255, (n >> 8) & 255, n & 255]),
    ...data,
  ]);

/** A ustar archive. */
function tar(files: Readonly<Record<string, Uint8Array>>): Uint8Array {
  const blocks = Object.entries(files).map(([name, data]) => {
    const header = new Uint8Array(512);
    const put = (text: string, at: number) => header.set(ascii(text), at);
    put(name, 0);
    put('0000644\0', 100);
    put(`${data.length.toString(8).padStart(11, '0')}\0`, 124);
    put('        0', 148);
    put('ustar\u000000', 257);
    const sum = header.reduce((a, b) => a + b, 0);
    put(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    return concat(header, data, new Uint8Array((512 - (data.length % 512)) % 512));
  });
  return concat(...blocks, new Uint8Array(1024));
}

describe('idx', () => {
  test('bytes keep their shape, and big-endian numbers their value', () => {
    const digits = decodeIdx(idx([2, 1, 2], [1, 2, 3, 255]));
    expect(digits.shape).toEqual([2, 1, 2]);
    expect(tensor(digits).toArray()).toEqual([[[1, 2]], [[3, 255]]]);
    expect(decodeIdx(new Uint8Array([0, 0, 13, 1, 0, 0, 0, 1, 0x3f, 0xc0, 0, 0])).data).toEqual(
      new Float32Array([1.5]),
    );
    expect(decodeIdx(new Uint8Array([0, 0, 11, 1, 0, 0, 0, 1, 0xff, 0xfe])).data).toEqual(
      new Int32Array([-2]),
    );
  });

  test('what is foreign, truncated, too long or too large is refused, and nothing is allocated for it', () => {
    expect(() => decodeIdx(gzipSync(idx([1], [1])))).toThrow(/begins with 1f 8b .*is it still packed\?/);
    expect(() => decodeIdx(new Uint8Array())).toThrow(/begins with nothing/);
    expect(() => decodeIdx(idx([3], [1, 2]))).toThrow(
      'idx: the file is truncated: shape [3] takes 11 bytes, but there are 10.',
    );
    expect(() => decodeIdx(idx([1], [1, 2]))).toThrow(/has more than the array/);
    expect(() => decodeIdx(idx([2 ** 31, 2 ** 31, 2 ** 31], []))).toThrow(
      /more than the 2147483647 elements/,
    );
    expect(() => decodeIdx(new Uint8Array([0, 0, 8, 255, 0]))).toThrow(/255 extents end at 1024/);
  });
});

describe('gunzip', () => {
  test('unpacks', async () => {
    expect(await gunzip(gzipSync('hello'))).toEqual(ascii('hello'));
  });

  test('a bomb, a truncated file and another format are refused', async () => {
    const bomb = gzipSync(new Uint8Array(50_000_000));
    await expect(gunzip(bomb, { maxBytes: 1_000_000 })).rejects.toThrow(
      /unpack to more than the 1000000 allowed/,
    );
    await expect(gunzip(gzipSync('hello').subarray(0, -3))).rejects.toThrow(FileError);
    await expect(gunzip(ascii('hello'))).rejects.toThrow('no gzip file');
  });
});

describe('tar', () => {
  test('files come out by name', () => {
    const entries = readTar(tar({ 'a/b.txt': ascii('one'), 'c.bin': new Uint8Array(1000).fill(7) }));
    expect(entries.map(({ name, data }) => [name, data.length])).toEqual([
      ['a/b.txt', 3],
      ['c.bin', 1000],
    ]);
  });

  test.each(['../etc/passwd', '/etc/passwd', 'a/../../b', 'C:\\windows'])(
    'the name %s is refused',
    (name) => {
      expect(() => readTar(tar({ [name]: ascii('x') }))).toThrow(/leads out of the archive/);
    },
  );

  test('damaged, truncated and foreign archives are refused', () => {
    const good = tar({ a: new Uint8Array(600) });
    expect(() => readTar(good.subarray(0, 900))).toThrow(/truncated/);
    expect(() => readTar(good.with(3, 65))).toThrow(/checksum/);
    expect(() => readTar(ascii('no archive'))).toThrow(/hold no entry/);
  });
});

describe('cifar', () => {
  const record = (label: number): number[] => [
    label,
    ...Array.from({ length: 3072 }, (_, i) => (i < 1024 ? 1 : i < 2048 ? 2 : 3)),
  ];

  test('planes become channels', () => {
    const { images, labels } = decodeCifar(Uint8Array.from([...record(3), ...record(9)]), 10);
    expect(images.shape).toEqual([2, 32, 32, 3]);
    expect([images.get(1, 5, 7, 0), images.get(1, 5, 7, 1), images.get(1, 5, 7, 2)]).toEqual([1, 2, 3]);
    expect(labels.data).toEqual(new Uint8Array([3, 9]));
  });

  test('an archive gives both parts; a missing file, another size and a bad label are refused', () => {
    const one = Uint8Array.from(record(1));
    const names = [
      'data_batch_1.bin',
      'data_batch_2.bin',
      'data_batch_3.bin',
      'data_batch_4.bin',
      'data_batch_5.bin',
      'test_batch.bin',
    ];
    const files = Object.fromEntries(names.map((name) => [`cifar-10-batches-bin/${name}`, one]));
    const { training, test: tested } = decodeCifarTar(tar(files), 10);
    expect([training.labels.size, tested.labels.size]).toEqual([5, 1]);
    expect(() => decodeCifarTar(tar(files), 100)).toThrow(/no train.bin; it has data_batch_1.bin/);
    expect(() => decodeCifar(one.subarray(1), 10)).toThrow(
      /3072 bytes are no whole number of CIFAR-10 records of 3073/,
    );
    expect(() => decodeCifar(Uint8Array.from(record(10)), 10)).toThrow(
      'cifar: image 0 has the label 10, but CIFAR-10 has labels 0 to 9.',
    );
  });
});

const arrays = [Uint8Array, Int32Array, Uint32Array, Float32Array, Float64Array] as const;

describe('npy and npz', () => {
  test('what is written is read', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...arrays),
        fc.array(fc.nat({ max: 4 }), { maxLength: 4 }),
        (array, shape) => {
          const values = new array(shape.reduce((p, n) => p * n, 1)).map((_, i) => i * 3);
          const read = decodeNpy(encodeNpy(values, shape));
          expect([read.data, read.shape]).toEqual([values, shape]);
        },
      ),
    );
  });

  test("NumPy's own bytes: np.save of [[1, 2], [3, 4]] in Fortran order, big-endian int16", () => {
    const dictionary = "{'descr': '>i2', 'fortran_order': True, 'shape': (2, 2), }";
    const header = `${dictionary.padEnd(117)}\n`;
    const file = concat(
      new Uint8Array([0x93]),
      ascii('NUMPY\u0001\u0000'),
      new Uint8Array([header.length, 0]),
      ascii(header),
      new Uint8Array([0, 1, 0, 3, 0, 2, 0, 4]),
    );
    expect(tensor(decodeNpy(file)).toArray()).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  test('objects, wide integers, truncated and foreign files are refused', () => {
    const file = encodeNpy(new Float64Array(4));
    expect(() => decodeNpy(file.subarray(0, -1))).toThrow(/truncated/);
    expect(() => decodeNpy(concat(file, file))).toThrow(/has more than the array/);
    expect(() => decodeNpy(ascii('PK no array here'))).toThrow(/x93NUMPY/);
    const patched = (from: string, to: string) =>
      Uint8Array.from(Buffer.from(Buffer.from(file).toString('latin1').replace(from, to), 'latin1'));
    expect(() => decodeNpy(patched("'<f8'", "'|O8'"))).toThrow(/type "\|O8"/);
    expect(() => decodeNpy(patched("'<f8'", "'<i8'").fill(255, -8))).not.toThrow();
    expect(() => decodeNpy(patched("'<f8'", "'<i8'").fill(127, -8))).toThrow(/does not fit int32/);
    expect(() => encodeNpy(new Float32Array(3), [2])).toThrow(OptionError);
  });

  test('npz: arrays by name; bombs, other files and damage are refused', () => {
    const packed = encodeNpz({
      x: hostArray(new Float32Array([1, 2]), [2, 1]),
      y: { data: new Int32Array([3]), shape: [] },
    });
    const { x, y } = decodeNpz(packed);
    expect([x?.shape, x?.data, y?.shape, y?.data]).toEqual([
      [2, 1],
      new Float32Array([1, 2]),
      [],
      new Int32Array([3]),
    ]);
    const bomb = encodeNpz({ zeros: { data: new Float64Array(1_000_000), shape: [1_000_000] } });
    expect(() => decodeNpz(bomb, { maxBytes: 100_000 })).toThrow(/more than the 100000 allowed/);
    expect(() => decodeNpz(zipSync({ 'a.txt': ascii('x') }))).toThrow(/which is no .npy file/);
    expect(() => decodeNpz(packed.subarray(0, 40))).toThrow(FileError);
    expect(() => decodeNpz(ascii('nothing'))).toThrow(FileError);
  });
});

describe('csv', () => {
  test('numbers under their names, with quotes, empty fields and another delimiter', () => {
    const { columns, values } = parseCsv('x;"y; z"\n1;2\n-3e1;\n');
    expect(columns).toEqual(['x', 'y; z']);
    expect(values.shape).toEqual([2, 2]);
    expect([...values.data]).toEqual([1, 2, -30, Number.NaN]);
    expect(parseCsv('1\n2', { header: false }).values.shape).toEqual([2, 1]);
    expect(parseCsv('').values.shape).toEqual([0, 0]);
  });

  test('text, ragged rows, open quotes and double names are refused', () => {
    expect(() => parseCsv('x,y\n1,red')).toThrow('csv: row 2, column "y": "red" is no number.');
    expect(() => parseCsv('x,y\n1')).toThrow('csv: row 2 has 1 fields, but the first has 2.');
    expect(() => parseCsv('x,y\n1,"2')).toThrow(/csv: row .*quot/i);
    expect(() => parseCsv('x,x\n1,2')).toThrow('two columns are named "x"');
  });
});

test('damaged files of any format give a FileError or an array, and nothing else', () => {
  const cases: readonly [Uint8Array, (bytes: Uint8Array) => unknown][] = [
    [idx([2, 3], [1, 2, 3, 4, 5, 6]), decodeIdx],
    [encodeNpy(new Float32Array(6), [2, 3]), decodeNpy],
    [encodeNpz({ a: { data: new Float32Array(6), shape: [2, 3] } }), decodeNpz],
    [tar({ a: ascii('one'), b: ascii('two') }), readTar],
  ];
  fc.assert(
    fc.property(
      fc.constantFrom(...cases),
      fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 }),
      fc.option(fc.nat()),
      ([file, decode], changes, cut) => {
        let bytes = Uint8Array.from(file);
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        if (cut !== null) bytes = bytes.subarray(0, cut % bytes.length);
        try {
          decode(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(FileError);
        }
      },
    ),
    { numRuns: 2000 },
  );
});
