// The viewport on the rows, which scrolls, follows the end and has elements only for what is on the screen.
import type { Row, RowSource } from '../log/rows';

// Browsers cap the height of an element at about 33 million pixels, and lose precision before.
const kMaxHeight = 8_000_000;
const kOverscan = 20; // rows drawn beyond each edge, so that scrolling never shows emptiness
const kSlack = 400; // px kept free where the log goes on

export interface RowPainter {
  // Changes whenever the row has to be drawn anew.
  signature(position: number, row: Row | undefined): string;
  paint(position: number, row: Row | undefined): HTMLElement;
}

export interface ViewportEvents {
  onFollow(following: boolean): void;
  onDrawn(): void;
}

interface Drawn { element: HTMLElement; signature: string }

// Shows the part of a RowSource that is on the screen; there are never more than a few hundred elements, however long
// the log is.
//
// Where the reader is, is told by the anchor: the row at the upper edge, and how many pixels of it are hidden. Rows are
// laid out from there, with whatever heights they have. The scroll bar is only a picture of that: small movements move
// the anchor by pixels, large ones (the thumb is dragged) place it in proportion. So a log may be longer than an
// element can be high, rows may wrap, and lines may come and go above without a jump.
export class Viewport {
  private readonly spacer = document.createElement('div');
  private readonly block = document.createElement('div');
  private readonly drawn = new Map<number, Drawn>();
  private readonly resizes: ResizeObserver;
  private positions: number[] = [];
  private anchor = { position: 1, offset: 0 };
  private top = 0; // of the block, in the scroller
  private height = 0; // of the spacer
  private width = 0;
  private expected = 0; // scrollTop as we know it
  private drawnHeight = 0; // of the scroller
  private wheeled = -Infinity; // when the wheel was turned last
  private touched = false; // moved by fingers, which do not reach the scroll bar
  private frame = 0;
  private following = false;
  private rowHeight = 20;

  constructor(
    private readonly scroller: HTMLElement,
    private source: RowSource,
    private readonly painter: RowPainter,
    private readonly events: ViewportEvents,
  ) {
    this.spacer.className = 'spacer';
    this.block.className = 'block';
    this.spacer.append(this.block);
    scroller.replaceChildren(this.spacer);
    scroller.addEventListener('scroll', this.onScroll, { passive: true });
    scroller.addEventListener('wheel', this.onWheel, { passive: true });
    scroller.addEventListener('pointerdown', this.onPointer, { passive: true });
    this.resizes = new ResizeObserver(() => this.resized());
    this.resizes.observe(scroller);
    this.resized();
  }

  close(): void {
    cancelAnimationFrame(this.frame);
    this.resizes.disconnect();
    this.scroller.removeEventListener('scroll', this.onScroll);
    this.scroller.removeEventListener('wheel', this.onWheel);
    this.scroller.removeEventListener('pointerdown', this.onPointer);
  }

  get isFollowing(): boolean { return this.following; }
  get element(): HTMLElement { return this.block; }

  // Whether the last row can be seen.
  get isAtEnd(): boolean {
    return this.positions[this.positions.length - 1] === this.source.nearest(this.source.last) &&
      this.scroller.scrollTop + this.scroller.clientHeight >= this.height - 2;
  }

  // The rows that can be seen at least in part.
  visible(): { first: number; last: number } {
    const from = this.scroller.scrollTop - this.top;
    const to = from + this.scroller.clientHeight;
    let first = this.anchor.position;
    let last = first;
    for (const position of this.positions) {
      const element = this.drawn.get(position)!.element;
      if (element.offsetTop + element.offsetHeight <= from) continue;
      if (element.offsetTop >= to) break;
      first = Math.min(first, position);
      last = position;
    }
    return { first, last };
  }

  setSource(source: RowSource): void {
    this.source = source;
    this.drawn.clear();
    this.positions = []; // nothing of it is drawn until the next frame
    this.width = 0;
    this.refresh();
  }

  follow(following: boolean): void {
    if (this.following !== following) {
      this.following = following;
      this.events.onFollow(following);
    }
    this.refresh();
  }

  goTo(position: number, where: 'top' | 'middle' = 'middle'): void {
    this.follow(false);
    const offset = where === 'middle' ? -Math.floor(this.scroller.clientHeight / 2.5) : 0;
    this.anchor = { position: this.source.nearest(position), offset: 0 };
    this.moveBy(offset);
    this.expected = Number.NaN; // the thumb goes where the anchor is
    this.refresh();
  }

  // Scrolls as little as shows the row.
  reveal(position: number): void {
    const at = this.drawn.get(position)?.element;
    const from = this.scroller.scrollTop - this.top;
    const seen = at && at.offsetTop >= from + this.rowHeight &&
      at.offsetTop + at.offsetHeight <= from + this.scroller.clientHeight - this.rowHeight;
    if (!seen) this.goTo(position);
  }

  // Draws what has changed with the next frame.
  refresh(): void {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  private resized(): void {
    this.rowHeight = Number.parseFloat(getComputedStyle(this.scroller).lineHeight) || 20;
    this.width = 0;
    this.refresh();
  }

  private readonly onScroll = (): void => {
    const scrollTop = this.scroller.scrollTop;
    const delta = scrollTop - this.expected;
    // Not the reader's doing: where to go is settled already, or the browser made room for another height.
    if (Number.isNaN(delta) || this.scroller.clientHeight !== this.drawnHeight) return this.refresh();
    if (Math.abs(delta) < 1) return;
    this.expected = scrollTop;
    if (delta < 0 && this.following) this.stopFollowing();
    if (this.isJump(delta)) this.jump(scrollTop);
    else this.anchorAt(scrollTop - this.top, delta);
    if (delta > 0 && this.isAtEnd) this.follow(true);
    this.refresh();
  };

  private readonly onWheel = (): void => { this.wheeled = performance.now(); };
  private readonly onPointer = (event: PointerEvent): void => { this.touched = event.pointerType === 'touch'; };

  // Whether the thumb was dragged. A wheel or a finger may get far, too, while the page is busy.
  private isJump(delta: number): boolean {
    if (this.touched || performance.now() - this.wheeled < 500) return false;
    return Math.abs(delta) > Math.max(4 * this.scroller.clientHeight, 3000);
  }

  private stopFollowing(): void {
    this.following = false;
    this.events.onFollow(false);
  }

  // The thumb was dragged, or somebody pressed Home.
  private jump(scrollTop: number): void {
    const room = this.height - this.scroller.clientHeight;
    const part = room > 0 ? Math.min(scrollTop / room, 1) : 0;
    const rows = this.source.last - this.source.first + 1;
    const pixels = part * Math.max(rows * this.rowHeight - this.scroller.clientHeight, 0);
    const row = Math.floor(pixels / this.rowHeight);
    const position = part >= 1 ? this.source.nearest(this.source.last) : this.source.nearest(this.source.first + row);
    this.anchor = { position, offset: part >= 1 ? 0 : pixels - row * this.rowHeight };
  }

  // Sets the anchor to what is at `y` of the block, or `delta` pixels on where nothing is drawn.
  private anchorAt(y: number, delta: number): void {
    if (y < 0 || y > this.block.offsetHeight) return this.moveBy(delta);
    for (const position of this.positions) {
      const element = this.drawn.get(position)!.element;
      if (element.offsetTop + element.offsetHeight > y) {
        this.anchor = { position, offset: Math.max(0, y - element.offsetTop) };
        return;
      }
    }
  }

  private moveBy(pixels: number): void {
    let { position } = this.anchor;
    let left = this.anchor.offset + pixels;
    for (; left < 0; left += this.rowHeight) {
      const previous = this.source.previous(position);
      if (previous === undefined) { left = 0; break; }
      position = previous;
    }
    for (; left >= this.rowHeight; left -= this.rowHeight) {
      const next = this.source.next(position);
      if (next === undefined) break;
      position = next;
    }
    this.anchor = { position, offset: left };
  }

  private draw(): void {
    const { source } = this;
    if (source.last < source.first) return this.drawNothing();
    if (this.following) this.anchor = { position: source.nearest(source.last), offset: 0 };
    else this.anchor.position = source.nearest(this.anchor.position);
    this.positions = this.around(this.anchor.position);
    this.source.want(this.positions);
    this.syncElements();
    this.place();
    this.events.onDrawn();
  }

  private drawNothing(): void {
    this.drawn.clear();
    this.positions = [];
    this.block.replaceChildren();
    this.spacer.style.height = '0';
    this.expected = this.scroller.scrollTop;
    this.events.onDrawn();
  }

  private around(position: number): number[] {
    const count = Math.ceil(this.scroller.clientHeight / this.rowHeight) + kOverscan;
    const positions = [position];
    for (let at: number | undefined = position; positions.length <= count;) {
      at = this.source.previous(at);
      if (at === undefined) break;
      positions.push(at);
    }
    positions.reverse();
    for (let at: number | undefined = position, i = 0; i < count; i += 1) {
      at = this.source.next(at);
      if (at === undefined) break;
      positions.push(at);
    }
    return positions;
  }

  // Elements of rows that are drawn already stay, with what the reader has selected in them.
  private syncElements(): void {
    const wanted = new Set(this.positions);
    for (const [position, { element }] of this.drawn) {
      if (wanted.has(position)) continue;
      element.remove();
      this.drawn.delete(position);
    }
    let before: ChildNode | null = this.block.firstChild;
    for (const position of this.positions) {
      const row = this.source.row(position);
      const signature = this.painter.signature(position, row);
      const old = this.drawn.get(position);
      if (old && old.signature === signature && old.element === before) {
        before = before.nextSibling;
        continue;
      }
      const element = old && old.signature === signature ? old.element : this.painter.paint(position, row);
      if (old && old.element !== element) {
        if (old.element === before) before = before.nextSibling;
        old.element.remove();
      }
      this.block.insertBefore(element, before);
      this.drawn.set(position, { element, signature });
    }
    while (before) {
      const next: ChildNode | null = before.nextSibling;
      before.remove();
      before = next;
    }
  }

  // Puts the block where the anchor is at the upper edge, and the scroll bar where both ends can be reached.
  private place(): void {
    const view = this.scroller.clientHeight;
    this.drawnHeight = view;
    const whole = this.block.offsetHeight;
    const atFirst = this.source.previous(this.positions[0]!) === undefined;
    const atLast = this.source.next(this.positions[this.positions.length - 1]!) === undefined;
    let above = this.drawn.get(this.anchor.position)!.element.offsetTop + this.anchor.offset;
    if (this.following || (atLast && whole - above < view)) above = Math.max(0, whole - view);
    const scrollTop = this.scrollTopFor(above, atFirst);
    this.height = atLast ? scrollTop + whole - above : Math.max(this.nominalHeight(), scrollTop + whole - above + kSlack);
    this.top = scrollTop - above;
    this.spacer.style.height = `${Math.max(this.height, 1)}px`;
    this.block.style.top = `${this.top}px`;
    this.widen();
    if (Math.abs(this.scroller.scrollTop - scrollTop) >= 1) this.scroller.scrollTop = scrollTop;
    this.expected = this.scroller.scrollTop;
    if (!this.following) this.anchorAt(above, 0);
  }

  private scrollTopFor(above: number, atFirst: boolean): number {
    if (atFirst) return above;
    const now = this.scroller.scrollTop;
    const lost = Number.isNaN(this.expected) || this.following || now < above;
    return lost ? Math.max(this.idealScrollTop(), above + kSlack) : now;
  }

  private idealScrollTop(): number {
    const rows = this.source.last - this.source.first + 1;
    const part = (this.anchor.position - this.source.first) / Math.max(rows, 1);
    return Math.round(part * (this.nominalHeight() - this.scroller.clientHeight));
  }

  private nominalHeight(): number {
    return Math.min((this.source.last - this.source.first + 1) * this.rowHeight, kMaxHeight);
  }

  // The widest row seen so far decides how far one can scroll to the right.
  private widen(): void {
    const width = this.block.offsetWidth;
    if (width <= this.width) return;
    this.width = width;
    this.spacer.style.minWidth = `${width}px`;
  }

  resetWidth(): void {
    this.width = 0;
    this.spacer.style.minWidth = '';
  }
}
