import { Modal } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { answer, api, type Schemas } from '../../api/client';
import { moment } from '../../shared/clock';
import { DataTable, type Column } from '../../shared/DataTable';
import { FilterChoice, FilterText } from '../../shared/Filter';
import { Moment } from '../../shared/Moment';
import { useNames } from '../../shared/names';
import { Page, State, type Tone } from '../../shared/Page';
import { useFilters } from '../../shared/url';
import css from './developer.module.css';
import { useDeveloperTexts } from './texts';

type Delivery = Schemas['WebhookDelivery'];
const tones: Record<string, Tone> = { pending: 'busy', delivered: 'good', failed: 'bad', dead: 'bad' };

export default function Deliveries() {
  const t = useDeveloperTexts();
  const names = useNames();
  const queries = useQueryClient();
  const [filters] = useFilters();
  const [shown, setShown] = useState<Delivery | null>(null);
  const query = {
    webhook_id: filters.webhook_id || undefined,
    event_id: filters.event_id || undefined,
    state: filters.state || undefined,
    type: filters.type || undefined,
  };
  const columns = useMemo(
    (): Column<Delivery>[] => [
      {
        id: 'type',
        header: t('event.type'),
        width: 220,
        heading: true,
        cell: (one) => (
          <button type="button" className={css.asLink} onClick={() => setShown(one)}>
            <code>{one.type}</code>
          </button>
        ),
        text: (one) => one.type,
      },
      { id: 'state', header: t('delivery.state'), width: 110, cell: (one) => <State tone={tones[one.state] ?? 'quiet'}>{names('delivery', one.state)}</State>, text: (one) => one.state },
      { id: 'attempts', header: t('delivery.attempts'), width: 90, align: 'end', cell: (one) => one.attempts.length, text: (one) => String(one.attempts.length) },
      {
        id: 'answer',
        header: t('delivery.answer'),
        width: 150,
        cell: (one) => one.attempts.at(-1)?.response_status ?? <span className={css.small}>{one.attempts.at(-1)?.error ?? '–'}</span>,
        text: (one) => String(one.attempts.at(-1)?.response_status ?? ''),
      },
      { id: 'created', header: t('created'), width: 190, cell: (one) => <Moment at={one.created_at} seconds />, text: (one, zone) => moment(one.created_at, zone, true) },
      { id: 'next', header: t('delivery.next'), width: 190, cell: (one) => <Moment at={one.next_attempt_at} seconds />, text: (one, zone) => (one.next_attempt_at ? moment(one.next_attempt_at, zone, true) : '') },
      { id: 'object', header: t('event.object'), width: 220, extra: true, cell: (one) => <code>{one.object_id}</code>, text: (one) => one.object_id },
    ],
    [t, names],
  );
  return (
    <Page title={t('deliveries')} lead={t('deliveries.lead')}>
      <DataTable<Delivery>
        id="deliveries"
        label={t('deliveries')}
        queryKey={['webhook_deliveries', query]}
        read={(page, signal) => api.GET('/v1/webhook_deliveries', { signal, params: { query: { ...query, ...page } } })}
        rowId={(one) => one.id}
        columns={columns}
        live
        empty={t('deliveries.none')}
        filters={
          <>
            <FilterChoice
              name="state"
              label={t('delivery.state')}
              width={130}
              options={['pending', 'delivered', 'failed'].map((value) => ({ value, label: names('delivery', value) }))}
            />
            <FilterText name="type" label={t('event.type')} width={190} />
          </>
        }
        bulk={{
          label: t('delivery.again'),
          name: (one) => `${one.type} ${one.object_id}`,
          fits: (one) => one.state !== 'pending',
          run: (one) => answer(api.POST('/v1/webhook_deliveries/{id}/actions/redeliver', { params: { path: { id: one.id } }, body: { data: {} } })),
          after: () => void queries.invalidateQueries(),
        }}
      />
      <Modal opened={Boolean(shown)} onClose={() => setShown(null)} title={<code>{shown?.type}</code>} size="lg" closeButtonProps={{ 'aria-label': t('close') }}>
        <ul className={css.attempts}>
          {shown?.attempts.map((attempt) => (
            <li key={attempt.number}>
              <b>{attempt.number}</b> <Moment at={attempt.at} seconds /> {attempt.response_status ?? attempt.error} · {attempt.latency_ms} ms
              {attempt.response_excerpt && <pre className={css.json}>{attempt.response_excerpt}</pre>}
            </li>
          ))}
        </ul>
      </Modal>
    </Page>
  );
}
