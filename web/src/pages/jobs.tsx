// The list of jobs, and how it is loaded.
import { useEffect, useState } from 'preact/hooks';
import { listJobs } from '../api/client';
import type { Job } from '../api/types';
import { messageOf } from '../log/follow';
import { jobUrl } from '../router';
import { Notice } from './parts';
import { Shown } from './shown';

export type Loaded<T> = { value: T } | { error: string } | undefined;

export function useJobs(): [Loaded<Job[]>, () => void] {
  const [jobs, setJobs] = useState<Loaded<Job[]>>(undefined);
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    const abort = new AbortController();
    listJobs(abort.signal)
      .then((value) => setJobs({ value }))
      .catch((error: unknown) => abort.signal.aborted || setJobs({ error: messageOf(error) }));
    return () => abort.abort();
  }, [attempt]);
  return [jobs, () => { setJobs(undefined); setAttempt(attempt + 1); }];
}

export function JobsList() {
  const [jobs, again] = useJobs();
  return (
    <section aria-labelledby="jobs-title" class="jobs">
      <div class="section-head"><h2 id="jobs-title">Jobs</h2></div>
      {jobs === undefined && <p class="empty">Loading…</p>}
      {jobs && 'error' in jobs && (
        <Notice><Shown text={jobs.error} /> <button type="button" class="link" onClick={again}>Try again</button></Notice>
      )}
      {jobs && 'value' in jobs && <List jobs={jobs.value} />}
    </section>
  );
}

function List({ jobs }: { jobs: Job[] }) {
  if (jobs.length === 0) return <p class="empty">This server has no jobs. Register some, or name commands in its configuration.</p>;
  return (
    <ul class="job-list">
      {jobs.map((job) => (
        <li key={job.name}>
          <a class="job-card" href={jobUrl(job.name)}>
            <b>{job.name}</b>
            {job.help && <span><Shown text={job.help} /></span>}
          </a>
        </li>
      ))}
    </ul>
  );
}
