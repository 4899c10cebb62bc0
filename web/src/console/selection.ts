// The range of lines that is selected, as text and back.

// The lines that a permalink names: "#L4711", "#L10-L20".
export interface LineRange {
  from: number;
  to: number;
}

export function parseLines(hash: string): LineRange | undefined {
  const match = /^#?L(\d{1,15})(?:-L?(\d{1,15}))?$/.exec(hash);
  if (!match) return undefined;
  const a = Number(match[1]);
  const b = match[2] === undefined ? a : Number(match[2]);
  if (a < 1 || b < 1) return undefined;
  return { from: Math.min(a, b), to: Math.max(a, b) };
}

// The same as somebody types it: "4711", "4,711", "10-20".
export const typedLines = (text: string): LineRange | undefined => parseLines(`L${text.replace(/[\s,.'\u2019]/g, '').replace(/^#?L/i, '')}`);

export const formatLines = (range: LineRange): string =>
  range.from === range.to ? `#L${range.from}` : `#L${range.from}-L${range.to}`;

export const contains = (range: LineRange | undefined, line: number): boolean =>
  range !== undefined && line >= range.from && line <= range.to;
