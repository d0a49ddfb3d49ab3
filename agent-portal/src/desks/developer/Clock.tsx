import { Button, TextInput } from '@mantine/core';
import { useState } from 'react';
import { answer, api } from '../../api/client';
import { prefer, usePreferences } from '../../session/preferences';
import { useSession } from '../../session/session';
import { Moment, useZone } from '../../shared/Moment';
import { Actions, Facts, Page, Panel, Quiet } from '../../shared/Page';
import { useRead } from '../../shared/read';
import { Failed, Loaded } from '../../shared/States';
import { useAction } from '../../shared/use-action';
import { useDeveloperTexts } from './texts';

export default function Clock() {
  const t = useDeveloperTexts();
  const { mode } = usePreferences();
  return (
    <Page title={t('clock')} lead={t('clock.lead')} narrow>
      {mode === 'test' ? (
        <TestClock />
      ) : (
        <Panel>
          <p>{t('clock.live')}</p>
          <Button onClick={() => prefer({ mode: 'test' })}>{t('clock.to_test')}</Button>
        </Panel>
      )}
    </Page>
  );
}

function TestClock() {
  const t = useDeveloperTexts();
  const zone = useZone();
  const { permissions } = useSession();
  const read = useRead(['test_clock'], (signal) => api.GET('/v1/test_clock', { signal }));
  const [to, setTo] = useState('');
  const set = useAction((now: string, key) => answer(api.POST('/v1/test_clock', { headers: { 'Idempotency-Key': key }, body: { data: { now } } })));
  const step = (hours: number) => read.data && new Date(new Date(read.data.data.now).getTime() + hours * 3_600_000).toISOString();
  const typed = /^\d{4}-\d\d-\d\d[ T]\d\d:\d\d$/.test(to.trim()) ? `${to.trim().replace(' ', 'T')}:00Z` : null;
  return (
    <Panel>
      <Loaded read={read}>
        {({ data }) => (
          <Facts
            facts={[
              [t('clock.now'), <Moment key="n" at={data.now} seconds />],
              [t('clock.ledger_date'), data.ledger_date],
              [t('clock.zone'), zone],
            ]}
          />
        )}
      </Loaded>
      {!permissions.includes('clock:write') && <Quiet>{t('clock.not_allowed')}</Quiet>}
      {set.error && <Failed problem={set.error} write />}
      <Actions>
        {([1, 24, 168] as const).map((hours) => (
          <Button key={hours} size="xs" variant="default" loading={set.isPending} onClick={() => set.mutate(step(hours)!)} disabled={!read.data}>
            {t(`clock.plus_${hours}`)}
          </Button>
        ))}
      </Actions>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (typed) set.mutate(typed);
        }}
      >
        <Actions>
          <TextInput label={t('clock.to')} placeholder="2026-12-24 18:00" value={to} onChange={(event) => setTo(event.currentTarget.value)} w={260} />
          <Button type="submit" mt={24} disabled={!typed} loading={set.isPending}>
            {t('clock.set')}
          </Button>
        </Actions>
      </form>
    </Panel>
  );
}
