/** Figures as SVG: panels that Observable Plot draws, side by side under one title and one legend. */
import { type Markish, type PlotOptions, plot, frame as plotFrame } from '@observablehq/plot';
import { parseHTML } from 'linkedom';

/** One line of the legend, and of the panels. */
export interface Style {
  readonly label: string;
  readonly color: string;
  /** An SVG dash pattern; a whole line without it. */
  readonly dash?: string;
}

export interface Panel {
  readonly title: string;
  readonly x: PlotOptions['x'];
  readonly y: PlotOptions['y'];
  readonly marks: readonly Markish[];
}

export interface Figure {
  readonly title: string;
  /** One sentence under the title: what to look at. */
  readonly caption: string;
  readonly legend: readonly Style[];
  readonly panels: readonly Panel[];
  /** Panels in a row. */
  readonly columns: number;
}

/** Okabe and Ito's colours, which people with any colour vision tell apart. */
export const palette = {
  black: '#000000',
  orange: '#e69f00',
  sky: '#56b4e9',
  green: '#009e73',
  blue: '#0072b2',
  vermilion: '#d55e00',
  purple: '#cc79a7',
} as const;

/** A line in a style, as options of Plot's marks. */
export const stroke = ({ color, dash }: Style) => ({
  stroke: color,
  strokeWidth: 1.8,
  ...(dash && { strokeDasharray: dash }),
});

/** The border of a panel. */
export const frame = () => plotFrame({ stroke: '#999999' });

const size = { width: 480, height: 400 };
const ink = '#333333';

/** The figure as the text of an SVG file. */
export function drawFigure({ title, caption, legend, panels, columns }: Figure): string {
  const rows = Math.ceil(panels.length / columns);
  const width = columns * size.width;
  const lines = legendLines(legend, width - 60);
  const top = 66 + 22 * lines.length;
  const height = top + rows * size.height;
  const place = (i: number) =>
    `x="${(i % columns) * size.width}" y="${top + Math.floor(i / columns) * size.height}"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"` +
      ` font-family="Helvetica, Arial, sans-serif" font-size="13" fill="${ink}">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<text x="30" y="28" font-size="18" font-weight="bold">${escaped(title)}</text>`,
    `<text x="30" y="50">${escaped(caption)}</text>`,
    ...lines.flatMap((line, row) => line.map((entry) => drawEntry(entry, 72 + 22 * row))),
    ...panels.map((panel, i) => drawPanel(panel).replace('<svg ', `<svg ${place(i)} `)),
    '</svg>',
    '',
  ].join('\n');
}

interface Entry extends Style {
  readonly x: number;
}

/** The legend in as many lines as it needs. */
function legendLines(legend: readonly Style[], width: number): Entry[][] {
  const lines: Entry[][] = [[]];
  let x = 0;
  for (const style of legend) {
    const needs = 52 + 7 * style.label.length;
    if (x + needs > width) {
      lines.push([]);
      x = 0;
    }
    (lines.at(-1) as Entry[]).push({ ...style, x: 30 + x });
    x += needs;
  }
  return lines;
}

function drawEntry({ label, color, dash, x }: Entry, y: number): string {
  return (
    `<line x1="${x}" y1="${y}" x2="${x + 26}" y2="${y}" stroke="${color}" stroke-width="3"` +
    `${dash ? ` stroke-dasharray="${dash}"` : ''}/><text x="${x + 32}" y="${y + 4}">${escaped(label)}</text>`
  );
}

function drawPanel({ title, x, y, marks }: Panel): string {
  const { document } = parseHTML('<html><body></body></html>');
  const svg = plot({
    document: document,
    ...size,
    marginTop: 44,
    marginLeft: 62,
    marginRight: 24,
    marginBottom: 46,
    style: { fontSize: '12px', overflow: 'hidden', background: 'none' },
    x: { labelAnchor: 'center', labelArrow: 'none', ...x },
    y: { labelAnchor: 'center', labelArrow: 'none', ...y },
    marks: [...marks],
  });
  const heading = `<text x="${size.width / 2 + 20}" y="26" text-anchor="middle" font-size="14" font-weight="bold">${escaped(title)}</text>`;
  const text = svg.outerHTML.replace(/ d="[^"]*"/g, (path) =>
    path.replace(/\d+\.\d+/g, (x) => String(round(x))),
  );
  return text
    .replace(/<style>[^<]*<\/style>/, '') // for pages, not for files
    .replace(/^<svg[^>]*>/, (open) => `${open}<title>${escaped(title)}</title>`)
    .replace(/<\/svg>\s*$/, `${heading}</svg>`);
}

const round = (x: string): number => Math.round(10 * Number(x)) / 10;

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
