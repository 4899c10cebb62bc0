// The title and the icon of the browser's tab.
import type { RunState } from '../api/types';
import { cut, visible } from '../text/visible';

const kName = 'jobtail'; // the tab's title, or the end of it
const kIcons: Record<string, string> = {
  RUN_STATE_RUNNING: 'running', RUN_STATE_PENDING: 'running', RUN_STATE_SUCCEEDED: 'good',
  RUN_STATE_FAILED: 'bad', RUN_STATE_CANCELLED: 'bad', RUN_STATE_TIMED_OUT: 'bad', RUN_STATE_LOST: 'bad',
};
const kColours: Record<string, string> = { running: '2f6fde', good: '1a7f37', bad: 'cf222e', none: '57606a' };

// What the tab shows of a page that is not looked at.
export function setStatus(title: string | undefined, state?: RunState): void {
  document.title = title ? `${visible(cut(title, 100))} · ${kName}` : kName;
  const colour = kColours[kIcons[state ?? ''] ?? 'none'];
  const icon = `<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><rect width='16' height='16' rx='4' fill='%23${colour}'/>` +
    `<path d='M4 5l3 3-3 3M8.5 11.5H12' fill='none' stroke='white' stroke-width='1.8' stroke-linecap='round' stroke-linejoin='round'/></svg>`;
  document.querySelector('link[rel=icon]')?.setAttribute('href', `data:image/svg+xml,${icon}`);
}
