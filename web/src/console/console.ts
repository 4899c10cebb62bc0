// The console, apart from its markup.
import type { LogRecord } from '../log/record';
import { type FilterTerm, FilterList } from '../log/filter_list';
import { loadWhole } from '../log/loader';
import type { LogSession } from '../log/session';
import { expressionOf, patternOf, type SearchTerm } from '../log/search';
import { change, settings } from '../settings';
import { Announcer } from './announcer';
import { highlight } from './highlight';
import { ConsolePainter, type Times } from './row_painter';
import { formatLines, type LineRange, parseLines } from './selection';
import { Searching } from './searching';
import { Viewport } from './viewport';

export interface ConsoleElements {
  scroller: HTMLElement;
  announcements: HTMLElement;
}

// What the reader does with a log: where they are in it, what is marked, searched and left out. Joins the log's
// session to the viewport; the toolbar shows what is here.
export class Console {
  readonly searching: Searching;
  filter: FilterList | undefined;
  selection: LineRange | undefined;
  private filterTerm: FilterTerm = { pattern: '', stream: '' };
  private readonly painter: ConsolePainter;
  private readonly viewport: Viewport;
  private readonly announcer: Announcer;
  private pausedAt = 0; // the last line when following was paused
  private placed = false; // where to begin has been decided

  constructor(
    private readonly session: LogSession,
    private readonly elements: ConsoleElements,
    private readonly onChange: () => void,
  ) {
    this.painter = new ConsolePainter((sequence) => void this.showWhole(sequence));
    this.announcer = new Announcer(elements.announcements);
    this.viewport = new Viewport(elements.scroller, session.rows, this.painter, {
      onFollow: (following) => this.followed(following),
      onDrawn: () => this.drawn(),
    });
    this.searching = new Searching(session.id, () => session.window.last, {
      onChange: () => this.onChange(),
      onFound: (sequence) => this.show(sequence),
    });
    elements.scroller.addEventListener('click', this.onClick);
    window.addEventListener('hashchange', this.onHash);
    this.applySettings();
    this.linesChanged([]);
  }

  close(): void {
    this.elements.scroller.removeEventListener('click', this.onClick);
    window.removeEventListener('hashchange', this.onHash);
    highlight(this.viewport.element, undefined);
    this.viewport.close();
    this.announcer.close();
    this.searching.close();
    this.filter?.close();
  }

  get following(): boolean { return this.viewport.isFollowing; }
  get atEnd(): boolean { return this.viewport.isAtEnd; }
  get newLines(): number { return this.following || !this.placed ? 0 : Math.max(0, this.session.window.last - this.pausedAt); }
  get stream(): FilterTerm['stream'] { return this.filterTerm.stream; }
  get onlyMatches(): boolean { return this.filterTerm.pattern !== ''; }

  // The session has more lines, or other ones than it had.
  linesChanged(fresh: readonly LogRecord[]): void {
    const start = Date.parse(this.session.run?.startTime ?? '');
    if (!Number.isNaN(start) && start !== this.painter.startTime) {
      this.painter.startTime = start;
      this.painter.changed();
    }
    if (!this.placed && this.session.window.last > 0) this.begin();
    if (this.following) this.announcer.add(fresh);
    this.searching.grown(this.session.isLive);
    this.elements.scroller.style.setProperty('--digits', String(Math.max(4, String(this.session.window.last).length)));
    this.viewport.refresh();
    this.onChange();
  }

  setFollowing(following: boolean): void { this.viewport.follow(following); }

  toStart(): void { this.viewport.goTo(1, 'top'); }
  toEnd(): void { this.viewport.follow(true); }
  scrollRows(rows: number): void {
    const height = Number.parseFloat(getComputedStyle(this.elements.scroller).lineHeight) || 20;
    this.elements.scroller.scrollBy({ top: rows * height });
  }
  scrollPages(pages: number): void {
    this.elements.scroller.scrollBy({ top: pages * (this.elements.scroller.clientHeight - 40) });
  }

  select(range: LineRange | undefined, go = false): void {
    this.selection = range;
    this.painter.selection = range;
    const url = location.pathname + location.search + (range ? formatLines(range) : '');
    history.replaceState(history.state, '', url);
    if (range && go) this.viewport.goTo(this.positionOf(range.from));
    this.viewport.refresh();
    this.onChange();
  }

  setTimes(times: Times): void {
    change({ times });
    this.applySettings();
  }

  setWrap(wrap: boolean): void {
    change({ wrap });
    this.applySettings();
  }

  search(term: SearchTerm): void {
    const { first } = this.viewport.visible();
    const from = this.painter.current || this.sequenceAt(first);
    this.searching.start(term, from);
    this.painter.current = 0;
    if (this.onlyMatches) this.setFilter({ ...this.filterTerm, pattern: term.text ? patternOf(term) : '' });
    this.viewport.refresh();
  }

  // Leaves out what does not match the search.
  setOnlyMatches(only: boolean): void {
    const { term } = this.searching;
    this.setFilter({ ...this.filterTerm, pattern: only && term.text ? patternOf(term) : '' });
  }

  setStream(stream: FilterTerm['stream']): void { this.setFilter({ ...this.filterTerm, stream }); }
  showAll(): void { this.setFilter({ pattern: '', stream: '' }); }

  get visibleLines(): { first: number; last: number } {
    const { first, last } = this.viewport.visible();
    return { first: this.sequenceAt(first), last: this.sequenceAt(last) };
  }

  private setFilter(term: FilterTerm): void {
    const here = this.following ? 0 : this.sequenceAt(this.viewport.visible().first);
    this.filterTerm = term;
    this.filter?.close();
    this.filter = undefined;
    if (term.pattern || term.stream) {
      this.filter = new FilterList(this.session.id, term, () => this.filterChanged());
      this.viewport.setSource(this.filter.rows);
      void this.filter.start();
    } else {
      this.viewport.setSource(this.session.rows);
      if (here > 0) this.viewport.goTo(here, 'top');
    }
    this.onChange();
  }

  private filterChanged(): void {
    this.viewport.refresh();
    this.onChange();
  }

  private begin(): void {
    this.placed = true;
    this.pausedAt = this.session.window.last;
    const lines = parseLines(location.hash);
    if (lines) return this.select(lines, true);
    this.viewport.follow(true);
  }

  private followed(following: boolean): void {
    if (!following) this.pausedAt = this.session.window.last;
    this.onChange();
  }

  private drawn(): void {
    const { term } = this.searching;
    highlight(this.viewport.element, term.text ? expressionOf(term) : undefined);
    this.onChange();
  }

  private show(sequence: number): void {
    this.painter.current = sequence;
    this.setFollowing(false);
    this.viewport.reveal(this.positionOf(sequence));
    this.viewport.refresh();
    this.onChange();
  }

  private positionOf(sequence: number): number {
    return (this.filter?.rows ?? this.session.rows).positionOf(sequence);
  }

  private sequenceAt(position: number): number {
    return this.filter ? this.filter.rows.row(position)?.record.sequence ?? 0 : position;
  }

  private applySettings(): void {
    const { times, wrap } = settings();
    this.painter.times = times;
    this.painter.changed();
    this.elements.scroller.classList.toggle('wrap', wrap);
    this.elements.scroller.dataset['times'] = times;
    this.viewport.resetWidth();
    this.viewport.refresh();
    this.onChange();
  }

  private async showWhole(sequence: number): Promise<void> {
    this.painter.showWhole(sequence, await loadWhole(this.session.id, sequence).catch(() => ''));
    this.viewport.refresh();
  }

  // A click on a line's number selects it; with Shift, all from the one selected before.
  private readonly onClick = (event: MouseEvent): void => {
    const link = (event.target as Element).closest<HTMLElement>('.number');
    if (!link || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const line = Number(link.dataset['number']);
    const from = event.shiftKey && this.selection ? this.selection.from : line;
    const again = !event.shiftKey && this.selection?.from === line && this.selection.to === line;
    this.select(again ? undefined : { from: Math.min(from, line), to: Math.max(from, line) });
  };

  private readonly onHash = (): void => {
    const lines = parseLines(location.hash);
    if (lines) this.select(lines, true);
  };
}
