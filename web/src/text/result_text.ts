// The states and results of runs, and gaps in logs, in words.
import type { RunResult, RunState } from '../api/types';
import { count, duration, parseDuration, plural } from './format';

const kStates: Record<string, string> = {
  RUN_STATE_PENDING: 'Waiting to start',
  RUN_STATE_RUNNING: 'Running',
  RUN_STATE_SUCCEEDED: 'Succeeded',
  RUN_STATE_FAILED: 'Failed',
  RUN_STATE_CANCELLED: 'Cancelled',
  RUN_STATE_TIMED_OUT: 'Timed out',
  RUN_STATE_LOST: 'Lost',
};
export const stateText = (state: RunState): string => kStates[state] ?? 'Unknown';

const kSignals: Record<number, string> = {
  1: 'SIGHUP', 2: 'SIGINT', 3: 'SIGQUIT', 4: 'SIGILL', 6: 'SIGABRT', 7: 'SIGBUS', 8: 'SIGFPE', 9: 'SIGKILL',
  11: 'SIGSEGV', 13: 'SIGPIPE', 14: 'SIGALRM', 15: 'SIGTERM', 24: 'SIGXCPU',
};
export const signalText = (signal: number): string => kSignals[signal] ?? `signal ${signal}`;

// How the job's own end shows: "exit code 3", "killed by SIGSEGV".
export function exitText(result: RunResult): string {
  return result.signal ? `killed by ${signalText(result.signal)}` : `exit code ${result.exitCode ?? 0}`;
}

export function resultText(result: RunResult): string {
  if (result.state === 'RUN_STATE_LOST') return `Lost: ${result.error || 'the server went away while the job was at work.'}`;
  const took = duration(parseDuration(result.duration));
  const lines = plural(Number(result.totalLines ?? 0), 'line');
  const words = `${stateText(result.state)} after ${took}, ${exitText(result)}, ${lines}.`;
  return result.error ? `${words} ${result.error}` : words;
}

const kReasons: Record<string, string> = {
  GAP_REASON_DROPPED: 'the job printed faster than they could be kept',
  GAP_REASON_OVERWRITTEN: 'a progress bar overwrote them at once',
  GAP_REASON_RETENTION: 'old lines are deleted to save room',
  GAP_REASON_DAMAGED: 'the store cannot read them any more',
  GAP_REASON_STORE_FULL: 'the server’s disk was full',
};

export function gapText(gap: { first: number; last: number; reason: string }): string {
  const missing = gap.last - gap.first + 1;
  const which = missing === 1 ? `Line ${count(gap.first)} is` : `Lines ${count(gap.first)} to ${count(gap.last)} are`;
  return `${which} missing: ${kReasons[gap.reason] ?? 'the reason is not known'}.`;
}
