// The page of a run: its header, its console, and the questions before it is cancelled or deleted.
import { useEffect, useMemo, useReducer, useRef, useState } from 'preact/hooks';
import { cancelRun, deleteRun } from '../api/client';
import { isFinal, type Run } from '../api/types';
import { base } from '../base';
import type { Console } from '../console/console';
import { ConsoleView } from '../console/console_view';
import { messageOf } from '../log/follow';
import { LogSession } from '../log/session';
import { navigate } from '../router';
import { stateText } from '../text/result_text';
import { setStatus } from './favicon';
import { Confirm, Notice } from './parts';
import { RunHeader } from './run_header';
import { Shown } from './shown';

export function RunPage({ id, onHelp }: { id: string; onHelp(): void }) {
  const { session, bind } = useSession(id);
  const [asking, setAsking] = useState<'cancel' | 'delete'>();
  const [trouble, setTrouble] = useState('');
  const { run, connection } = session;

  useEffect(() => setStatus(run && `${stateText(run.state)} · ${run.job}`, run?.state), [run?.state, run?.job]);

  const cancel = (): void => void cancelRun(id).then((updated) => session.update(updated)).catch((error: unknown) => setTrouble(messageOf(error)));
  const remove = (): void => void deleteRun(id).then(() => navigate(base)).catch((error: unknown) => setTrouble(messageOf(error)));
  const askCancel = (): void => { if (session.run && !isFinal(session.run.state)) setAsking('cancel'); };

  if (connection.state === 'failed' && !run) return <Missing reason={connection.reason} />;
  return (
    <main class="run-page">
      {run ? <RunHeader run={run} last={session.window.last} connection={connection} onCancel={askCancel} onDelete={() => setAsking('delete')} />
        : <header class="run-header"><div class="run-title"><h1>Run</h1><span class="connection">{waiting(connection.state)}</span></div></header>}
      {connection.state === 'failed' && <Notice><Shown text={connection.reason} /></Notice>}
      {trouble && <Notice><Shown text={trouble} /></Notice>}
      <ConsoleView session={session} onReady={bind} onCancel={askCancel} onHelp={onHelp} />
      {asking && run && <Ask what={asking} run={run} onConfirm={asking === 'cancel' ? cancel : remove} onClose={() => setAsking(undefined)} />}
    </main>
  );
}

const waiting = (state: string): string => (state === 'reconnecting' ? 'The server cannot be reached, trying again…' : 'Loading…');

function Ask({ what, run, onConfirm, onClose }: { what: 'cancel' | 'delete'; run: Run; onConfirm(): void; onClose(): void }) {
  return what === 'cancel'
    ? <Confirm title={`Cancel ${run.job}?`} text="The job is asked to stop. What it has printed is kept." action="Cancel the run" onConfirm={onConfirm} onClose={onClose} />
    : <Confirm title="Delete this run?" text="The run and all it has printed are gone for good." action="Delete the run" onConfirm={onConfirm} onClose={onClose} />;
}

function Missing({ reason }: { reason: string }) {
  return (
    <main class="page narrow">
      <h1>No such run</h1>
      <Notice kind="plain"><Shown text={reason} /> It may have been deleted. <a href={base}>See all runs.</a></Notice>
    </main>
  );
}

// The session of run `id`, for as long as the page shows it. What it tells goes to the console that is bound to it.
function useSession(id: string): { session: LogSession; bind(view: Console | undefined): void } {
  const [, tick] = useReducer((n: number) => n + 1, 0);
  const view = useRef<Console>();
  const frame = useRef(0);
  const session = useMemo(() => {
    const redraw = (): void => {
      frame.current ||= requestAnimationFrame(() => {
        frame.current = 0;
        tick(undefined);
      });
    };
    return new LogSession(id, {
      onChange: redraw,
      onLines: (fresh) => {
        view.current?.linesChanged(fresh);
        redraw();
      },
    });
  }, [id]);
  useEffect(() => {
    session.start();
    return () => {
      cancelAnimationFrame(frame.current);
      frame.current = 0;
      session.close();
    };
  }, [session]);
  const bind = useMemo(() => (made: Console | undefined): void => { view.current = made; }, []);
  return { session, bind };
}
