import { firstLayer } from './direct.ts';
import { gemm, gemmWork } from './gemm.ts';
import { Memory } from './memory.ts';
import { pool } from './pointwise.ts';
import { COLUMNS } from './tile.ts';
import { flipped, POINTS, winograd, winogradWork } from './winograd.ts';

/** Elements of one image at each stage, and of the parameters. */
const IMAGE = { x: 784, a1: 12544, p1: 3136, a2: 6272, p2: 1568, logits: 10 } as const;
const PARAMS = { w1: 144, b1: 16, w2: 4608, b2: 32, w3: 15680, b3: 10 } as const;

const RATE = 0.01;

/**
 * A training step of conv 3×3 (1 → 16), relu, max pool, conv 3×3 (16 → 32), relu, max pool, dense (1568 → 10), softmax
 * cross-entropy, on `batch` random images of 28 × 28 of class 0. Gives the loss.
 */
export function smallNetStep(batch: number): () => number {
  const memory = new Memory();
  const takeAll = <K extends string>(sizes: Readonly<Record<K, number>>, times = 1) =>
    Object.fromEntries(
      Object.entries<number>(sizes).map(([name, size]) => [name, memory.take(size * times)]),
    ) as Record<K, number>;
  const [values, slopes] = [takeAll(IMAGE, batch), takeAll(IMAGE, batch)];
  const [params, grads] = [takeAll(PARAMS), takeAll(PARAMS)];
  const second = { size: 14, from: 16, to: 32, relu: true } as const;
  const back = { size: 14, from: 32, to: 16 } as const;
  const points = POINTS * 16 * 32;
  const packed = takeAll({ w1: PARAMS.w1, back: PARAMS.w2, u: points, uBack: points, du: points, zeros: 16 });
  const work = takeAll({
    first: 900,
    second: winogradWork(second),
    back: winogradWork(back),
    dense: gemmWork(1568),
  });

  const conv1 = memory.load((builder) => firstLayer(builder, 28, 16));
  const pool1 = memory.load((builder) => pool(builder, 28, 16));
  const conv2 = memory.load((builder) => winograd(builder, second));
  const conv2Back = memory.load((builder) => winograd(builder, back));
  const pool2 = memory.load((builder) => pool(builder, 14, 32));
  const dense = memory.load((builder) => {
    const [rows, columns] = [(n: number) => ({ row: n, column: 1 }), (n: number) => ({ row: 1, column: n })];
    gemm(builder, { m: batch, n: 10, k: 1568, a: rows(1568), b: rows(10) }, 'forward');
    gemm(builder, { m: 1568, n: 10, k: batch, a: columns(1568), b: rows(10) }, 'weights');
    gemm(builder, { m: batch, n: 1568, k: 10, a: rows(10), b: columns(10) }, 'input');
  });

  const names = Object.keys(PARAMS) as (keyof typeof PARAMS)[];
  const views = names.map((name) => ({
    p: memory.floats(params[name], PARAMS[name]),
    g: memory.floats(grads[name], PARAMS[name]),
  }));
  const [logits, dLogits] = [values, slopes].map((places) => memory.floats(places.logits, batch * 10)) as [
    Float32Array,
    Float32Array,
  ];
  const [w1, , w2, , , b3] = views;
  if (!w1 || !w2 || !b3) throw new Error('no parameters');
  const [panels, turned, du] = [
    memory.floats(packed.w1, PARAMS.w1),
    memory.floats(packed.back, PARAMS.w2),
    memory.floats(packed.du, points),
  ];

  const pack = () => {
    for (let i = 0; i < PARAMS.w1; i++) {
      const [panel, tap] = [Math.floor(i / (9 * COLUMNS)), Math.floor(i / COLUMNS) % 9];
      panels[i] = w1.p[16 * tap + COLUMNS * panel + (i % COLUMNS)] ?? 0;
    }
    conv2.pack(params.w2, packed.u, work.second);
    flipped(w2.p, 16, 32, turned);
    conv2Back.pack(packed.back, packed.uBack, work.back);
  };

  const crossEntropy = (): number => {
    let loss = 0;
    for (let row = 0; row < 10 * batch; row += 10) {
      let [max, total] = [-Infinity, 0];
      for (let j = 0; j < 10; j++) max = Math.max(max, (logits[row + j] ?? 0) + (b3.p[j] ?? 0));
      for (let j = 0; j < 10; j++) total += Math.exp((logits[row + j] ?? 0) + (b3.p[j] ?? 0) - max);
      for (let j = 0; j < 10; j++) {
        const p = Math.exp((logits[row + j] ?? 0) + (b3.p[j] ?? 0) - max) / total;
        const slope = (p - Number(j === 0)) / batch;
        if (j === 0) loss -= Math.log(p) / batch;
        dLogits[row + j] = slope;
        b3.g[j] = (b3.g[j] ?? 0) + slope;
      }
    }
    return loss;
  };

  const random = Float32Array.from({ length: batch * IMAGE.x }, () => Math.random() - 0.5);
  memory.floats(values.x, random.length).set(random);
  for (const [i, { p }] of views.entries())
    if (i % 2 === 0) p.set(random.subarray(0, p.length).map((v) => v / 4));
  pack();
  return () => {
    for (const { g } of views) g.fill(0);
    du.fill(0);
    const of = (places: typeof values, name: keyof typeof IMAGE, i: number) =>
      places[name] + 4 * i * IMAGE[name];
    for (let i = 0; i < batch; i++) {
      const [a1, p1, a2] = [of(values, 'a1', i), of(values, 'p1', i), of(values, 'a2', i)];
      conv1.forward(of(values, 'x', i), packed.w1, params.b1, a1, 1, work.first);
      pool1.forward(a1, p1, 1);
      conv2.forward(p1, a2, 1, work.second, packed.u, params.b2);
      pool2.forward(a2, of(values, 'p2', i), 1);
    }
    dense.forward(values.p2, params.w3, values.logits, work.dense);
    const loss = crossEntropy();
    dense.weights(values.p2, slopes.logits, grads.w3, work.dense);
    dense.input(slopes.logits, params.w3, slopes.p2, work.dense);
    for (let i = 0; i < batch; i++) {
      const [p1, da1, dp1, da2] = [
        of(values, 'p1', i),
        of(slopes, 'a1', i),
        of(slopes, 'p1', i),
        of(slopes, 'a2', i),
      ];
      pool2.backward(of(values, 'a2', i), of(values, 'p2', i), of(slopes, 'p2', i), da2, 1);
      pool2.sum(da2, grads.b2, 196);
      conv2.weights(p1, da2, 1, work.second, packed.du);
      conv2Back.forward(da2, dp1, 1, work.back, packed.uBack, packed.zeros);
      pool1.backward(of(values, 'a1', i), p1, dp1, da1, 1);
      pool1.sum(da1, grads.b1, 784);
      conv1.weights(of(values, 'x', i), da1, grads.w1, 1, work.first);
    }
    conv2.unpack(packed.du, grads.w2, work.second);
    for (const { p, g } of views) for (let i = 0; i < p.length; i++) p[i] = (p[i] ?? 0) - RATE * (g[i] ?? 0);
    pack();
    return loss;
  };
}
