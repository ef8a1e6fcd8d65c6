/** A stretch of the arena, held from the moment of its first value to that of its last. */
export interface Block {
  readonly bytes: number;
  readonly from: number;
  to: number;
  offset: number;
}

/** In which blocks are placed: the first order is nearly always perfect, and the others are tried where it is not. */
const orders: readonly ((a: Block, b: Block) => number)[] = [
  (a, b) => b.bytes - a.bytes || a.from - b.from,
  (a, b) => b.bytes * (b.to - b.from + 1) - a.bytes * (a.to - a.from + 1),
  (a, b) => b.to - b.from - (a.to - a.from) || b.bytes - a.bytes,
  (a, b) => a.from - b.from || b.bytes - a.bytes,
  (a, b) => b.to - a.to || b.bytes - a.bytes,
];

const maxTries = 32;

const endOf = ({ offset, bytes }: Block): number => offset + bytes;

/**
 * Gives blocks their offsets, so that those held at the same time do not overlap.
 * @returns The bytes that they need together: hardly more than the most that is held at one time.
 */
export function packBlocks(blocks: readonly Block[]): number {
  const least = mostHeld(blocks);
  let best = { bytes: Number.POSITIVE_INFINITY, offsets: [] as number[] };
  for (const order of orders) {
    const bytes = placeAll([...blocks].sort(order));
    if (bytes < best.bytes) best = { bytes, offsets: blocks.map(({ offset }) => offset) };
    if (bytes === least) break;
  }
  // What sticks out is placed first the next time.
  const order = [...blocks].sort(orders[0]);
  for (let tries = 0; tries < maxTries && best.bytes > 1.05 * least; tries++) {
    const end = Math.max(...order.map(endOf));
    const highest = order.findLastIndex((block) => endOf(block) === end);
    order.unshift(...order.splice(highest, 1));
    const bytes = placeAll(order);
    if (bytes < best.bytes) best = { bytes, offsets: blocks.map(({ offset }) => offset) };
  }
  for (const [i, block] of blocks.entries()) block.offset = best.offsets[i] as number;
  return best.bytes;
}

/** The largest sum of blocks that are held at the same time. */
export function mostHeld(blocks: readonly Pick<Block, 'bytes' | 'from' | 'to'>[]): number {
  const changes = blocks.flatMap(({ bytes, from, to }) => [
    { at: from, by: bytes },
    { at: to + 0.5, by: -bytes },
  ]);
  let [held, most] = [0, 0];
  for (const { by } of changes.sort((a, b) => a.at - b.at)) {
    held += by;
    most = Math.max(most, held);
  }
  return most;
}

/** Each in the first gap of those before it that is large enough for as long as it is held. */
function placeAll(blocks: readonly Block[]): number {
  const placed: Block[] = []; // by offset
  let top = 0;
  for (const block of blocks) {
    let offset = 0;
    for (const p of placed) {
      if (p.from > block.to || block.from > p.to) continue;
      if (offset + block.bytes <= p.offset) break;
      offset = Math.max(offset, p.offset + p.bytes);
    }
    block.offset = offset;
    top = Math.max(top, offset + block.bytes);
    insert(placed, block);
  }
  return top;
}

function insert(placed: Block[], block: Block): void {
  let [low, high] = [0, placed.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((placed[middle] as Block).offset < block.offset) low = middle + 1;
    else high = middle;
  }
  placed.splice(low, 0, block);
}
