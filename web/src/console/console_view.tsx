// The console's markup: the toolbar, the rows, and what is said above and over them.
import { useEffect, useReducer, useRef, useState } from 'preact/hooks';
import { runPath } from '../api/client';
import { at } from '../base';
import { loadText } from '../log/loader';
import { type LogSession } from '../log/session';
import { messageOf } from '../log/follow';
import { count, plural } from '../text/format';
import { visible } from '../text/visible';
import { Console } from './console';
import { copyText } from './clipboard';
import { Icon } from './icons';
import { press } from './keys';
import { Toolbar } from './toolbar';

const kMostCopied = 20_000_000; // characters

interface Props {
  session: LogSession;
  // Tells the session's owner where its events belong.
  onReady(view: Console | undefined): void;
  onCancel(): void;
  onHelp(): void;
}

export function ConsoleView({ session, onReady, onCancel, onHelp }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const announcements = useRef<HTMLDivElement>(null);
  const search = useRef<HTMLInputElement>(null);
  const goTo = useRef<HTMLInputElement>(null);
  const [view, setView] = useState<Console>();
  const [toast, setToast] = useState('');
  const redraw = useRedraw();

  useEffect(() => {
    const made = new Console(session, { scroller: scroller.current!, announcements: announcements.current! }, redraw);
    setView(made);
    onReady(made);
    scroller.current!.focus({ preventScroll: true });
    return () => {
      onReady(undefined);
      made.close();
    };
  }, [session]);

  async function copy(): Promise<void> {
    if (!view) return;
    const range = view.selection ?? { from: view.visibleLines.first, to: view.visibleLines.last };
    setToast('Copying…');
    try {
      await copyText(loadText(session.id, range.from, range.to, kMostCopied));
      setToast(range.from === range.to ? `Copied line ${count(range.from)}` : `Copied lines ${count(range.from)} to ${count(range.to)}`);
    } catch (error) {
      setToast(`Not copied: ${visible(messageOf(error))}`);
    }
  }

  useEffect(() => {
    if (!toast) return undefined;
    const timer = setTimeout(() => setToast(''), 2500);
    return () => clearTimeout(timer);
  }, [toast]);

  useEffect(() => {
    if (!view) return undefined;
    const targets = {
      focusSearch: () => {
        search.current?.focus();
        search.current?.select();
      },
      focusGoTo: () => goTo.current?.focus(),
      askCancel: onCancel,
      toggleHelp: onHelp,
      copy: () => void copy(),
    };
    const listener = (event: KeyboardEvent): void => {
      if (press(event, view, targets)) event.preventDefault();
    };
    document.addEventListener('keydown', listener);
    return () => document.removeEventListener('keydown', listener);
  }, [view, onCancel]);

  const focus = (): void => scroller.current?.focus({ preventScroll: true });
  return (
    <section class="console" aria-label="Console">
      {view && <Toolbar view={view} searchRef={search} goToRef={goTo} downloadUrl={at(`${runPath(session.id)}/log`)} downloadName={`${session.id}.log`}
        onCopy={() => void copy()} onHelp={onHelp} onLeave={focus} />}
      <Notes session={session} view={view} />
      <div class="screen">
        <div class="scroller" ref={scroller} tabIndex={0} role="log" aria-live="off" aria-label="What the job prints" />
        <Empty session={session} view={view} />
        {view && <FollowButton session={session} view={view} onDone={focus} />}
        {toast && <div class="toast" role="status">{toast}</div>}
      </div>
      <div class="for-readers" role="status" aria-live="polite" ref={announcements} />
    </section>
  );
}

// Draws again with the next frame, however often it is asked to before.
function useRedraw(): () => void {
  const [, tick] = useReducer((n: number) => n + 1, 0);
  const frame = useRef(0);
  useEffect(() => () => cancelAnimationFrame(frame.current), []);
  return () => {
    frame.current ||= requestAnimationFrame(() => {
      frame.current = 0;
      tick(undefined);
    });
  };
}

function FollowButton({ session, view, onDone }: { session: LogSession; view: Console; onDone(): void }) {
  if (view.following || view.filter || (view.atEnd && !session.isLive)) return null;
  const fresh = view.newLines;
  const text = fresh > 0 ? plural(fresh, 'new line') : session.isLive ? 'Follow' : 'To the end';
  return (
    <button type="button" class={`pill ${fresh > 0 ? 'fresh' : ''}`} title="Go to the end and follow (f)" onClick={() => { view.toEnd(); onDone(); }}>
      <Icon name="end" />{text}
    </button>
  );
}

// What the reader ought to know about what they see.
function Notes({ session, view }: { session: LogSession; view: Console | undefined }) {
  const { filter } = view ?? {};
  return (
    <>
      {session.trouble && <p class="note-bar bad" role="status">A part of the log could not be loaded: {visible(session.trouble)} Trying again.</p>}
      {filter && (
        <p class="note-bar" role="status">
          <span>{filterText(view!)}</span>
          <button type="button" class="link" onClick={() => view!.showAll()}>Show everything</button>
        </p>
      )}
    </>
  );
}

function filterText(view: Console): string {
  const filter = view.filter!;
  const shown = plural(filter.rows.last - (filter.state === 'complete' ? 1 : 0), 'line'); // but the result
  if (typeof filter.state === 'object') return `This filter cannot be used: ${visible(filter.state.error)}`;
  if (filter.state === 'full') return `The first ${shown} that match; narrow the search to see others.`;
  return filter.state === 'complete' ? `Only what matches: ${shown}.` : `Only what matches: ${shown} so far.`;
}

function Empty({ session, view }: { session: LogSession; view: Console | undefined }) {
  if (view?.filter) return null;
  if (session.window.last > 0) return null;
  const { connection } = session;
  if (connection.state === 'failed') return <p class="screen-note">{visible(connection.reason)}</p>;
  if (connection.state === 'connecting') return <p class="screen-note">Loading…</p>;
  return <p class="screen-note">{session.isLive ? 'Nothing printed yet.' : 'This run printed nothing.'}</p>;
}
