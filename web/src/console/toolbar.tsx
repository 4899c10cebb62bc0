// The console's toolbar: search, filters, going to a line, times, wrapping, copy, download.
import { useEffect, useState } from 'preact/hooks';
import type { Ref } from 'preact';
import type { SearchTerm } from '../log/search';
import { settings } from '../settings';
import type { Console } from './console';
import { Icon } from './icons';
import type { Times } from './row_painter';
import { typedLines } from './selection';

interface Props {
  view: Console;
  searchRef: Ref<HTMLInputElement>;
  goToRef: Ref<HTMLInputElement>;
  downloadUrl: string;
  downloadName: string;
  onCopy(): void;
  onHelp(): void;
  onLeave(): void; // the reader is done with a field
}

export function Toolbar({ view, searchRef, goToRef, downloadUrl, downloadName, onCopy, onHelp, onLeave }: Props) {
  const { times, wrap } = settings();
  return (
    <div class="toolbar" role="group" aria-label="Console tools">
      <Search view={view} inputRef={searchRef} onLeave={onLeave} />
      <select class="compact" aria-label="Which output" value={view.stream}
        onChange={(event) => view.setStream((event.target as HTMLSelectElement).value as Console['stream'])}>
        <option value="">All output</option>
        <option value="STREAM_STDOUT">stdout</option>
        <option value="STREAM_STDERR">stderr</option>
      </select>
      <GoTo view={view} inputRef={goToRef} onLeave={onLeave} />
      <span class="stretch" />
      <select class="compact" aria-label="Times" value={times}
        onChange={(event) => view.setTimes((event.target as HTMLSelectElement).value as Times)}>
        <option value="off">No times</option>
        <option value="relative">Since start</option>
        <option value="absolute">Time of day</option>
      </select>
      <button type="button" class="tool" aria-pressed={wrap} title="Wrap long lines (w)" onClick={() => view.setWrap(!wrap)}>
        <Icon name="wrap" /><span class="for-readers">Wrap long lines</span>
      </button>
      <button type="button" class="tool" title="Copy the selected lines, or those on screen (c)" onClick={onCopy}>
        <Icon name="copy" /><span class="for-readers">Copy lines</span>
      </button>
      <a class="tool" href={downloadUrl} download={downloadName} title="Download the whole log as text">
        <Icon name="download" /><span class="for-readers">Download the log</span>
      </a>
      <button type="button" class="tool" title="Keys (?)" onClick={onHelp}>
        <Icon name="keys" /><span class="for-readers">Keys</span>
      </button>
    </div>
  );
}

// Searching begins while one types; Enter goes on.
function Search({ view, inputRef, onLeave }: { view: Console; inputRef: Ref<HTMLInputElement>; onLeave(): void }) {
  const [term, setTerm] = useState<SearchTerm>(view.searching.term);
  useEffect(() => {
    if (sameTerm(term, view.searching.term)) return undefined;
    const timer = setTimeout(() => { if (!sameTerm(term, view.searching.term)) view.search(term); }, 200);
    return () => clearTimeout(timer);
  }, [term, view]);

  // What has been typed counts at once for who presses a key or a button.
  function go(direction: 'next' | 'previous'): void {
    if (sameTerm(term, view.searching.term)) void view.searching.go(direction);
    else view.search(term);
  }

  function toggleOnlyMatches(): void {
    if (!sameTerm(term, view.searching.term)) view.search(term);
    view.setOnlyMatches(!view.onlyMatches);
  }

  function key(event: KeyboardEvent): void {
    if (event.key === 'Enter') {
      event.preventDefault();
      go(event.shiftKey ? 'previous' : 'next');
    }
    if (event.key === 'Escape') {
      setTerm({ ...term, text: '' });
      onLeave();
    }
  }

  const { status, trouble } = view.searching;
  return (
    <div class={`search ${trouble ? 'refused' : ''}`} role="search">
      <Icon name="search" />
      <input ref={inputRef} type="text" placeholder="Search" aria-label="Search the whole log" value={term.text}
        spellcheck={false} autocomplete="off" enterkeyhint="search" onKeyDown={key}
        onInput={(event) => setTerm({ ...term, text: (event.target as HTMLInputElement).value })} />
      <span class="search-status" role="status" title={trouble}>{status}</span>
      <button type="button" class="tool small" aria-pressed={term.matchCase} title="Match upper and lower case" onClick={() => setTerm({ ...term, matchCase: !term.matchCase })}>Aa</button>
      <button type="button" class="tool small" aria-pressed={term.regex} title="Regular expression (RE2)" onClick={() => setTerm({ ...term, regex: !term.regex })}>.*</button>
      <button type="button" class="tool small" title="Previous match (N)" disabled={!term.text} onClick={() => go('previous')}>
        <Icon name="up" /><span class="for-readers">Previous match</span>
      </button>
      <button type="button" class="tool small" title="Next match (n)" disabled={!term.text} onClick={() => go('next')}>
        <Icon name="down" /><span class="for-readers">Next match</span>
      </button>
      <button type="button" class="tool small" title="Show only lines that match (m)" aria-pressed={view.onlyMatches} disabled={!term.text}
        onClick={toggleOnlyMatches}>
        <Icon name="filter" /><span class="for-readers">Only matching lines</span>
      </button>
    </div>
  );
}

const sameTerm = (a: SearchTerm, b: SearchTerm): boolean =>
  a.text === b.text && (a.text === '' || (a.regex === b.regex && a.matchCase === b.matchCase));

function GoTo({ view, inputRef, onLeave }: { view: Console; inputRef: Ref<HTMLInputElement>; onLeave(): void }) {
  function key(event: KeyboardEvent): void {
    const input = event.target as HTMLInputElement;
    if (event.key !== 'Enter' && event.key !== 'Escape') return;
    const lines = typedLines(input.value);
    if (event.key === 'Enter' && lines) view.select(lines, true);
    input.value = '';
    onLeave();
  }
  return <input ref={inputRef} class="go-to" type="text" placeholder="Line" aria-label="Go to line" title="Go to a line, or select several: 10-20 (:)" autocomplete="off" onKeyDown={key} />;
}
