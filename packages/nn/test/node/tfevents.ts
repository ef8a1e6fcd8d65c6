/** A reader of TensorBoard's event files, written from the formats' descriptions: TFRecord and protocol buffers. */
import { expect } from 'vitest';

interface ScalarEvent {
  step: number;
  version?: string;
  scalars: Record<string, number>;
}

export function readEvents(file: Buffer): ScalarEvent[] {
  const events: ScalarEvent[] = [];
  for (let at = 0; at < file.length; ) {
    const length = Number(file.readBigUInt64LE(at));
    expect(file.readUInt32LE(at + 8)).toBe(maskedCrc(file.subarray(at, at + 8)));
    const data = file.subarray(at + 12, at + 12 + length);
    expect(file.readUInt32LE(at + 12 + length)).toBe(maskedCrc(data));
    events.push(eventOf(data));
    at += 16 + length;
  }
  return events;
}

function eventOf(data: Buffer): ScalarEvent {
  const event: ScalarEvent = { step: 0, scalars: {} };
  for (const { field, value } of fieldsOf(data)) {
    if (field === 2) event.step = Number(value);
    if (field === 3) event.version = String(value);
    if (field !== 5) continue;
    for (const summary of fieldsOf(value as Buffer)) {
      const parts = new Map(fieldsOf(summary.value as Buffer).map((f) => [f.field, f.value]));
      event.scalars[String(parts.get(1))] = (parts.get(2) as Buffer).readFloatLE();
    }
  }
  return event;
}

/** Varints as bigint, everything else as bytes. */
function fieldsOf(data: Buffer): { field: number; value: bigint | Buffer }[] {
  const fields: { field: number; value: bigint | Buffer }[] = [];
  let at = 0;
  const varint = (): bigint => {
    let result = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = data.readUInt8(at++);
      result |= BigInt(byte & 127) << shift;
      if (byte < 128) return result;
    }
  };
  const take = (bytes: number): Buffer => {
    at += bytes;
    return data.subarray(at - bytes, at);
  };
  const read: Readonly<Record<number, () => bigint | Buffer>> = {
    0: varint,
    1: () => take(8),
    2: () => take(Number(varint())),
    5: () => take(4),
  };
  while (at < data.length) {
    const tag = Number(varint());
    const value = read[tag & 7]?.();
    if (value === undefined) throw new Error(`wire type ${tag & 7}`);
    fields.push({ field: tag >> 3, value });
  }
  return fields;
}

/** Bit by bit, with the bits in the order in which the polynomial is written. */
function maskedCrc(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  const reverse = (x: number, bits: number) => {
    let result = 0;
    for (let i = 0; i < bits; i++) if ((x >>> i) & 1) result |= 1 << (bits - 1 - i);
    return result >>> 0;
  };
  for (const byte of bytes) {
    crc ^= reverse(byte, 8) << 24;
    for (let i = 0; i < 8; i++) crc = crc & 0x80000000 ? (crc << 1) ^ 0x1edc6f41 : crc << 1;
  }
  const value = reverse(~crc >>> 0, 32);
  return (((value >>> 15) | (value << 17)) + 0xa282ead8) >>> 0;
}
