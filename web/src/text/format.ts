// Numbers, sizes and times as people read them.

const kCount = new Intl.NumberFormat('en-GB');
export const count = (value: number): string => kCount.format(value);
export const plural = (value: number, one: string, many = `${one}s`): string => `${count(value)} ${value === 1 ? one : many}`;

export function size(bytes: number): string {
  if (bytes < 1000) return plural(bytes, 'byte');
  const units = ['kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = -1;
  do {
    value /= 1000;
    unit += 1;
  } while (value >= 999.5 && unit < units.length - 1);
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

// protobuf's JSON of a Duration, "3.5s", in milliseconds.
export const parseDuration = (text: string | undefined): number => (text ? Number.parseFloat(text) * 1000 : 0);

// `tenths`: whether to tell 3.2 s from 3 s.
export function duration(ms: number, tenths = true): string {
  if (!tenths) return clock(Math.max(0, ms));
  if (ms < 1) return '0 s';
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return ms < 9950 ? `${(ms / 1000).toFixed(1)} s` : clock(ms);
}

function clock(ms: number): string {
  const seconds = Math.floor(ms / 1000 + 0.0001);
  if (seconds < 60) return `${seconds} s`;
  const two = (value: number): string => String(value).padStart(2, '0');
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${two(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? `${hours} h ${two(minutes % 60)} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export function ago(ms: number): string {
  if (ms < 5000) return 'just now';
  if (ms < 60_000) return `${Math.floor(ms / 1000)} s ago`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ago`;
  if (ms < 86_400_000) return `${Math.floor(ms / 3_600_000)} h ago`;
  return `${plural(Math.floor(ms / 86_400_000), 'day')} ago`;
}

const two = (value: number): string => String(value).padStart(2, '0');
export function timeOfDay(at: number): string {
  const date = new Date(at);
  const ms = String(date.getMilliseconds()).padStart(3, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${ms}`;
}

export function dateAndTime(at: number): string {
  const date = new Date(at);
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

// The time since the run's start: "+3.250", "+1:02.003", "+2:13:59.120".
export function offset(ms: number): string {
  const whole = Math.max(0, Math.round(ms));
  const seconds = Math.floor(whole / 1000);
  const fraction = String(whole % 1000).padStart(3, '0');
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  if (hours > 0) return `+${hours}:${two(minutes)}:${two(seconds % 60)}.${fraction}`;
  return minutes > 0 ? `+${minutes}:${two(seconds % 60)}.${fraction}` : `+${seconds % 60}.${fraction}`;
}
