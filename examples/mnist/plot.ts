/** Line charts as SVG: panels side by side under one title and one legend. */

interface Series {
  readonly color: string;
  readonly dashed?: boolean;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Panel {
  readonly title: string;
  readonly xLabel: string;
  readonly scale: 'linear' | 'log';
  /** Where the y axis begins; at the least value by default. */
  readonly low?: number;
  /** How a tick of the y axis is written. */
  readonly format: (y: number) => string;
  readonly series: readonly Series[];
}

export interface Chart {
  readonly title: string;
  readonly panels: readonly Panel[];
  readonly legend: readonly { readonly label: string; readonly color: string; readonly dashed?: boolean }[];
}

const panelWidth = 460;
const height = 400;
/** Space around the plotting area of a panel. */
const margin = { left: 62, right: 18, top: 84, bottom: 52 };
const ink = '#333333';
const grid = '#e4e4e4';

/** The chart as the text of an SVG file. Points that are not finite, or below the axis, are left out. */
export function lineChart({ title, panels, legend }: Chart): string {
  const width = panelWidth * panels.length;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"` +
      ` font-family="Helvetica, Arial, sans-serif" font-size="12" fill="${ink}">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    text(margin.left, 26, title, 'font-size="16" font-weight="bold"'),
    ...drawLegend(legend),
    ...panels.flatMap((panel, i) => [
      `<g transform="translate(${i * panelWidth} 0)">`,
      ...drawPanel(panel),
      '</g>',
    ]),
    '</svg>',
    '',
  ].join('\n');
}

function drawLegend(legend: Chart['legend']): string[] {
  let x = margin.left;
  return legend.flatMap(({ label, color, dashed }) => {
    const at = x;
    x += 46 + 7 * label.length;
    return [
      `<line x1="${at}" y1="46" x2="${at + 24}" y2="46" stroke="${color}" stroke-width="2.5"${dashes(dashed)}/>`,
      text(at + 30, 50, label),
    ];
  });
}

function drawPanel({ title, xLabel, scale, low, format, series }: Panel): string[] {
  const shown = (y: number): boolean =>
    Number.isFinite(y) && (scale === 'linear' || y > 0) && y >= (low ?? y);
  const visible = series.map((s) => ({ ...s, points: s.points.filter(([, y]) => shown(y)) }));
  const points = visible.flatMap((s) => s.points);
  if (points.length === 0) return [text(margin.left, margin.top, `${title}: nothing to show`)];
  const [left, right, top, bottom] = [
    margin.left,
    panelWidth - margin.right,
    margin.top,
    height - margin.bottom,
  ];
  const warp = scale === 'log' ? Math.log10 : (y: number) => y;
  const xs = extent(
    series.flatMap((s) => s.points.map(([x]) => x)),
    0,
  );
  const ys = extent(
    points.map(([, y]) => warp(y)),
    0.04,
  );
  const px = (x: number) => round(left + ((x - xs.low) / (xs.high - xs.low)) * (right - left));
  const py = (y: number) => round(bottom - ((warp(y) - ys.low) / (ys.high - ys.low)) * (bottom - top));
  const yTicks = scale === 'log' ? logTicks(ys.low, ys.high) : linearTicks(ys.low, ys.high, 6);
  const xTicks = linearTicks(xs.low, xs.high, 8).filter(Number.isInteger);
  return [
    text((left + right) / 2, top - 10, title, 'text-anchor="middle" font-weight="bold"'),
    ...yTicks.flatMap((y) => [
      `<line x1="${left}" y1="${py(y)}" x2="${right}" y2="${py(y)}" stroke="${grid}"/>`,
      text(left - 8, py(y) + 4, format(y), 'text-anchor="end"'),
    ]),
    ...xTicks.flatMap((x) => [
      `<line x1="${px(x)}" y1="${bottom}" x2="${px(x)}" y2="${bottom + 5}" stroke="${ink}"/>`,
      text(px(x), bottom + 19, String(x), 'text-anchor="middle"'),
    ]),
    `<path d="M${left} ${top}V${bottom}H${right}" fill="none" stroke="${ink}"/>`,
    text((left + right) / 2, bottom + 40, xLabel, 'text-anchor="middle"'),
    ...visible.flatMap(({ color, dashed, points: line }) => [
      `<polyline points="${line.map(([x, y]) => `${px(x)},${py(y)}`).join(' ')}" fill="none" stroke="${color}"` +
        ` stroke-width="2" stroke-linejoin="round"${dashes(dashed)}/>`,
      ...line.map(([x, y]) => `<circle cx="${px(x)}" cy="${py(y)}" r="2.5" fill="${color}"/>`),
    ]),
  ];
}

/** Least and greatest value with `padding` (a fraction of their distance) around them; never empty. */
function extent(values: readonly number[], padding: number): { low: number; high: number } {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const around = high > low ? padding * (high - low) : 0.5;
  return { low: low - around, high: high + around };
}

/** About `count` multiples of 1, 2 or 5 times a power of ten. */
function linearTicks(low: number, high: number, count: number): number[] {
  const least = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(least));
  const step = power * ([1, 2, 5].find((m) => m * power >= least) ?? 10);
  const first = Math.ceil(low / step);
  const last = Math.floor(high / step);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/** 1, 2 and 5 times powers of ten between 10^low and 10^high; only powers where these are many. */
function logTicks(low: number, high: number): number[] {
  const multiples = high - low < 3 ? [1, 2, 5] : [1];
  const powers = Array.from({ length: Math.ceil(high) - Math.floor(low) + 1 }, (_, i) => Math.floor(low) + i);
  return powers
    .flatMap((power) => multiples.map((m) => Number(`${m}e${power}`)))
    .filter((y) => Math.log10(y) >= low && Math.log10(y) <= high);
}

const dashes = (dashed: boolean | undefined): string => (dashed ? ' stroke-dasharray="5 4"' : '');

const round = (x: number): number => Math.round(10 * x) / 10;

function text(x: number, y: number, content: string, attributes = ''): string {
  return `<text x="${round(x)}" y="${round(y)}"${attributes && ` ${attributes}`}>${escaped(content)}</text>`;
}

const escaped = (content: string): string => content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
