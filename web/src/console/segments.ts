// The text of a row as elements: colours, links, and names for characters that cannot be seen.
import type { Color } from 'ansi-sequence-parser';
import { runsOf, type Segment } from '../text/cells';
import { safeLink } from '../text/escapes';
import { kPlain, type Style } from '../text/pen';
import { misleading, wordsAround } from '../text/targets';
import { type Part, partsOf } from '../text/visible';

// Appends a row's text to `into`. Colours by name are the theme's (classes); others are set by the object model, which
// the Content-Security-Policy allows, unlike style attributes.
export function paintSegments(segments: readonly Segment[], into: HTMLElement): void {
  let at = 0;
  let linkFrom = 0;
  segments.forEach(({ text, style }, i) => {
    const target = style === kPlain ? into : styled(style);
    appendLines(text, target, style.href === undefined, segments[i - 1]?.text.slice(-1), segments[i + 1]?.text.slice(0, 1));
    if (target !== into) into.append(target);
    if (segments[i - 1]?.style.href !== style.href) linkFrom = at;
    at += text.length;
    if (style.href === undefined || segments[i + 1]?.style.href === style.href) return;
    const all = segments.map((segment) => segment.text).join('');
    const real = misleading(wordsAround(all, linkFrom, at), style.href);
    if (real) into.append(realTarget(real));
  });
}

// Text without escape sequences, of more than one line perhaps.
export function paintText(text: string, into: HTMLElement): void {
  appendLines(text, into, false);
}

// A row has several lines where one record has drawn several rows of a screen.
function appendLines(text: string, into: HTMLElement, links: boolean, before = '', after = ''): void {
  const lines = text.split('\n');
  lines.forEach((line, i) => {
    if (i > 0) into.append('\n');
    appendParts(partsOf(line, i === 0 ? before : '', i === lines.length - 1 ? after : ''), into, links);
  });
}

// What a link says of itself is the job's word; where it leads is not.
function realTarget(href: string): HTMLElement {
  const element = document.createElement('span');
  element.className = 'mark target';
  element.textContent = `→ ${href}`;
  element.title = 'Where the link leads, which is not what it says';
  return element;
}

function appendParts(parts: readonly Part[], into: HTMLElement, links: boolean): void {
  for (const part of parts) {
    if (part.kind === 'control') into.append(badge(part.text));
    else if (part.kind === 'url' && links) into.append(link(part.text, part.text));
    else for (const { text, isWide } of runsOf(part.text)) into.append(isWide ? wide(text) : text);
  }
}

// Characters of two columns, which fonts have in another width.
function wide(text: string): HTMLElement {
  const element = document.createElement('span');
  element.className = 'wide';
  element.textContent = text;
  return element;
}

function badge(name: string): HTMLElement {
  const element = document.createElement('span');
  element.className = 'unseen';
  element.textContent = name;
  element.title = 'A character that cannot be seen';
  return element;
}

function link(text: string, href: string): Node {
  const safe = safeLink(href);
  if (!safe) return document.createTextNode(text);
  const element = anchor(safe);
  element.textContent = text;
  return element;
}

function anchor(href: string): HTMLAnchorElement {
  const element = document.createElement('a');
  element.href = href;
  element.title = href;
  element.target = '_blank';
  element.rel = 'noopener noreferrer nofollow';
  return element;
}

function styled(style: Style): HTMLElement {
  const element = style.href === undefined ? document.createElement('span') : anchor(style.href);
  const reverse = style.decorations.includes('reverse');
  for (const decoration of style.decorations) element.classList.add(decoration);
  colour(element, 'fg', reverse ? style.background : style.foreground);
  colour(element, 'bg', reverse ? style.foreground : style.background);
  return element;
}

function colour(element: HTMLElement, ground: 'fg' | 'bg', value: Color | null): void {
  if (!value) return;
  if (value.type === 'named') return element.classList.add(`${ground}-${value.name}`);
  if (value.type === 'table' && value.index < 16) return element.classList.add(`${ground}-${kNames[value.index]}`);
  const [red, green, blue] = value.type === 'rgb' ? value.rgb : paletteColour(value.index);
  element.style.setProperty(ground === 'fg' ? 'color' : 'background-color', `rgb(${red}, ${green}, ${blue})`);
}

const kNames = [
  'black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white', 'brightBlack', 'brightRed', 'brightGreen',
  'brightYellow', 'brightBlue', 'brightMagenta', 'brightCyan', 'brightWhite',
];

// xterm's 256 colours beyond the first 16: a cube of 6 steps, then 24 greys.
export function paletteColour(index: number): [number, number, number] {
  if (index >= 232) {
    const grey = 8 + 10 * (Math.min(index, 255) - 232);
    return [grey, grey, grey];
  }
  const step = (value: number): number => (value === 0 ? 0 : 55 + 40 * value);
  const cube = Math.max(index - 16, 0);
  return [step(Math.floor(cube / 36)), step(Math.floor(cube / 6) % 6), step(cube % 6)];
}
