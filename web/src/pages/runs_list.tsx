// The list of runs, with the choice of which.
import { useEffect, useMemo, useReducer, useState } from 'preact/hooks';
import type { Run } from '../api/types';
import { isFinal } from '../api/types';
import { runUrl } from '../router';
import { cut } from '../text/visible';
import { exitText } from '../text/result_text';
import { Ago, Elapsed, Notice, parametersOf, StateChip } from './parts';
import { RunsModel } from './runs_model';
import { Shown } from './shown';

// The choices above the list, and the states that each is for; none for all of them.
const kStates: Record<string, string[]> = {
  all: [],
  active: ['RUN_STATE_PENDING', 'RUN_STATE_RUNNING'],
  succeeded: ['RUN_STATE_SUCCEEDED'],
  'not succeeded': ['RUN_STATE_FAILED', 'RUN_STATE_CANCELLED', 'RUN_STATE_TIMED_OUT', 'RUN_STATE_LOST'],
};

// The runs of one job, or of all, as they change.
export function RunsList({ job = '' }: { job?: string }) {
  const [which, setWhich] = useState('all');
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  const model = useMemo(() => new RunsModel({ job, states: kStates[which] ?? [] }, () => redraw(undefined)), [job, which]);
  useEffect(() => {
    void model.start();
    return () => model.close();
  }, [model]);
  return (
    <section aria-labelledby="runs-title" class="runs">
      <div class="section-head">
        <h2 id="runs-title">{job ? <>Runs of <Shown text={job} limit={64} /></> : 'Runs'}</h2>
        <div class="choices" role="group" aria-label="Which runs">
          {Object.keys(kStates).map((name) => (
            <button type="button" key={name} aria-pressed={name === which} onClick={() => setWhich(name)}>{capital(name)}</button>
          ))}
        </div>
      </div>
      {model.trouble && <Notice><Shown text={model.trouble} /> The list may be out of date; trying again.</Notice>}
      <Body model={model} which={which} job={job} />
    </section>
  );
}

function Body({ model, which, job }: { model: RunsModel; which: string; job: string }) {
  const [trouble, setTrouble] = useState('');
  if (!model.loaded) return model.trouble ? null : <p class="empty">Loading…</p>;
  if (model.runs.length === 0) {
    return <p class="empty">{which === 'all' ? 'Nothing has run yet. Start a job and it appears here.' : `No runs here: ${which}.`}</p>;
  }
  return (
    <>
      <ul class="run-list">
        {model.runs.map((run) => <RunRow key={run.id} run={run} withJob={!job} />)}
      </ul>
      {model.more && (
        <button type="button" class="button" onClick={() => model.loadMore().catch((error: Error) => setTrouble(error.message))}>
          Show older runs
        </button>
      )}
      {trouble && <Notice><Shown text={trouble} /></Notice>}
    </>
  );
}

function RunRow({ run, withJob }: { run: Run; withJob: boolean }) {
  const parameters = parametersOf(run);
  const fraction = run.progress?.fraction;
  return (
    <li>
      <a class="run-row" href={runUrl(run.id)} aria-label={`${run.job}, run ${run.id.slice(-8)}`}>
        <StateChip state={run.state} />
        <span class="run-what">
          {withJob && <b>{run.job}</b>}
          <span class="parameters">{parameters.length > 0 ? <Shown text={listed(parameters)} /> : withJob ? '' : 'no parameters'}</span>
        </span>
        <span class="run-end">{endOf(run)}</span>
        <span class="run-took"><Elapsed run={run} /></span>
        <span class="run-when"><Ago time={run.createTime} /></span>
        {!isFinal(run.state) && fraction !== undefined && <progress max={1} value={fraction} aria-label="Progress" />}
      </a>
    </li>
  );
}

// In one line, of which the screen shows what it has room for.
const listed = (parameters: [string, string][]): string => parameters.map(([name, value]) => `${name}=${cut(value, 200)}`).join('  ');

function endOf(run: Run): string {
  const { result } = run;
  if (!result) return run.progress?.fraction !== undefined ? `${Math.floor(run.progress.fraction * 100)} %` : '';
  return result.exitCode || result.signal ? exitText(result) : '';
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
