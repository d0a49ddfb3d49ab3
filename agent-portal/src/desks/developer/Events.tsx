import { Modal } from '@mantine/core';
import { useMemo, useState } from 'react';
import { api, type Schemas } from '../../api/client';
import { moment } from '../../shared/clock';
import { DataTable, type Column, type PageOf } from '../../shared/DataTable';
import { FilterText } from '../../shared/Filter';
import { Moment } from '../../shared/Moment';
import { Page } from '../../shared/Page';
import { useFilters } from '../../shared/url';
import css from './developer.module.css';
import { useDeveloperTexts } from './texts';

type Event = Schemas['PlatformEvent'];

export default function Events() {
  const t = useDeveloperTexts();
  const [filters] = useFilters();
  const [shown, setShown] = useState<Event | null>(null);
  const type = filters.type || undefined;
  const columns = useMemo(
    (): Column<Event>[] => [
      {
        id: 'type',
        header: t('event.type'),
        width: 220,
        heading: true,
        cell: (event) => (
          <button type="button" className={css.asLink} onClick={() => setShown(event)}>
            <code>{event.type}</code>
          </button>
        ),
        text: (event) => event.type,
      },
      { id: 'object', header: t('event.object'), width: 230, cell: (event) => <code>{event.object_id}</code>, text: (event) => event.object_id },
      { id: 'sequence', header: t('event.sequence'), width: 80, align: 'end', cell: (event) => event.sequence, text: (event) => String(event.sequence) },
      { id: 'at', header: t('created'), width: 190, cell: (event) => <Moment at={event.created_at} seconds />, text: (event, zone) => moment(event.created_at, zone, true) },
      { id: 'request', header: t('request.id'), width: 250, extra: true, cell: (event) => <code>{event.request_id}</code>, text: (event) => event.request_id ?? '' },
    ],
    [t],
  );
  return (
    <Page title={t('events')} lead={t('events.lead')}>
      <DataTable<Event>
        id="events"
        label={t('events')}
        queryKey={['events', type]}
        // The feed always says where to go on; here it ends with its last page.
        read={async (page, signal) => {
          const got = await api.GET('/v1/events', { signal, params: { query: { type, ...page } } });
          const ended = got.data && got.data.data.length < page.limit;
          return ended ? { ...got, data: { ...got.data, meta: { after: null } } as PageOf<Event> } : got;
        }}
        rowId={(event) => event.id}
        columns={columns}
        empty={t('events.none')}
        filters={<FilterText name="type" label={t('event.type')} width={200} />}
      />
      <Modal opened={Boolean(shown)} onClose={() => setShown(null)} title={<code>{shown?.type}</code>} size="xl" closeButtonProps={{ 'aria-label': t('close') }}>
        <pre className={css.json} tabIndex={0}>
          {JSON.stringify(shown, null, 2)}
        </pre>
      </Modal>
    </Page>
  );
}
