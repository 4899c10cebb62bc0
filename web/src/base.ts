// The path that all of this server's addresses begin with, put before them and taken off again.

// Where this server's addresses begin. That is "/", but for a proxy that serves it under a path of its own, such as
// "/jobs/": the page's script was loaded from below that path.
function baseOf(): string {
  const script = typeof document === 'undefined' ? undefined : document.querySelector<HTMLScriptElement>('script[type=module]')?.src;
  return script ? new URL('..', script).pathname : '/';
}

export const base = baseOf();

// The address of a path that begins with "/" as the server has it.
export const at = (path: string, from = base): string => from + path.slice(1);

// The path as the server has it, of one that the page is at; undefined if it is not this server's.
export const pathAt = (address: string, from = base): string | undefined =>
  address.startsWith(from) ? `/${address.slice(from.length)}` : undefined;
