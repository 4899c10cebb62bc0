import { useRef, useState } from 'preact/hooks';
import { createRun } from '../api/client';
import type { Job, Parameter } from '../api/types';
import { messageOf } from '../log/follow';
import { navigate, runUrl } from '../router';
import { duration, parseDuration } from '../text/format';
import { fieldOf, isOn, valuesOf } from './fields';
import { useJobs } from './jobs';
import { Notice } from './parts';
import { RunsList } from './runs_list';

export function JobPage({ name, given }: { name: string; given: Record<string, string> }) {
  const [jobs, again] = useJobs();
  const job = jobs && 'value' in jobs ? jobs.value.find((candidate) => candidate.name === name) : undefined;
  return (
    <main class="page narrow">
      <nav class="crumbs" aria-label="Where you are"><a href="/">Jobs and runs</a></nav>
      <h1>{name}</h1>
      {jobs === undefined && <p class="empty">Loading…</p>}
      {jobs && 'error' in jobs && (
        <Notice>{jobs.error} <button type="button" class="link" onClick={again}>Try again</button></Notice>
      )}
      {jobs && 'value' in jobs && !job && <Notice kind="plain">This server has no job of that name. <a href="/">See those it has.</a></Notice>}
      {job && <JobForm key={job.name} job={job} given={given} />}
      <RunsList job={name} />
    </main>
  );
}

function JobForm({ job, given }: { job: Job; given: Record<string, string> }) {
  const [trouble, setTrouble] = useState('');
  const [busy, setBusy] = useState(false);
  // The same for a second click and for a retry after a lost answer: they find the run of the first.
  const requestId = useRef(newId());
  const parameters = job.parameters ?? [];

  async function start(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (busy) return;
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
      {job.help && <p class="lead">{job.help}</p>}
      {job.timeout && <p class="hint">Is stopped after {duration(parseDuration(job.timeout))}.</p>}
      <form class="form" onSubmit={(event) => void start(event as SubmitEvent)} onInput={() => { requestId.current = newId(); setTrouble(''); }}>
        {parameters.map((parameter) => <ParameterField key={parameter.name} parameter={parameter} given={given[parameter.name]} />)}
        {trouble && <Notice>{trouble}</Notice>}
        <button type="submit" class="button primary" disabled={busy}>{busy ? 'Starting…' : 'Run'}</button>
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
          {field.choices.map((value) => <option key={value} value={value} selected={value === field.initial}>{value || 'choose…'}</option>)}
        </select>
      )}
      {field.control === 'checkbox' && <input {...common} required={false} type="checkbox" defaultChecked={isOn(field.initial)} />}
      {field.control === 'number' && (
        <input {...common} type="number" step={field.step} min={parameter.minimum} max={parameter.maximum} defaultValue={field.initial} />
      )}
      {field.control === 'text' && <input {...common} type="text" defaultValue={field.initial} autocomplete="off" spellcheck={false} />}
      {field.control === 'lines' && <textarea {...common} rows={4} defaultValue={field.initial} autocomplete="off" spellcheck={false} />}
      {field.control === 'password' && <input {...common} type="password" autocomplete="new-password" />}
      <p class="hint" id={help}>{[parameter.help, field.hint && `(${field.hint})`].filter((part) => part).join(' ')}</p>
    </div>
  );
}

// crypto.randomUUID exists on secure origins only; getRandomValues everywhere.
function newId(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
