// The reader's settings: colours, times, wrapping.
import type { Times } from './console/row_painter';

export type Theme = 'auto' | 'light' | 'dark';

export interface Settings {
  theme: Theme;
  times: Times;
  wrap: boolean;
}

const kKey = 'jobtail'; // in the browser's storage
const kDefaults: Settings = { theme: 'auto', times: 'off', wrap: false };

// What the reader has chosen, kept in this browser. Without storage (a private window) it lasts as long as the page.
let current: Settings = load();

function load(): Settings {
  try {
    return { ...kDefaults, ...(JSON.parse(localStorage.getItem(kKey) ?? '{}') as Partial<Settings>) };
  } catch {
    return { ...kDefaults };
  }
}

export const settings = (): Settings => current;

export function change(part: Partial<Settings>): Settings {
  current = { ...current, ...part };
  try {
    localStorage.setItem(kKey, JSON.stringify(current));
  } catch {
    // kept for this page alone
  }
  applyTheme();
  return current;
}

export function applyTheme(): void {
  document.documentElement.dataset['theme'] = current.theme;
}
