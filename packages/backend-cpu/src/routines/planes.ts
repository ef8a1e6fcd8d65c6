import type { ConvGeometry } from '@neumann/core/backend';
import type { Callable, Code, Local } from '../asm/code.ts';
import { countTo, eachGroup, elementAt, type Part, unitsOf } from '../emit/part.ts';
import type { EmitContext } from '../emit/plan.ts';
import type { Dimension, Phase } from './correlation.ts';
import type { Element } from './element.ts';
import { packColumns } from './pack.ts';
import { bandsOf, finishBands, isEmptyPhase, type PhaseOf3 } from './phases.ts';
import { coverTiles, multiplyAdd, storeColumns } from './tile.ts';

/** Bytes of the planes of a band: they stay in the second-level cache. */
const BAND_BYTES = 2 ** 18;
/** Registers for the sums and for the weights of their channels: a vector of points goes with them, and V8 keeps one. */
const REGISTERS = 14;
/** Sums that hide the latency of multiply-adds. */
const MOST_SUMS = 12;

/** A correlation, and where in scratch memory the weights [tap, input channel, vector] of each phase stand. */
export interface Planar {
  readonly context: EmitContext;
  readonly element: Element;
  readonly geometry: ConvGeometry;
  readonly dimensions: readonly Dimension[];
  readonly from: number;
  readonly to: number;
  readonly phases: readonly { readonly phase: PhaseOf3; readonly weightsAt: number }[];
  readonly operands: (params: readonly Local[]) => { input: Local; out: Local };
}

interface Planes extends Planar {
  /** Bands of an image, and the most rows of each. */
  readonly bands: number;
  readonly rows: number;
  /** Input rows of a band: from `above` rows before that of its first output's number on. */
  readonly above: number;
  readonly inputRows: number;
  /** Bytes of a row of one plane, and of a row of all. */
  readonly line: number;
  readonly row: number;
  readonly tiles: Map<string, Callable>;
}

/**
 * Whether {@link planarPart} is the quicker way: so few output channels do not fill a vector, but neighbouring points
 * do, where they read neighbouring inputs.
 */
export function isPlanar({
  element,
  geometry,
  dimensions,
  to,
}: Pick<Planar, 'element' | 'geometry' | 'dimensions' | 'to'>): boolean {
  const [z, , x] = dimensions;
  const isFlat = z?.input === 1 && z.output === 1 && z.kernel === 1;
  const isNarrow = geometry.groups === 1 && to < element.lanes;
  return isFlat && isNarrow && (x?.phases.every(({ stride }) => stride === 1) ?? false);
}

/**
 * Convolution (or its input gradient) to fewer channels than a vector has: a band of the input is transposed to a plane
 * for each channel, and neighbouring points of the output are the lanes.
 */
export function planarPart(planar: Planar): { part: Part; finishes: boolean } {
  const { context, geometry, dimensions, phases, operands, from, to, element } = planar;
  const planes = planesOf(planar);
  const { bands } = planes;
  const all = phases.map(({ phase }) => phase);
  const finish = finishBands(context, geometry.n, dimensions, all, bands);
  const [, height, width] = dimensions;
  const inBytes = (height?.input ?? 0) * (width?.input ?? 0) * from * element.bytes;
  const outBytes = (height?.output ?? 0) * (width?.output ?? 0) * to * element.bytes;
  const part: Part = {
    tasks: geometry.n * bands,
    together: 1,
    own: planes.inputRows * planes.row + 64,
    emit: (code, params, { scratch, own, ...share }) => {
      const { input, out } = operands(params);
      code
        .get(own)
        .i32(0)
        .i32(planes.inputRows * planes.row)
        .fill();
      eachGroup(code, share, bands, (n, first, end) => {
        const [from, to] = [elementAt(code, input, n, inBytes), elementAt(code, out, n, outBytes)];
        const [band, next] = [code.local('i32'), code.local('i32')];
        code.get(first).set(band);
        countTo(code, band, end, 1, () => {
          code.get(band).i32(1).op('i32.add').set(next);
          const rows = unitsOf(code, { first: band, end: next }, bands, mostRows(phases));
          fillPlanes(code, planes, from, own, rows.first);
          for (const { phase, weightsAt } of phases) {
            const weights = code.local('i32');
            code.get(scratch).i32(weightsAt).op('i32.add').set(weights);
            if (!isEmptyPhase(phase)) emitRows(code, planes, phase, { own, weights, out: to }, rows);
          }
        });
        finish?.(code, n, first, end);
      });
    },
  };
  return { part, finishes: finish !== undefined };
}

function mostRows(phases: Planar['phases']): number {
  return Math.max(...phases.map(({ phase: [, y] }) => y.count));
}

function planesOf(planar: Planar): Planes {
  const { element, dimensions, geometry, from, phases } = planar;
  const [, , x] = dimensions;
  const reached = phases.map(({ phase }) => phase).filter((phase) => !isEmptyPhase(phase));
  const last = ({ start, taps, dilation }: Phase) => start + (taps.length - 1) * dilation;
  const most = (of: (phase: PhaseOf3) => number) => Math.max(0, ...reached.map(of));
  const columns = most(([, , p]) => last(p) + Math.ceil(p.count / element.lanes) * element.lanes);
  const wanted =
    (x?.low ?? 0) + Math.max(columns, Math.ceil((x?.input ?? 0) / element.lanes) * element.lanes);
  const line = Math.ceil(wanted / element.lanes) * 16;
  const row = from * line;
  const above = most(([, p]) => -p.start);
  const stride = most(([, p]) => p.stride);
  const halo = above + most(([, p]) => last(p)) + 1;
  const all = mostRows(phases);
  const perBand = Math.max(1, Math.floor((Math.floor(BAND_BYTES / row) - halo) / Math.max(1, stride)) + 1);
  const least = bandsOf(
    geometry.n,
    phases.map(({ phase }) => phase),
  );
  const bands = Math.max(least, Math.ceil(all / perBand));
  const rows = Math.ceil(all / bands);
  const inputRows = (rows - 1) * stride + halo;
  return { ...planar, bands, rows, above, inputRows, line, row, tiles: new Map() };
}

/** Transposes the input rows of the band whose first output is number `first`; rows beyond the image are zero. */
function fillPlanes(code: Code, planes: Planes, image: Local, own: Local, first: Local): void {
  const { element, dimensions, from, phases, above, inputRows, row, line } = planes;
  const [, height, width] = dimensions;
  const [at, end, to] = code.locals('i32', 3) as [Local, Local, Local];
  const stride = phases[0]?.phase[1].stride ?? 1;
  code.get(first).i32(stride).op('i32.mul').i32(above).op('i32.sub').tee(at);
  code.i32(inputRows).op('i32.add').set(end);
  code
    .get(own)
    .i32((width?.low ?? 0) * element.bytes)
    .op('i32.add')
    .set(to);
  const [columns, pixel] = [width?.input ?? 0, from * element.bytes];
  countTo(code, at, end, 1, () => {
    code
      .get(at)
      .i32(height?.input ?? 0)
      .op('i32.lt_u');
    code.if(
      () =>
        transposeRow(code, element, elementAt(code, image, at, columns * pixel), to, { columns, from, line }),
      () =>
        code
          .get(to)
          .i32(0)
          .i32(row - (width?.low ?? 0) * element.bytes)
          .fill(),
    );
    code.advance(to, row);
  });
}

/** Vectors of points that are transposed together. */
const BLOCK = 4;

/** Transposes a row of pixels to lines of the planes of their channels; both pointers stay. */
function transposeRow(
  code: Code,
  element: Element,
  pixels: Local,
  lines: Local,
  { columns, from: count, line }: { columns: number; from: number; line: number },
): void {
  const [from, to] = [code.local('i32'), code.local('i32')];
  const stride = count * element.bytes;
  code.get(pixels).set(from).get(lines).set(to);
  const block = (width: number) => {
    const vectors = Math.ceil(width / element.lanes);
    packColumns(code, element, from, to, { count, stride, width, vectors, apart: line });
    code.advance(from, (width - 1) * stride).advance(to, 16 * vectors - count * line);
  };
  const width = BLOCK * element.lanes;
  code.repeat(Math.floor(columns / width), () => block(width));
  if (columns % width > 0) block(columns % width);
}

/** Whether neighbouring points of a phase are neighbours in the result. */
function isDense({ to }: Planes, { step }: Phase): boolean {
  return to === 1 && step === 1;
}

/** The outputs of one phase in some rows of an image, which are numbered within the phase. */
function emitRows(
  code: Code,
  planes: Planes,
  phase: PhaseOf3,
  pointers: { readonly own: Local; readonly weights: Local; readonly out: Local },
  rows: { readonly first: Local; readonly end: Local },
): void {
  const { context, element, dimensions, to, above, row } = planes;
  const [, y, x] = phase;
  const [, , width] = dimensions;
  const pixel = to * element.bytes;
  const outRow = (width?.output ?? 0) * pixel;
  const [at, end, input, out] = code.locals('i32', 4) as [Local, Local, Local, Local];
  code.get(rows.end).i32(y.count).get(rows.end).i32(y.count).op('i32.lt_s').op('select').set(end);
  const start = (y.start + above) * row + (x.start + (width?.low ?? 0)) * element.bytes;
  code.get(pointers.own).i32(start).op('i32.add').set(input);
  code
    .get(pointers.out)
    .get(rows.first)
    .i32(y.step * outRow)
    .op('i32.mul')
    .op('i32.add')
    .i32(y.first * outRow + x.first * pixel)
    .op('i32.add')
    .set(out);
  code.get(rows.first).set(at);
  const vectors = Math.ceil(x.count / element.lanes);
  const inRegister = context.features.revectorize && isDense(planes, x) ? 2 : 1; // pairs, if stored together
  const most = inRegister * Math.floor(Math.min(MOST_SUMS, REGISTERS - to) / to);
  countTo(code, at, end, 1, () => {
    let left = x.count;
    for (const { size, count } of coverTiles(vectors, most)) {
      const points = size * element.lanes;
      const tile = (width: number) => {
        code
          .get(input)
          .get(pointers.weights)
          .get(out)
          .call(tileFunction(planes, phase, width));
        code.advance(input, 16 * size).advance(out, points * x.step * pixel);
      };
      const whole = Math.min(count, Math.floor(left / points));
      code.repeat(whole, () => tile(points));
      if (whole < count) tile(left - whole * points);
      left -= count * points;
    }
    code.advance(input, y.stride * row - 16 * vectors);
    code.advance(out, y.step * outRow - vectors * element.lanes * x.step * pixel);
  });
}

/** `(input, weights, out)`: the sums of `points` neighbouring outputs of all channels. */
function tileFunction(planes: Planes, phase: PhaseOf3, points: number): Callable {
  const { context, element, from, to, line, row, tiles } = planes;
  const [, y, x] = phase;
  const key = `${y.first} ${x.first} ${points}`;
  const known = tiles.get(key);
  if (known) return known;
  const { lanes, bytes } = element;
  const vectors = Math.ceil(points / lanes);
  const made = context.builder.define(
    { params: ['i32', 'i32', 'i32'], results: [] },
    (code, [input = 0, weights = 0, out = 0]) => {
      const sums = Array.from({ length: to }, () => code.locals('v128', vectors));
      const factors = code.locals('v128', to);
      const inputs = code.local('v128');
      for (const sum of sums.flat()) code.v128(new Uint8Array(16)).set(sum);
      code.repeat(from, () => {
        code.repeat(y.taps.length, () => {
          for (const t of x.taps.keys()) {
            for (const [channel, factor] of factors.entries())
              code
                .get(weights)
                .memory(element.loadSplat, t * from * 16 + channel * bytes)
                .set(factor);
            for (let v = 0; v < vectors; v++) {
              code
                .get(input)
                .memory('v128.load', t * x.dilation * bytes + 16 * v)
                .set(inputs);
              for (const [channel, factor] of factors.entries())
                multiplyAdd(code, element, context.features, sums[channel]?.[v] ?? 0, factor, inputs);
            }
          }
          code.advance(input, y.dilation * row).advance(weights, x.taps.length * from * 16);
        });
        code.advance(input, line - y.taps.length * y.dilation * row);
        code.advance(weights, 16 - y.taps.length * x.taps.length * from * 16);
      });
      for (const [channel, sum] of sums.entries())
        if (isDense(planes, x)) storeColumns(code, element, sum, out, 0, points);
        else
          for (const [v, vector] of sum.entries())
            for (let lane = 0; lane < lanes && v * lanes + lane < points; lane++)
              code
                .get(out)
                .get(vector)
                .memoryLane(element.storeLane, lane, ((v * lanes + lane) * x.step * to + channel) * bytes);
    },
  );
  tiles.set(key, made);
  return made;
}
