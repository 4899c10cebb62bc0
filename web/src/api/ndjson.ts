// The reader of a stream from the server, which has a message of JSON in each line.
import { at } from '../base';
import { ApiError, apiError, errorOf, kUnavailable } from './client';
import type { Status } from './types';

interface Envelope<T> {
  result?: T;
  error?: Status;
}

// Cuts a stream of bytes into lines. Feed it pieces as they come; a line is handed out once it is complete.
export class LineSplitter {
  private readonly decoder = new TextDecoder();
  private rest = '';

  push(bytes: Uint8Array): string[] {
    const text = this.rest + this.decoder.decode(bytes, { stream: true });
    const lines = text.split('\n');
    this.rest = lines.pop() ?? '';
    return lines;
  }
}

function parse<T>(line: string): T | undefined {
  if (line === '') return undefined;
  const envelope = JSON.parse(line) as Envelope<T>;
  if (envelope.error) {
    throw apiError(200, envelope.error.code ?? 2, envelope.error.message ?? 'the stream was ended');
  }
  return envelope.result;
}

// What came before an error counts.
function parseAll<T>(lines: string[]): { messages: T[]; failure: unknown } {
  const messages: T[] = [];
  try {
    for (const line of lines) {
      const message = parse<T>(line);
      if (message !== undefined) messages.push(message);
    }
  } catch (failure) {
    return { messages, failure };
  }
  return { messages, failure: undefined };
}

// The messages of a server stream, in portions as they arrive. What is not asked for is not read: the server waits.
// Returns when the stream has ended as it should; throws an ApiError otherwise, and an AbortError after `signal`.
// `onHeader` sees the answer's header first.
export async function* readStream<T>(path: string, signal: AbortSignal, onHeader?: (header: Headers) => void): AsyncGenerator<T[]> {
  let response: Response;
  try {
    response = await fetch(at(path), { headers: { Accept: 'application/x-ndjson' }, signal, cache: 'no-store' });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new ApiError(0, kUnavailable, 'The server cannot be reached.');
  }
  if (!response.ok || !response.body) throw await errorOf(response);
  onHeader?.(response.headers);
  const reader = response.body.getReader();
  const splitter = new LineSplitter();
  try {
    for (;;) {
      const { done, value } = await read(reader, signal);
      if (done) return;
      const { messages, failure } = parseAll<T>(splitter.push(value));
      yield messages; // none, of half a line or an empty one, still is a sign of life
      if (failure) throw failure;
    }
  } finally {
    reader.cancel().catch(() => undefined);
  }
}

async function read(reader: ReadableStreamDefaultReader<Uint8Array>, signal: AbortSignal) {
  try {
    return await reader.read();
  } catch (error) {
    if (signal.aborted) throw error;
    throw new ApiError(0, kUnavailable, 'The connection to the server broke.');
  }
}
