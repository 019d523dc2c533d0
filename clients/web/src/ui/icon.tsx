/* Drawn for this project on a grid of 24, as strokes. */
const paths = {
  search: 'M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14Zm5 12 4 4',
  plus: 'M12 5v14M5 12h14',
  close: 'M6 6l12 12M18 6 6 18',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  back: 'M14.5 5.5 8 12l6.5 6.5',
  down: 'M6 9.5l6 6 6-6',
  menu: 'M4 7h16M4 12h16M4 17h16',
  more: 'M5.6 12h.8M11.6 12h.8M17.6 12h.8M5.6 12.4h.8M11.6 12.4h.8M17.6 12.4h.8',
  clip: 'M20 11.5 12.2 19a5 5 0 0 1-7-7.1l8-7.6a3.3 3.3 0 0 1 4.7 4.7l-7.8 7.4a1.7 1.7 0 0 1-2.4-2.4L14.5 6.8',
  send: 'M4 12 20 4l-5 16-3.5-6.5ZM11.5 13.5 20 4',
  lock: 'M7 11V8a5 5 0 0 1 10 0v3M5.5 11h13v9h-13Z',
  clock: 'M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16Zm0 4v4.5l3 2',
  moon: 'M19 14.5A8 8 0 0 1 9.5 5 8 8 0 1 0 19 14.5Z',
  inbox: 'M4 13l3-8h10l3 8v6H4Zm0 0h5l1 2h4l1-2h5',
  user: 'M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM4.5 20c1-4 4-5.5 7.5-5.5s6.5 1.5 7.5 5.5',
  users: 'M9 5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7ZM2.5 19c.8-3.5 3.3-5 6.5-5s5.7 1.5 6.5 5M16 5.5a3.5 3.5 0 0 1 0 6.5M18 14.5c2 .6 3.2 2.2 3.7 4.5',
  gear: 'M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6Zm0-5.5v2.5m0 12v2.5M3.5 12H6m12 0h2.5M6 6l1.8 1.8m8.4 8.4L18 18M6 18l1.8-1.8m8.4-8.4L18 6',
  chart: 'M4 20V4M4 20h16M8 16v-4m4 4V8m4 8v-6',
  eye: 'M2.5 12C5 7.5 8.3 5.5 12 5.5s7 2 9.5 6.5c-2.5 4.5-5.8 6.5-9.5 6.5S5 16.5 2.5 12ZM12 9.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5Z',
  keyboard: 'M3 7h18v10H3ZM7 10.5h.01M10.5 10.5h.01M14 10.5h.01M17.5 10.5h.01M8 14h8',
  link: 'M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.7-5.7l-1 1M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.7 5.7l1-1',
  warning: 'M12 4 2.5 20h19ZM12 10v4.5M12 17.3h.01',
  offline: 'M4 4l16 16M8.5 8.5A9 9 0 0 0 4 11M20 11a11 11 0 0 0-7-3.5M8 15a6 6 0 0 1 5-1.5M12 19h.01',
  merge: 'M7 4v4c0 4 5 4 5 8v4M17 4v4c0 4-5 4-5 8',
  split: 'M12 20v-4c0-4-5-4-5-8V4m5 12c0-4 5-4 5-8V4',
  undo: 'M8 5 4 9l4 4M4 9h10a5.5 5.5 0 0 1 0 11H9',
  history: 'M4.5 8a8.5 8.5 0 1 1-1 6M4 4v4.5h4.5M12 8v4.5l3 2',
  bolt: 'M13 3 5 14h6l-1 7 8-11h-6Z',
  tag: 'M4 4h8l8 8-8 8-8-8ZM8.5 8.5h.01',
  pen: 'M4 20l1-5L16 4l4 4L9 19Z',
  trash: 'M5 7h14M10 7V4.5h4V7M7 7l1 13h8l1-13',
  image: 'M4 5h16v14H4Zm0 11 5-5 4 4 3-3 4 4M15 9.5h.01',
  file: 'M6 3h8l4 4v14H6ZM14 3v4h4',
  text: 'M5 6h14M5 11h14M5 16h9',
  device: 'M5 5h14v11H5ZM9 20h6M12 16v4',
  help: 'M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17ZM9.5 9.5a2.5 2.5 0 1 1 3.5 2.3c-.8.4-1 .9-1 1.7M12 16.8h.01',
  bell: 'M6 17V11a6 6 0 0 1 12 0v6l1.5 1.5h-15ZM10 20.5h4',
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name, small }: { name: IconName; small?: boolean }) {
  return (
    <svg class={small ? 'icon small' : 'icon'} viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round"
      stroke-linejoin="round" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  );
}
