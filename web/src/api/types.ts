// The API's messages as protobuf's JSON mapping gives them: int64 as strings, defaults left out.

export type RunState =
  | 'RUN_STATE_PENDING' | 'RUN_STATE_RUNNING' | 'RUN_STATE_SUCCEEDED' | 'RUN_STATE_FAILED'
  | 'RUN_STATE_CANCELLED' | 'RUN_STATE_TIMED_OUT' | 'RUN_STATE_LOST';

export interface Parameter {
  name: string;
  type: string;
  help?: string;
  required?: boolean;
  secret?: boolean;
  defaultValue?: string;
  values?: string[];
  minimum?: string;
  maximum?: string;
}

export interface Job {
  name: string;
  help?: string;
  parameters?: Parameter[];
  timeout?: string;
  verbs?: Verb[]; // what I may do with the job and my own runs of it; with everybody's:
  verbsOnAllRuns?: Verb[];
}

export type Verb =
  | 'VERB_LIST' | 'VERB_READ' | 'VERB_READ_LOG' | 'VERB_RUN' | 'VERB_CANCEL' | 'VERB_DELETE' | 'VERB_METRICS' | 'VERB_ADMIN';

// Who the server takes this page's user for.
export interface WhoAmI {
  name?: string;
  groups?: string[];
  proof?: string;
  expireTime?: string;
}

export interface RunResult {
  state: RunState;
  exitCode?: number;
  signal?: number;
  error?: string;
  duration?: string;
  totalLines?: string;
  totalBytes?: string;
}

export interface RunProgress {
  fraction?: number;
  text?: string;
  rate?: number;
  remaining?: string;
}

export interface Run {
  id: string;
  job: string;
  parameters?: Record<string, string>;
  state: RunState;
  createTime?: string;
  startTime?: string;
  endTime?: string;
  cancelTime?: string;
  deleteTime?: string;
  result?: RunResult;
  progress?: RunProgress;
  lastSequence?: string;
  createdBy?: string;
  cutParameters?: string[]; // names of those in `parameters` whose values are cut short: getRun has the whole
  omittedParameters?: number; // how many are not there at all, likewise
}

export interface Gap {
  first: string;
  last: string;
  reason?: string;
}

export interface LogLine {
  sequence?: string;
  time?: string;
  stream?: string;
  ending?: string;
  text?: string;
  raw?: string;
  run?: Run;
  progress?: RunProgress;
  result?: RunResult;
  gap?: Gap;
  cut?: { first?: string; last?: string };
  heartbeat?: { lastSequence?: string; time?: string; searchedThrough?: string };
}

export interface Status {
  code?: number;
  message?: string;
}

export const isCut = (run: Pick<Run, 'cutParameters' | 'omittedParameters'>): boolean =>
  (run.cutParameters?.length ?? 0) > 0 || (run.omittedParameters ?? 0) > 0;

export const isFinal = (state: RunState): boolean =>
  state !== 'RUN_STATE_PENDING' && state !== 'RUN_STATE_RUNNING';
