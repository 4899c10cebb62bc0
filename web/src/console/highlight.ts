// The marks on what a search has found in the rows on screen. They are CSS highlights, which leave the elements as they
// are; a browser that has none shows the current row's mark alone.

const kMaxMarks = 2000; // at once

const supported = typeof CSS !== 'undefined' && 'highlights' in CSS;

export function highlight(rows: HTMLElement, expression: RegExp | undefined): void {
  if (!supported) return;
  if (!expression) return void CSS.highlights.delete('found');
  const marks = new Highlight();
  for (const text of rows.querySelectorAll<HTMLElement>('.row:not(.note):not(.missing) > .text')) {
    for (const range of rangesIn(text, expression)) {
      marks.add(range);
      if (marks.size >= kMaxMarks) break;
    }
  }
  CSS.highlights.set('found', marks);
}

interface Piece { node: Text; from: number }

function* rangesIn(element: HTMLElement, expression: RegExp): Generator<Range> {
  const pieces = textNodes(element);
  const text = pieces.map((piece) => piece.node.data).join('');
  for (const match of text.matchAll(expression)) {
    if (match[0] === '') continue;
    const range = document.createRange();
    if (place(pieces, match.index, range, 'setStart') && place(pieces, match.index + match[0].length, range, 'setEnd')) {
      yield range;
    }
  }
}

function textNodes(element: HTMLElement): Piece[] {
  const pieces: Piece[] = [];
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  let from = 0;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const parent = node.parentElement;
    if (parent?.closest('.for-readers, .more, .mark')) continue;
    pieces.push({ node: node as Text, from });
    from += (node as Text).length;
  }
  return pieces;
}

function place(pieces: Piece[], at: number, range: Range, edge: 'setStart' | 'setEnd'): boolean {
  for (const { node, from } of pieces) {
    const inside = edge === 'setStart' ? at < from + node.length : at <= from + node.length;
    if (!inside) continue;
    range[edge](node, at - from);
    return true;
  }
  return false;
}
