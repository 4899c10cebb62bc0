// The header of a run's page: state, connection, buttons, facts and progress.
import { useEffect, useState } from 'preact/hooks';
import { may } from '../account';
import { getJob, getRun } from '../api/client';
import type { Job, Run } from '../api/types';
import { isCut, isFinal } from '../api/types';
import { base } from '../base';
import type { Connection } from '../log/follow';
import { againUrl, jobUrl } from '../router';
import { count, dateAndTime, duration, parseDuration, plural, size } from '../text/format';
import { visible } from '../text/visible';
import { exitText } from '../text/result_text';
import { Ago, Elapsed, parametersOf, StateChip, useNow } from './parts';
import { Shown } from './shown';

interface Props {
  run: Run;
  last: number; // records in the log
  connection: Connection;
  onCancel(): void;
  onDelete(): void;
}

export function RunHeader({ run, last, connection, onCancel, onDelete }: Props) {
  const ended = isFinal(run.state);
  const job = useJob(run.job);
  return (
    <header class="run-header">
      <div class="run-title">
        <nav class="crumbs" aria-label="Where you are"><a href={base}>Runs</a></nav>
        <h1><a href={jobUrl(run.job)}>{run.job}</a></h1>
        <StateChip state={run.state} />
        <ConnectionChip connection={connection} />
        <span class="stretch" />
        <div class="actions">
          {may('VERB_RUN', job) && <a class="button" href={againUrl(run)}>{ended ? 'Run again' : 'Run another'}</a>}
          {ended && may('VERB_DELETE', job, run) && <button type="button" class="button" onClick={onDelete}>Delete</button>}
          {!ended && may('VERB_CANCEL', job, run) && (
            <button type="button" class="button danger" disabled={run.cancelTime !== undefined} onClick={onCancel}>
              {run.cancelTime ? 'Cancelling…' : 'Cancel'}
            </button>
          )}
        </div>
      </div>
      <Facts run={run} last={last} />
      {run.result?.error && <p class="result-error"><Shown text={run.result.error} limit={2000} lines whole /></p>}
      {!ended && run.progress && <Progress run={run} />}
    </header>
  );
}

// The job by name, which tells what the user may do with it; undefined until it is there, and if it cannot be had.
function useJob(name: string): Job | undefined {
  const [job, setJob] = useState<Job>();
  useEffect(() => {
    const abort = new AbortController();
    getJob(name, abort.signal).then(setJob).catch(() => undefined);
    return () => abort.abort();
  }, [name]);
  return job;
}

function Facts({ run, last }: { run: Run; last: number }) {
  const given = useWhole(run);
  const parameters = parametersOf(given);
  const { result } = run;
  return (
    <dl class="facts">
      <div><dt>{result ? 'Took' : 'Running for'}</dt><dd class="elapsed"><Elapsed run={run} /></dd></div>
      {result && result.state !== 'RUN_STATE_LOST' && <div><dt>Result</dt><dd class="result">{exitText(result)}</dd></div>}
      <div>
        <dt>Printed</dt>
        <dd>{result?.totalLines ? plural(Number(result.totalLines), 'line') : plural(last - (result ? 1 : 0), 'line')}
          {result?.totalBytes ? `, ${size(Number(result.totalBytes))}` : ''}</dd>
      </div>
      <div><dt>Started</dt><dd><Ago time={run.startTime ?? run.createTime} />{run.createdBy && <> by <Shown text={run.createdBy} limit={64} /></>}</dd></div>
      {parameters.length > 0 && (
        <div class="given">
          <dt>With</dt>
          <dd>{parameters.map(([name, value]) => <code key={name}>{name}=<Shown text={value} limit={200} whole />{given.cutParameters?.includes(name) ? '…' : ''}</code>)}</dd>
        </div>
      )}
      <RunId id={run.id} created={run.createTime} />
    </dl>
  );
}

// The run with all of its parameters: a stream has them cut short once the run has ended.
function useWhole(run: Run): Run {
  const [whole, setWhole] = useState<Run>();
  const cut = isCut(run);
  useEffect(() => {
    if (!cut) return undefined;
    const abort = new AbortController();
    getRun(run.id, abort.signal).then(setWhole).catch(() => undefined); // what there is stays
    return () => abort.abort();
  }, [run.id, cut]);
  return cut && whole?.id === run.id ? whole : run;
}

function RunId({ id, created }: { id: string; created: string | undefined }) {
  const [whole, setWhole] = useState(false);
  const at = Date.parse(created ?? '');
  return (
    <div>
      <dt>Run</dt>
      <dd>
        <button type="button" class="link mono" title={Number.isNaN(at) ? id : `${id}, ${dateAndTime(at)}`} aria-expanded={whole} onClick={() => setWhole(!whole)}>
          {whole ? id : `…${id.slice(-8)}`}
        </button>
      </dd>
    </div>
  );
}

function Progress({ run }: { run: Run }) {
  const progress = run.progress!;
  const fraction = progress.fraction ?? 0;
  const remaining = parseDuration(progress.remaining);
  return (
    <div class="progress">
      <progress max={1} value={fraction} aria-label="Progress" />
      <span class="progress-text">
        <b>{count(Math.floor(fraction * 100))} %</b> {progress.text && <Shown text={progress.text} />}
        {remaining >= 1000 && <span class="hint"> about {duration(remaining, false)} left</span>}
      </span>
    </div>
  );
}

function ConnectionChip({ connection }: { connection: Connection }) {
  const waiting = connection.state === 'reconnecting';
  const now = useNow(waiting);
  switch (connection.state) {
    case 'live': return <span class="connection live" title="New lines appear as they are printed">Live</span>;
    case 'sampling':
      return <span class="connection live" title="Lines come faster than a screen can show: the newest are shown, all are kept">Live, skipping ahead</span>;
    case 'connecting': return <span class="connection">Connecting…</span>;
    case 'reconnecting': {
      const seconds = Math.max(0, Math.ceil((connection.at - now) / 1000));
      return (
        <span class="connection broken" role="status" title={visible(connection.reason)}>
          {seconds > 1 ? `Connection lost, trying again in ${seconds} s` : 'Connection lost, trying again…'}
        </span>
      );
    }
    case 'failed': return <span class="connection broken" role="status">Not connected</span>;
    case 'complete': return null;
  }
}
