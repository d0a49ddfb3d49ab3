import { Tooltip } from '@mantine/core';
import { useEffect, useState } from 'react';
import { useOffice } from '../session/office';
import { usePreferences } from '../session/preferences';
import { localTime, moment, remaining, zoneOf } from './clock';
import css from './shared.module.css';

export function useZone(): string {
  const office = useOffice();
  return zoneOf(usePreferences().zone, office.zone);
}

/** A moment in the zone that was chosen, which it names. */
export function Moment({ at, seconds }: { at: string | null | undefined; seconds?: boolean }) {
  const zone = useZone();
  if (!at) return <span className={css.quiet}>–</span>;
  return (
    <Tooltip label={`${zone} · ${moment(at, 'UTC', true)}`} openDelay={400}>
      <time dateTime={at} className={css.figures}>
        {moment(at, zone, seconds)}
      </time>
    </Tooltip>
  );
}

/** A flight's time on the clock of its airport. */
export function AirportTime({ at, zone, withDate = true }: { at: string; zone?: string | null; withDate?: boolean }) {
  const local = localTime(at, zone);
  return (
    <time dateTime={at} className={css.figures} title={zone ?? undefined}>
      {withDate && `${local.date} `}
      <b>{local.time}</b> <span className={css.offset}>{local.offset}</span>
    </time>
  );
}

export function useNow(everyMillis = 1000): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMillis);
    return () => clearInterval(timer);
  }, [everyMillis]);
  return now;
}

/**
 * What is left until a moment. The server's own remainder wins over this computer's clock, which may be wrong: it is counted down
 * from when it was read.
 */
export function useRemaining(until: string | null | undefined, serverSeconds?: number | null, readAt?: number): number | null {
  const now = useNow();
  if (!until) return null;
  if (serverSeconds !== undefined && serverSeconds !== null && readAt) return Math.max(0, serverSeconds - (now - readAt) / 1000);
  return Math.max(0, (new Date(until).getTime() - now) / 1000);
}

export function Countdown({ until, serverSeconds, readAt }: { until: string; serverSeconds?: number | null; readAt?: number }) {
  const left = useRemaining(until, serverSeconds, readAt);
  if (left === null) return null;
  return (
    <span className={css.countdown} data-urgent={left < 3600 || undefined} role="timer">
      {remaining(left)}
    </span>
  );
}
