// Links whose text names another address than they lead to.
import { cut } from './visible';

// What makes a word look like an address.
const kAddress = /https?:|www\.|[\p{L}\p{N}]\.\p{L}{2,}/iu;
const kLongest = 100; // characters of a target, if its host is not longer
const kAround = 300; // characters

// What `href` is to be shown as beside a link whose text looks like an address, but is not that one; undefined where
// the text does not mislead. `words`: the link's text, with what touches it.
export function misleading(words: string, href: string): string | undefined {
  const addresses = plain(words).split(/\s+/).filter((word) => kAddress.test(word));
  if (addresses.every((address) => isPartOf(address, href))) return undefined;
  const url = new URL(href);
  const whole = url.origin + url.pathname + url.search + url.hash;
  const shown = cut(whole, Math.max(kLongest, url.origin.length));
  return shown.length < whole.length ? `${shown}…` : shown;
}

// `text` from `from` to `to`, up to the blanks around it: "https://" before a link makes an address of "example.org".
export function wordsAround(text: string, from: number, to: number): string {
  const before = /\S*$/.exec(text.slice(Math.max(0, from - kAround), from))![0];
  const after = /^\S*/.exec(text.slice(to, to + kAround))![0];
  return before + text.slice(from, to) + after;
}

// Letters and dots that only look like others are what browsers take them for.
const plain = (text: string): string => text.normalize('NFKC').replace(/\u3002/g, '.').toLowerCase();

const bare = (address: string): string => plain(address).replace(/^https?:\/\//, '').replace(/\/$/, '');

// Whether the address is the target, or its beginning up to the end of a name in it.
function isPartOf(address: string, href: string): boolean {
  const shown = bare(address.replace(/^[^\p{L}\p{N}]+/u, '').replace(/[.,;:!?…"'`)\]}>]+$/, ''));
  const target = bare(href);
  return target === shown || (target.startsWith(shown) && /[/?#]/.test(target[shown.length]!));
}
