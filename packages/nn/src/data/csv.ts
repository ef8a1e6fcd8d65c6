import { FileError, OptionError } from '@neumann/core';
import { checkOptions } from '@neumann/core/extend';
import Papa from 'papaparse';
import { type HostArray, hostArray } from './hostArray.ts';

/** Options of {@link parseCsv}. */
export interface CsvOptions {
  /** Whether the first row names the columns; `true` by default. */
  readonly header?: boolean;
  /** Between fields; found out by itself by default. */
  readonly delimiter?: string;
}

/** A table of numbers. */
export interface NumberTable {
  /** Names of the columns: `0`, `1`, … without a header. */
  readonly columns: readonly string[];
  /** `[rows, columns]` */
  readonly values: HostArray<Float64Array>;
}

/**
 * The numbers of a CSV file (RFC 4180). An empty field is NaN.
 *
 * @throws {FileError} if a field is no number, rows differ in length, quotes are not closed, or a column has two names.
 * @example
 * parseCsv('x,y\n1,2\n3,4').values.get(1, 0)   // 3
 */
export function parseCsv(text: string, options: CsvOptions = {}): NumberTable {
  checkOptions('parseCsv', options, ['header', 'delimiter']);
  const { header = true, delimiter = '' } = options;
  if (typeof text !== 'string')
    throw new OptionError(`parseCsv: takes the text of a file, but got ${typeof text}.`);
  const { data, errors } = Papa.parse<string[]>(text, { delimiter, skipEmptyLines: true });
  // A single column leaves nothing to find a delimiter by.
  const [error] = errors.filter(({ code }) => code !== 'UndetectableDelimiter');
  if (error) refuse(`row ${(error.row ?? 0) + 1}: ${error.message}`);
  const [first = [], ...rest] = data;
  const columns = header ? first.map((name) => name.trim()) : first.map((_, i) => String(i));
  const twice = columns.find((name, i) => columns.indexOf(name) !== i);
  if (twice !== undefined) refuse(`two columns are named ${JSON.stringify(twice)}`);
  const rows = header ? rest : data;
  const values = new Float64Array(rows.length * columns.length);
  for (const [r, row] of rows.entries()) {
    const line = r + (header ? 2 : 1);
    if (row.length !== columns.length)
      refuse(`row ${line} has ${row.length} fields, but the first has ${columns.length}`);
    for (const [c, field] of row.entries()) {
      const value = field.trim() === '' ? Number.NaN : Number(field);
      if (Number.isNaN(value) && !/^(nan)?$/i.test(field.trim()))
        refuse(`row ${line}, column ${JSON.stringify(columns[c])}: ${JSON.stringify(field)} is no number`);
      values[r * columns.length + c] = value;
    }
  }
  return { columns, values: hostArray(values, [rows.length, columns.length]) };
}

function refuse(what: string): never {
  throw new FileError(`csv: ${what}.`);
}
