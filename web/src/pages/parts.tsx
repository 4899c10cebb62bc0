// The parts that several pages share: a run's state and times, notices, a question before what cannot be undone.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { isFinal, type Run, type RunState } from '../api/types';
import { ago, dateAndTime, duration, parseDuration } from '../text/format';
import { stateText } from '../text/result_text';

// The path of each state's sign, in a square of 16 by 16.
const kShapes: Record<string, string> = {
  RUN_STATE_PENDING: 'M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11Z',
  RUN_STATE_RUNNING: 'M8 2.5a5.5 5.5 0 1 1-5.5 5.5',
  RUN_STATE_SUCCEEDED: 'M3.5 8.5 6.7 11.7 12.7 4.8',
  RUN_STATE_FAILED: 'M4 4 12 12M12 4 4 12',
  RUN_STATE_CANCELLED: 'M3 8H13',
  RUN_STATE_TIMED_OUT: 'M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11ZM8 5v3.2l2 1.3',
  RUN_STATE_LOST: 'M5.6 6a2.4 2.4 0 1 1 3.6 2.1C8.3 8.6 8 9 8 9.8M8 12.4v.2',
};

const classOf = (state: RunState): string => state.replace('RUN_STATE_', '').toLowerCase();

// A run's state as a sign and in words; never by colour alone.
export function StateChip({ state, bare = false }: { state: RunState; bare?: boolean }) {
  return (
    <span class={`state ${classOf(state)}`} title={bare ? stateText(state) : undefined}>
      <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true"><path d={kShapes[state] ?? ''} /></svg>
      <span class={bare ? 'for-readers' : ''}>{stateText(state)}</span>
    </span>
  );
}

// The parameters, always in the same order: JSON has none.
export const parametersOf = (run: Run): [string, string][] =>
  Object.entries(run.parameters ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));

// The time, again every second while `ticking`.
export function useNow(ticking: boolean): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (!ticking) return undefined;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [ticking]);
  return now;
}

export function Elapsed({ run }: { run: Run }) {
  const running = !isFinal(run.state);
  const now = useNow(running);
  if (run.result?.duration) return <>{duration(parseDuration(run.result.duration))}</>;
  const start = Date.parse(run.startTime ?? '');
  if (Number.isNaN(start)) return <>–</>;
  const end = run.endTime ? Date.parse(run.endTime) : now;
  return <>{duration(end - start, !running)}</>;
}

export function Ago({ time }: { time: string | undefined }) {
  const now = useNow(true);
  const at = Date.parse(time ?? '');
  if (Number.isNaN(at)) return <>–</>;
  return <time dateTime={time} title={dateAndTime(at)}>{ago(now - at)}</time>;
}

export function Notice({ kind = 'bad', children }: { kind?: 'bad' | 'plain'; children: ComponentChildren }) {
  return <p class={`notice ${kind}`} role={kind === 'bad' ? 'alert' : undefined}>{children}</p>;
}

interface ConfirmProps {
  title: string;
  text: string;
  action: string;
  onConfirm(): void;
  onClose(): void;
}

// Asks before something that cannot be undone. Escape and a click beside it are a no.
export function Confirm({ title, text, action, onConfirm, onClose }: ConfirmProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby="confirm-title" onClose={onClose}
      onClick={(event) => event.target === dialog.current && dialog.current?.close()}>
      <div class="dialog-body">
        <h2 id="confirm-title">{title}</h2>
        <p>{text}</p>
        <div class="buttons">
          <button type="button" class="button" autofocus onClick={() => dialog.current?.close()}>Keep it</button>
          <button type="button" class="button danger" onClick={() => { onConfirm(); dialog.current?.close(); }}>{action}</button>
        </div>
      </div>
    </dialog>
  );
}
