import { Textarea } from '@mantine/core';
import { useMemo, useState } from 'react';
import { answer, api, download, type Schemas } from '../../api/client';
import { Ask } from '../../shared/Ask';
import { moment } from '../../shared/clock';
import { DataTable, type Column } from '../../shared/DataTable';
import { FilterChoice } from '../../shared/Filter';
import { To } from '../../shared/Link';
import { Money } from '../../shared/Money';
import { Moment } from '../../shared/Moment';
import { useNames } from '../../shared/names';
import { Name, Page, State, type Tone } from '../../shared/Page';
import { useAction } from '../../shared/use-action';
import { useFilters } from '../../shared/url';
import css from './operator.module.css';
import { useAgencyNames } from '../../shared/parties';
import { useOperatorTexts } from './texts';

type Application = Schemas['RefundApplication'];
const tones: Record<Schemas['RefundStatus'], Tone> = { quoted: 'quiet', submitted: 'warn', awaiting_airline_funds: 'warn', refunded: 'good', rejected: 'bad' };

export default function RefundDecisions() {
  const t = useOperatorTexts();
  const names = useNames();
  const agencies = useAgencyNames();
  const [filters] = useFilters();
  const query = { status: (filters.status as Schemas['RefundStatus']) || undefined, overdue: filters.overdue === 'yes' ? true : undefined };
  const columns = useMemo(
    (): Column<Application>[] => [
      {
        id: 'ticket',
        header: t('ticket'),
        width: 140,
        heading: true,
        cell: (one) => one.tickets.map((ticket) => <To key={ticket.id} to={`/tickets/${ticket.ticket_number}`}>{ticket.ticket_number}</To>),
        text: (one) => one.tickets.map((ticket) => ticket.ticket_number).join(' '),
      },
      { id: 'agency', header: t('agency'), width: 190, cell: (one) => <Name>{agencies.get(one.agency_id) ?? one.agency_id}</Name>, text: (one) => agencies.get(one.agency_id) ?? '' },
      { id: 'kind', header: t('kind'), width: 120, cell: (one) => names('refund_kind', one.kind), text: (one) => one.kind },
      { id: 'status', header: t('state'), width: 140, cell: (one) => <State tone={tones[one.status]}>{names('refund_status', one.status)}</State>, text: (one) => one.status },
      { id: 'amount', header: t('amount'), width: 130, align: 'end', cell: (one) => <Money amount={one.refund_amount} currency={one.currency} strong />, text: (one) => `${one.refund_amount} ${one.currency}` },
      {
        id: 'reason',
        header: t('approval.reason'),
        width: 220,
        cell: (one) => (
          <span>
            {one.reason ?? '–'}{' '}
            {one.attachment_ids.map((id, index) => (
              <button key={id} type="button" className={css.asLink} onClick={() => void download(`/v1/attachments/${id}/content`, `${id}.pdf`)}>
                {t('attachment', { number: index + 1 })}
              </button>
            ))}
          </span>
        ),
        text: (one) => one.reason ?? '',
      },
      {
        id: 'due',
        header: t('due_on'),
        width: 176,
        cell: (one) => (
          <>
            <Moment at={one.due_at} /> {one.is_overdue && <State tone="bad">{t('overdue')}</State>}
          </>
        ),
        text: (one, zone) => (one.due_at ? moment(one.due_at, zone) : ''),
      },
      { id: 'decide', header: t('actions'), width: 190, cell: (one) => one.status === 'submitted' && <Decide application={one} />, text: () => '' },
    ],
    [t, names, agencies],
  );
  return (
    <Page title={t('refund_decisions')} lead={t('refund_decisions.lead')}>
      <DataTable<Application>
        id="refund-decisions"
        label={t('refund_decisions')}
        queryKey={['refunds', 'decisions', query]}
        read={(page, signal) => api.GET('/v1/refund_applications', { signal, params: { query: { ...query, ...page } } })}
        rowId={(one) => one.id}
        columns={columns}
        live
        empty={t('refund_decisions.none')}
        filters={
          <>
            <FilterChoice name="status" label={t('state')} width={170} options={Object.keys(tones).map((value) => ({ value, label: names('refund_status', value) }))} />
            <FilterChoice name="overdue" label={t('overdue')} width={120} options={[{ value: 'yes', label: t('overdue') }]} />
          </>
        }
      />
    </Page>
  );
}

function Decide({ application }: { application: Application }) {
  const t = useOperatorTexts();
  const agencies = useAgencyNames();
  const [note, setNote] = useState('');
  const path = { params: { path: { id: application.id } } };
  const decide = useAction((data: Schemas['DecideRefund'], key) =>
    answer(api.POST('/v1/refund_applications/{id}/actions/decide', { ...path, headers: { 'Idempotency-Key': key }, body: { data } })),
  );
  const amount = <Money amount={application.refund_amount} currency={application.currency} strong />;
  return (
    <span className={css.row}>
      <Ask label={t('approval.approve')} title={t('refund.approve')} action={decide} input={() => ({ decision: 'approve' as const })} size="compact-xs">
        <p>
          {t('refund.approve_text')} {amount} → <Name>{agencies.get(application.agency_id) ?? ''}</Name>
        </p>
      </Ask>
      <Ask
        label={t('approval.reject')}
        title={t('refund.reject')}
        action={decide}
        input={() => (note.trim() ? { decision: 'reject' as const, note: note.trim() } : null)}
        danger
        size="compact-xs"
      >
        <Textarea label={t('approval.note')} value={note} onChange={(event) => setNote(event.currentTarget.value)} autosize minRows={2} data-autofocus />
      </Ask>
    </span>
  );
}
