// Every time on the screen names its zone. `office` is the zone of the point of sale, `user` the one of this browser.
import type { ZoneChoice } from '../session/preferences';

export const browserZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';

export function zoneOf(choice: ZoneChoice, office: string): string {
  return choice === 'utc' ? 'UTC' : choice === 'office' ? office : browserZone();
}

const formats = new Map<string, Intl.DateTimeFormat>();
function format(zone: string): Intl.DateTimeFormat {
  let found = formats.get(zone);
  if (!found) {
    found = new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      timeZoneName: 'shortOffset',
    });
    formats.set(zone, found);
  }
  return found;
}

interface Parts {
  date: string;
  time: string;
  seconds: string;
  offset: string;
}

export function partsAt(at: Date, zone: string): Parts {
  const part = Object.fromEntries(format(zone).formatToParts(at).map(({ type, value }) => [type, value]));
  const offset = (part.timeZoneName ?? 'GMT').replace('GMT', 'UTC').replace(/\+0$/, '').replace('-', '−');
  return { date: `${part.year}-${part.month}-${part.day}`, time: `${part.hour}:${part.minute}`, seconds: part.second ?? '00', offset };
}

/** `2026-11-27 12:30 UTC+8`. */
export function moment(text: string, zone: string, seconds = false): string {
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return text;
  const part = partsAt(at, zone);
  return `${part.date} ${part.time}${seconds ? `:${part.seconds}` : ''} ${part.offset}`;
}

export const dayIn = (at: Date, zone: string) => partsAt(at, zone).date;

/** A flight's local time as the airport's clock shows it, with that clock's zone: `08:30 UTC+8`. */
export function localTime(text: string, zone: string | null | undefined): { date: string; time: string; offset: string } {
  const [date = text, time = ''] = text.replace(/Z$|[+-]\d\d:\d\d$/, '').split('T');
  const offset = zone ? partsAt(new Date(`${date}T${time || '12:00'}Z`), zone).offset : '';
  return { date, time: time.slice(0, 5), offset };
}

/** `PT2H35M` as minutes. */
export function minutesOf(duration: string | null | undefined): number | null {
  const match = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?/.exec(duration ?? '');
  if (!match || !duration) return null;
  return Number(match[1] ?? 0) * 1440 + Number(match[2] ?? 0) * 60 + Number(match[3] ?? 0);
}
export const hoursAndMinutes = (minutes: number) => `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}`;

/** What is left of a countdown: `2:03:09`, or `3d 2:03:09`. */
export function remaining(seconds: number): string {
  const left = Math.max(0, Math.floor(seconds));
  const days = Math.floor(left / 86_400);
  const clock = [Math.floor((left % 86_400) / 3600), Math.floor((left % 3600) / 60), left % 60];
  return (days ? `${days}d ` : '') + clock.map((value, index) => (index ? String(value).padStart(2, '0') : value)).join(':');
}
