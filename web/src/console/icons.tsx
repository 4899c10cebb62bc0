// The icons of the page's buttons.

// The path of each icon, by its name, in a square of 16 by 16.
const kPaths: Record<string, string> = {
  search: 'M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9ZM10.5 10.5 14 14',
  up: 'M3.5 10 8 5.5 12.5 10',
  down: 'M3.5 6 8 10.5 12.5 6',
  filter: 'M2 3.5H14M4.5 8H11.5M6.5 12.5H9.5',
  wrap: 'M2 3.5H14M2 8H11.5A2.3 2.3 0 0 1 11.5 12.5H8M10 10.5 8 12.5 10 14.5M2 12.5H5',
  copy: 'M5.5 5.5H13.5V13.5H5.5ZM10.5 5.5V2.5H2.5V10.5H5.5',
  download: 'M8 2.5V10M4.5 7 8 10.5 11.5 7M2.5 13.5H13.5',
  keys: 'M1.5 4H14.5V12H1.5ZM4 6.5H4.1M6.7 6.5H6.8M9.3 6.5H9.4M12 6.5H12.1M5 9.5H11',
  end: 'M8 2.5V11M4 7.5 8 11.5 12 7.5M3 14H13',
  sun: 'M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6ZM8 1V2.5M8 13.5V15M1 8H2.5M13.5 8H15M3 3 4 4M12 12 13 13M13 3 12 4M4 12 3 13',
  moon: 'M13.5 9.5A6 6 0 1 1 6.5 2.5 4.8 4.8 0 0 0 13.5 9.5Z',
  auto: 'M8 2A6 6 0 1 0 8 14ZM8 2A6 6 0 0 1 8 14',
};

export function Icon({ name }: { name: string }) {
  return <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true"><path d={kPaths[name] ?? ''} /></svg>;
}
