// The console's search, as the reader goes through what it finds.
import { findOnServer, LogSearch, patternOf, type SearchTerm } from '../log/search';
import { messageOf } from '../log/follow';
import { count } from '../text/format';
import { visible } from '../text/visible';

export interface SearchingEvents {
  onChange(): void;
  onFound(sequence: number): void;
}

const kReindex = 1500; // ms between two looks at what a live log has grown by

// The search of the console: what is looked for, which match the reader is at, and in words how many there are.
export class Searching {
  term: SearchTerm = { text: '', regex: false, matchCase: false };
  trouble = '';
  busy = false;
  private found: LogSearch | undefined;
  private at = 0; // the match shown; 0: none yet
  private from = 0; // where the search began
  private indexedAt = 0;

  constructor(
    private readonly run: string,
    private readonly last: () => number,
    private readonly events: SearchingEvents,
  ) {}

  close(): void { this.found?.close(); }

  // Looks for `term` and shows the first match at or after `from`.
  start(term: SearchTerm, from: number): void {
    this.close();
    this.term = term;
    this.trouble = '';
    this.at = 0;
    this.from = Math.max(0, from - 1);
    this.found = undefined;
    if (term.text) {
      const pattern = patternOf(term);
      this.found = new LogSearch((begin, signal) => findOnServer(this.run, pattern, begin, signal), this.last, () => this.events.onChange());
      // The first match comes first; then they are counted.
      void this.go('next').then(() => this.grown(false));
    }
    this.events.onChange();
  }

  async go(direction: 'next' | 'previous'): Promise<void> {
    const search = this.found;
    if (!search) return;
    this.busy = true;
    this.events.onChange();
    try {
      const from = this.at || (direction === 'next' ? this.from : this.from + 1);
      const match = direction === 'next' ? await search.next(from) : await search.previous(from);
      if (search !== this.found) return;
      if (match !== undefined) {
        this.at = match;
        this.events.onFound(match);
      }
    } catch (error) {
      this.failed(search, error);
    } finally {
      if (search === this.found) this.busy = false;
      this.events.onChange();
    }
  }

  // The log has grown.
  grown(live: boolean): void {
    const now = performance.now();
    if (!this.found || this.busy || (live && now - this.indexedAt < kReindex)) return;
    this.index(this.found);
  }

  get status(): string {
    const search = this.found;
    if (!search) return '';
    if (this.trouble) return this.trouble;
    const total = search.matches.length;
    const whole = search.limited ? `${count(total)}+` : search.indexing ? `${count(total)}…` : count(total);
    if (total === 0) return search.indexing || this.busy ? 'Searching…' : 'Not found';
    const place = this.at > 0 ? search.placeOf(this.at) : undefined;
    return place ? `${count(place)} of ${whole}` : whole;
  }

  private index(search: LogSearch): void {
    this.indexedAt = performance.now();
    search.index().catch((error: unknown) => this.failed(search, error));
  }

  private failed(search: LogSearch, error: unknown): void {
    if (search !== this.found || (error as Error).name === 'AbortError') return;
    this.trouble = visible(messageOf(error));
    this.events.onChange();
  }
}
