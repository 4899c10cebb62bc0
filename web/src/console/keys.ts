// The console's keys, and what each of them does.
import type { Console } from './console';
import { settings } from '../settings';
import type { Times } from './row_painter';

export interface KeyTargets {
  focusSearch(): void;
  focusGoTo(): void;
  askCancel(): void;
  toggleHelp(): void;
  copy(): void;
}

// What the help lists, and the keys do.
export const kKeys: readonly (readonly [string, string])[] = [
  ['/', 'Search'],
  ['Enter or n', 'Next match'],
  ['Shift+Enter or N', 'Previous match'],
  ['f', 'Follow the end of the log, or stop'],
  ['g, Home', 'First line'],
  ['G, End', 'Last line'],
  ['j, k, ↓, ↑', 'One line down, up'],
  ['Space, Page Down, Page Up', 'One screen down, up'],
  [':', 'Go to a line, or select several: 10-20'],
  ['w', 'Wrap long lines, or not'],
  ['t', 'Times: none, since the start, of the day'],
  ['m', 'Only lines that match, or all'],
  ['c', 'Copy the selected lines, or those on screen'],
  ['x', 'Cancel the run'],
  ['Esc', 'Leave the search; take back a selection'],
  ['?', 'This list'],
];

const kNextTimes: Record<Times, Times> = { off: 'relative', relative: 'absolute', absolute: 'off' };

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName));

const isPressable = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && target.closest('button, a, summary') !== null;

// Handles a key pressed anywhere on the run's page but in a field. True if it meant something.
export function press(event: KeyboardEvent, view: Console, targets: KeyTargets): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return false;
  if (isTyping(event.target) || document.querySelector('dialog[open]')) return false;
  if ((event.key === ' ' || event.key === 'Enter') && isPressable(event.target)) return false;
  const action = actionOf(event.key, view, targets, event.shiftKey);
  action?.();
  return action !== undefined;
}

function actionOf(key: string, view: Console, targets: KeyTargets, shift: boolean): (() => void) | undefined {
  switch (key) {
    case '/': return targets.focusSearch;
    case ':': return targets.focusGoTo;
    case '?': return targets.toggleHelp;
    case 'x': return targets.askCancel;
    case 'c': return targets.copy;
    case 'n': return () => void view.searching.go('next');
    case 'N': return () => void view.searching.go('previous');
    case 'Enter': return () => void view.searching.go(shift ? 'previous' : 'next');
    case 'f': return () => view.setFollowing(!view.following);
    case 'm': return () => view.setOnlyMatches(!view.onlyMatches);
    case 'w': return () => view.setWrap(!settings().wrap);
    case 't': return () => view.setTimes(kNextTimes[settings().times]);
    case 'Escape': return () => view.select(undefined);
    default: return movementOf(key, view, shift);
  }
}

function movementOf(key: string, view: Console, shift: boolean): (() => void) | undefined {
  switch (key) {
    case 'g': case 'Home': return () => view.toStart();
    case 'G': case 'End': return () => view.toEnd();
    case 'j': case 'ArrowDown': return () => view.scrollRows(1);
    case 'k': case 'ArrowUp': return () => view.scrollRows(-1);
    case ' ': return () => view.scrollPages(shift ? -1 : 1);
    case 'PageDown': return () => view.scrollPages(1);
    case 'PageUp': return () => view.scrollPages(-1);
    default: return undefined;
  }
}
