import { type Code, define, type Local, load, type ModuleBuilder, splat, store } from './words.ts';

/**
 * Max-pooling of square images by 2×2: `forward(a, p, images)`; `backward(a, p, dp, da, images)`, through a relu before
 * it, the first of equal values wins; and `sum(da, out, points)` over all points of da, added to out.
 */
export function pool(builder: ModuleBuilder, size: number, channels: number): void {
  const bytes = 4 * channels;
  const corners = [0, bytes, size * bytes, (size + 1) * bytes];
  /** Visits the vectors of every window; `wide` pointers are to the images, `narrow` ones to the maxima. */
  const windows = (code: Code, images: Local, wide: Local[], narrow: Local[], body: (at: number) => void) =>
    code.countdown(images, () =>
      code.repeat(size / 2, () => {
        code.repeat(size / 2, () => {
          for (let at = 0; at < bytes; at += 16) body(at);
          for (const pointer of wide) code.advance(pointer, 2 * bytes);
          for (const pointer of narrow) code.advance(pointer, bytes);
        });
        for (const pointer of wide) code.advance(pointer, size * bytes);
      }),
    );
  define(
    builder,
    3,
    (code, a = 0, p = 0, images = 0) =>
      windows(code, images, [a], [p], (at) =>
        store(code, p, at, () => {
          for (const [i, corner] of corners.entries()) {
            load(code, a, corner + at);
            if (i % 2 === 1) code.op('f32x4.pmax');
          }
          code.op('f32x4.pmax');
        }),
      ),
    'forward',
  );
  define(
    builder,
    5,
    (code, a = 0, p = 0, dp = 0, da = 0, images = 0) => {
      const [max, left, equal] = code.locals('v128', 3) as [Local, Local, Local];
      windows(code, images, [a, da], [p, dp], (at) => {
        load(code, p, at).set(max);
        load(code, dp, at).get(max);
        splat(code, 0).op('f32x4.gt').op('v128.and').set(left);
        for (const corner of corners) {
          load(code, a, corner + at)
            .get(max)
            .op('f32x4.eq')
            .set(equal);
          store(code, da, corner + at, () => code.get(left).get(equal).op('v128.and'));
          code.get(left).get(equal).op('v128.andnot').set(left);
        }
      });
    },
    'backward',
  );
  define(
    builder,
    3,
    (code, da = 0, out = 0, points = 0) => {
      const sums = code.locals('v128', channels / 4);
      for (const [i, sum] of sums.entries()) load(code, out, 16 * i).set(sum);
      code.countdown(points, () => {
        for (const [i, sum] of sums.entries())
          load(code.get(sum), da, 16 * i)
            .op('f32x4.add')
            .set(sum);
        code.advance(da, bytes);
      });
      for (const [i, sum] of sums.entries()) store(code, out, 16 * i, () => code.get(sum));
    },
    'sum',
  );
}

/** `adam(p, m, v, g, blocks, b1, 1 - b1, b2, 1 - b2, rate, eps)`: the update of so many blocks of 16 parameters. */
export function adam(builder: ModuleBuilder): void {
  const params = [...new Array<'i32'>(5).fill('i32'), ...new Array<'f32'>(6).fill('f32')];
  builder.define(
    { params, results: [] },
    (code, [p = 0, m = 0, v = 0, g = 0, blocks = 0, ...numbers]) => {
      const [moment, square, gradient] = code.locals('v128', 3) as [Local, Local, Local];
      const constants = numbers.map((number) => {
        const constant = code.local('v128');
        code.get(number).op('f32x4.splat').set(constant);
        return constant;
      });
      const [b1 = 0, c1 = 0, b2 = 0, c2 = 0, rate = 0, eps = 0] = constants;
      code.countdown(blocks, () => {
        for (const at of [0, 16, 32, 48]) {
          load(code, g, at).set(gradient);
          load(code, m, at)
            .get(b1)
            .get(gradient)
            .get(c1)
            .op('f32x4.mul')
            .op('f32x4.relaxed_madd')
            .set(moment);
          store(code, m, at, () => code.get(moment));
          load(code, v, at).get(b2).get(gradient).get(gradient).op('f32x4.mul').get(c2).op('f32x4.mul');
          code.op('f32x4.relaxed_madd').set(square);
          store(code, v, at, () => code.get(square));
          store(code, p, at, () => {
            load(code, p, at).get(moment).get(rate).op('f32x4.mul');
            code.get(square).op('f32x4.sqrt').get(eps).op('f32x4.add').op('f32x4.div').op('f32x4.sub');
          });
        }
        for (const pointer of [p, m, v, g]) code.advance(pointer, 64);
      });
    },
    'adam',
  );
}
