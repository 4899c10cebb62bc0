// The request for a part of a log, and its address.
import { runPath } from './client';

// A TailLogRequest, as far as the page uses it.
export interface LogRequest {
  fromSequence?: number;
  lastLines?: number;
  follow?: boolean;
  streams?: string[];
  pattern?: string;
}

export function logPath(run: string, request: LogRequest): string {
  const query = new URLSearchParams();
  if (request.fromSequence !== undefined) query.set('from_sequence', String(request.fromSequence));
  if (request.lastLines !== undefined) query.set('last_lines', String(request.lastLines));
  if (request.follow) query.set('follow', 'true');
  for (const stream of request.streams ?? []) query.append('streams', stream);
  if (request.pattern) query.set('pattern', request.pattern);
  const text = query.toString();
  return `${runPath(run)}/log${text ? `?${text}` : ''}`;
}
