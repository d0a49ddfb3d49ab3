import { Textarea } from '@mantine/core';
import { useState } from 'react';
import { answer, api, type Schemas } from '../../api/client';
import { Ask } from '../../shared/Ask';
import { Money } from '../../shared/Money';
import { Moment } from '../../shared/Moment';
import { Actions, Facts, Panel, Stack, State } from '../../shared/Page';
import { useRead } from '../../shared/read';
import { Empty, Loaded } from '../../shared/States';
import { useAction } from '../../shared/use-action';
import { useOperatorTexts } from './texts';

export function AgencyDefaults({ agency }: { agency: Schemas['Agency'] }) {
  const t = useOperatorTexts();
  const [reason, setReason] = useState('');
  const read = useRead(['defaults', agency.id], (signal) => api.GET('/v1/defaults', { signal, params: { query: { agency_id: agency.id } } }));
  const declare = useAction((why: string, key) =>
    answer(api.POST('/v1/defaults', { headers: { 'Idempotency-Key': key }, body: { data: { agency_id: agency.id, reason: why } } })),
  );
  return (
    <Stack>
      <Loaded read={read}>
        {({ data }) => (
          <>
            {data.length === 0 && (
              <Panel>
                <Empty title={t('default.none')} />
              </Panel>
            )}
            {data.map((one) => (
              <Panel key={one.id} title={one.declared_on} aside={one.ended_at ? <State tone="quiet">{t('default.ended')}</State> : <State tone="bad">{t('default.open')}</State>}>
                <p>{one.reason}</p>
                <Facts
                  columns={3}
                  facts={[
                    [t('default.owed'), <Money key="o" amount={one.owed_amount} currency={one.currency} />],
                    [t('default.commission'), <Money key="c" amount={one.commission_netted_amount} currency={one.currency} />],
                    [t('default.wallet'), <Money key="w" amount={one.wallet_applied_amount} currency={one.currency} />],
                    [t('default.deposit'), <Money key="d" amount={one.deposit_applied_amount} currency={one.currency} />],
                    [t('default.written_off'), <Money key="f" amount={one.written_off_amount} currency={one.currency} />],
                    [t('default.recovered'), <Money key="r" amount={one.recovered_amount} currency={one.currency} />],
                    one.ended_at ? [t('default.ended'), <Moment key="e" at={one.ended_at} />] : null,
                  ]}
                />
              </Panel>
            ))}
          </>
        )}
      </Loaded>
      <Panel title={t('default.declare')}>
        <p>{t('default.declare_text')}</p>
        <Actions>
          <Ask label={t('default.declare')} title={`${t('default.declare')}: ${agency.name}`} action={declare} input={() => reason.trim() || null} danger>
            <p>{t('default.declare_text')}</p>
            <Textarea label={t('approval.reason')} value={reason} onChange={(event) => setReason(event.currentTarget.value)} autosize minRows={2} data-autofocus />
          </Ask>
        </Actions>
      </Panel>
    </Stack>
  );
}
