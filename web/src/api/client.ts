// The calls of the API that have one answer, and the errors of all calls.
import { at } from '../base';
import type { Job, Run, Status, WhoAmI } from './types';

// What the server answered instead of what was asked for. `code` is a google.rpc.Code.
export class ApiError extends Error {
  constructor(readonly httpStatus: number, readonly code: number, message: string) {
    super(message);
  }
}

export const kNotFound = 5;
export const kPermissionDenied = 7;
export const kOutOfRange = 11;
export const kUnavailable = 14;
export const kUnauthenticated = 16;

// Called whenever the server does not know who asks.
let onUnknown: () => void = () => undefined;
export const whenUnknown = (listener: () => void): void => { onUnknown = listener; };

// An error of the server's, which is looked at for that.
export function apiError(httpStatus: number, code: number, message: string): ApiError {
  if (code === kUnauthenticated) onUnknown();
  return new ApiError(httpStatus, code, message);
}

const kUnreachable = 'The server cannot be reached.';

// The error that an answer outside 2xx carries, whoever sent it: the server, or a proxy before it.
export async function errorOf(response: Response): Promise<ApiError> {
  const body = await response.text().catch(() => '');
  try {
    const status = JSON.parse(body) as Status;
    return apiError(response.status, status.code ?? 2, status.message ?? response.statusText);
  } catch {
    const code = response.status === 404 ? kNotFound : response.status === 401 ? kUnauthenticated : response.status >= 502 ? kUnavailable : 2;
    return apiError(response.status, code, `The server answered ${response.status} ${response.statusText}.`);
  }
}

async function call<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const init: RequestInit = { method, headers: { Accept: 'application/json' } };
  if (signal) init.signal = signal;
  if (body !== undefined) {
    init.headers = { Accept: 'application/json', 'Content-Type': 'application/json' };
    init.body = JSON.stringify(body);
  }
  let response: Response;
  try {
    response = await fetch(at(path), init);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, kUnavailable, kUnreachable);
  }
  if (!response.ok) throw await errorOf(response);
  return (await response.json()) as T;
}

// Somewhere to sign in besides this server.
export interface Issuer { name: string; path: string }

// Those that the server knows; none from one that does not answer that.
export const listIssuers = (): Promise<Issuer[]> =>
  call<{ issuers?: Issuer[] }>('GET', '/login/issuers').then((answer) => answer.issuers ?? [], () => []);

export const runPath = (run: string): string => `/v1/runs/${encodeURIComponent(run)}`;

// All jobs, page by page.
export async function listJobs(signal?: AbortSignal): Promise<Job[]> {
  const jobs: Job[] = [];
  let token = '';
  do {
    const query = token ? `?page_token=${encodeURIComponent(token)}` : '';
    const page = await call<{ jobs?: Job[]; nextPageToken?: string }>('GET', `/v1/jobs${query}`, undefined, signal);
    jobs.push(...(page.jobs ?? []));
    token = page.nextPageToken ?? '';
  } while (token);
  return jobs;
}

export interface RunsQuery {
  job?: string;
  states?: string[];
  pageToken?: string;
  pageSize?: number;
}

export interface RunsPage {
  runs: Run[];
  next: string;
}

export async function listRuns(query: RunsQuery, signal?: AbortSignal): Promise<RunsPage> {
  const parameters = new URLSearchParams({ page_size: String(query.pageSize ?? 50) });
  if (query.job) parameters.set('job', query.job);
  if (query.pageToken) parameters.set('page_token', query.pageToken);
  for (const state of query.states ?? []) parameters.append('states', state);
  const page = await call<{ runs?: Run[]; nextPageToken?: string }>('GET', `/v1/runs?${parameters}`, undefined, signal);
  return { runs: page.runs ?? [], next: page.nextPageToken ?? '' };
}

export const getJob = (job: string, signal?: AbortSignal): Promise<Job> =>
  call('GET', `/v1/jobs/${encodeURIComponent(job)}`, undefined, signal);

export const whoAmI = (): Promise<WhoAmI> => call('GET', '/v1/whoami');
// The session is in a cookie, which scripts do not see.
export const signIn = (token: string): Promise<unknown> => call('POST', '/session', { token });
export const signOut = (): Promise<unknown> => call('DELETE', '/session');

// `requestId` makes a repeated click, or a retry after a lost answer, find the same run.
export const createRun = (job: string, parameters: Record<string, string>, requestId: string): Promise<Run> =>
  call('POST', '/v1/runs', { job, parameters, requestId });

export const getRun = (run: string, signal?: AbortSignal): Promise<Run> => call('GET', runPath(run), undefined, signal);
export const cancelRun = (run: string): Promise<Run> => call('POST', `${runPath(run)}:cancel`, {});
export const deleteRun = (run: string): Promise<unknown> => call('DELETE', runPath(run));
