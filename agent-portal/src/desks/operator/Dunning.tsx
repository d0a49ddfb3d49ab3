import { Modal } from '@mantine/core';
import { useMemo, useState } from 'react';
import { api, type Schemas } from '../../api/client';
import { moment } from '../../shared/clock';
import { DataTable, type Column } from '../../shared/DataTable';
import { FilterChoice } from '../../shared/Filter';
import { Moment } from '../../shared/Moment';
import { useNames } from '../../shared/names';
import { Name, Page, State } from '../../shared/Page';
import { useFilters } from '../../shared/url';
import css from './operator.module.css';
import { useAgencyNames } from '../../shared/parties';
import { useOperatorTexts } from './texts';

type Message = Schemas['DunningMessage'];

export default function Dunning() {
  const t = useOperatorTexts();
  const names = useNames();
  const agencies = useAgencyNames();
  const [filters] = useFilters();
  const [shown, setShown] = useState<Message | null>(null);
  const query = { agency_id: filters.agency || undefined };
  const columns = useMemo(
    (): Column<Message>[] => [
      {
        id: 'subject',
        header: t('dunning.subject'),
        width: 320,
        heading: true,
        cell: (one) => (
          <button type="button" className={css.asLink} onClick={() => setShown(one)}>
            {one.subject}
          </button>
        ),
        text: (one) => one.subject,
      },
      { id: 'agency', header: t('agency'), width: 200, cell: (one) => <Name>{agencies.get(one.agency_id) ?? one.agency_id}</Name>, text: (one) => agencies.get(one.agency_id) ?? '' },
      { id: 'state', header: t('state'), width: 110, cell: (one) => <State tone={one.state === 'sent' ? 'good' : one.error ? 'bad' : 'busy'}>{names('message', one.state)}</State>, text: (one) => one.state },
      { id: 'step', header: t('dunning.step'), width: 110, cell: (one) => one.step.replaceAll('_', ' '), text: (one) => one.step },
      { id: 'to', header: t('dunning.to'), width: 200, cell: (one) => one.recipient, text: (one) => one.recipient },
      { id: 'sent', header: t('dunning.sent'), width: 176, cell: (one) => <Moment at={one.sent_at} />, text: (one, zone) => (one.sent_at ? moment(one.sent_at, zone, true) : '') },
    ],
    [t, names, agencies],
  );
  return (
    <Page title={t('dunning')} lead={t('dunning.lead')}>
      <DataTable<Message>
        id="dunning"
        label={t('dunning')}
        queryKey={['dunning', query]}
        read={(page, signal) => api.GET('/v1/dunning_messages', { signal, params: { query: { ...query, ...page } } })}
        rowId={(one) => one.id}
        columns={columns}
        empty={t('dunning.none')}
        filters={<FilterChoice name="agency" label={t('agency')} width={220} options={[...agencies].map(([value, label]) => ({ value, label }))} />}
      />
      <Modal opened={Boolean(shown)} onClose={() => setShown(null)} title={shown?.subject} size="lg" closeButtonProps={{ 'aria-label': t('close') }}>
        <pre className={css.letter}>{shown?.body}</pre>
      </Modal>
    </Page>
  );
}
