// The page of a job: its form, and its runs.
import { useEffect, useRef, useState } from 'preact/hooks';
import { may } from '../account';
import { createRun, getRun } from '../api/client';
import type { Job, Parameter } from '../api/types';
import { base } from '../base';
import { messageOf } from '../log/follow';
import { navigate, runUrl } from '../router';
import { duration, parseDuration } from '../text/format';
import { cut, visible } from '../text/visible';
import { fieldOf, isOn, valuesOf } from './fields';
import { type Loaded, useJobs } from './jobs';
import { Notice } from './parts';
import { RunsList } from './runs_list';
import { Shown } from './shown';

interface Props {
  name: string;
  given: Record<string, string>;
  again: string; // a run whose parameters are given
}

export function JobPage({ name, given, again }: Props) {
  const [jobs, tryAgain] = useJobs();
  const earlier = useEarlier(again);
  const job = jobs && 'value' in jobs ? jobs.value.find((candidate) => candidate.name === name) : undefined;
  return (
    <main class="page narrow">
      <nav class="crumbs" aria-label="Where you are"><a href={base}>Jobs and runs</a></nav>
      <h1><Shown text={name} limit={64} /></h1>
      {jobs === undefined && <p class="empty">Loading…</p>}
      {jobs && 'error' in jobs && (
        <Notice><Shown text={jobs.error} /> <button type="button" class="link" onClick={tryAgain}>Try again</button></Notice>
      )}
      {jobs && 'value' in jobs && !job && <Notice kind="plain">This server has no job of that name. <a href={base}>See those it has.</a></Notice>}
      {earlier && 'error' in earlier && <Notice>The parameters of the earlier run cannot be had: <Shown text={earlier.error} /></Notice>}
      {job && earlier && <JobForm key={job.name} job={job} given={'value' in earlier ? { ...earlier.value, ...given } : given} />}
      <RunsList job={name} />
    </main>
  );
}

// The parameters of run `id`, if there is one.
function useEarlier(id: string): Loaded<Record<string, string>> {
  const [earlier, setEarlier] = useState<Loaded<Record<string, string>>>(id ? undefined : { value: {} });
  useEffect(() => {
    if (!id) return undefined;
    const abort = new AbortController();
    getRun(id, abort.signal)
      .then((run) => setEarlier({ value: run.parameters ?? {} }))
      .catch((error: unknown) => abort.signal.aborted || setEarlier({ error: messageOf(error) }));
    return () => abort.abort();
  }, [id]);
  return earlier;
}

function JobForm({ job, given }: { job: Job; given: Record<string, string> }) {
  const [trouble, setTrouble] = useState('');
  const [busy, setBusy] = useState(false);
  // The same for a second click and for a retry after a lost answer: they find the run of the first.
  const requestId = useRef(newId());
  const parameters = job.parameters ?? [];

  async function start(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (busy || !may('VERB_RUN', job)) return;
    setBusy(true);
    setTrouble('');
    try {
      const run = await createRun(job.name, valuesOf(parameters, new FormData(event.target as HTMLFormElement)), requestId.current);
      navigate(runUrl(run.id));
    } catch (error) {
      setTrouble(messageOf(error));
    }
    setBusy(false);
  }

  return (
    <>
      {job.help && <p class="lead"><Shown text={job.help} limit={2000} lines whole /></p>}
      {job.timeout && <p class="hint">Is stopped after {duration(parseDuration(job.timeout))}.</p>}
      <form class="form" onSubmit={(event) => void start(event as SubmitEvent)} onInput={() => { requestId.current = newId(); setTrouble(''); }}>
        {parameters.map((parameter) => <ParameterField key={parameter.name} parameter={parameter} given={given[parameter.name]} />)}
        {trouble && <Notice><Shown text={trouble} limit={2000} /></Notice>}
        {may('VERB_RUN', job)
          ? <button type="submit" class="button primary" disabled={busy}>{busy ? 'Starting…' : 'Run'}</button>
          : <p class="hint">You may not run this job.</p>}
      </form>
    </>
  );
}

function ParameterField({ parameter, given }: { parameter: Parameter; given: string | undefined }) {
  const field = fieldOf(parameter, given);
  const id = `parameter-${parameter.name}`;
  const help = `${id}-help`;
  const common = { id, name: parameter.name, required: parameter.required, 'aria-describedby': help };
  return (
    <div class={`field ${field.control}`}>
      <label for={id}>{parameter.name}{parameter.required && <span class="required"> required</span>}</label>
      {field.control === 'select' && (
        <select {...common} defaultValue={field.initial}>
          {field.choices.map((value) => <option key={value} value={value} selected={value === field.initial}>{visible(cut(value, 100)) || 'choose…'}</option>)}
        </select>
      )}
      {field.control === 'checkbox' && <input {...common} required={false} type="checkbox" defaultChecked={isOn(field.initial)} />}
      {field.control === 'number' && (
        <input {...common} type="number" step={field.step} min={parameter.minimum} max={parameter.maximum} defaultValue={field.initial} />
      )}
      {field.control === 'text' && <input {...common} type="text" defaultValue={field.initial} autocomplete="off" spellcheck={false} />}
      {field.control === 'lines' && <textarea {...common} rows={4} defaultValue={field.initial} autocomplete="off" spellcheck={false} />}
      {field.control === 'password' && <input {...common} type="password" autocomplete="new-password" />}
      <p class="hint" id={help}><Shown text={[parameter.help, field.hint && `(${field.hint})`].filter((part) => part).join(' ')} limit={1000} lines whole /></p>
    </div>
  );
}

// crypto.randomUUID exists on secure origins only; getRandomValues everywhere.
function newId(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
