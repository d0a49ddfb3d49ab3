import { useQueryClient } from '@tanstack/react-query';
import { useMemo } from 'react';
import { answer, api, type Schemas } from '../../api/client';
import { moment } from '../../shared/clock';
import { DataTable, type Column } from '../../shared/DataTable';
import { FilterChoice } from '../../shared/Filter';
import { To } from '../../shared/Link';
import { newKey } from '../../shared/money-write';
import { Moment } from '../../shared/Moment';
import { useNames } from '../../shared/names';
import { Page, State, type Tone } from '../../shared/Page';
import { useFilters } from '../../shared/url';
import { useOperatorTexts } from './texts';

type Approval = Schemas['Approval'];
export const decisionTones: Record<string, Tone> = { pending: 'warn', approved: 'good', rejected: 'bad', superseded: 'quiet', expired: 'quiet' };

export default function Approvals() {
  const t = useOperatorTexts();
  const names = useNames();
  const queries = useQueryClient();
  const [filters] = useFilters();
  const query = {
    status: (filters.status as Schemas['Decision']) || undefined,
    kind: (filters.kind as Schemas['ApprovalKind']) || undefined,
    subject: filters.subject || undefined,
  };
  const columns = useMemo(
    (): Column<Approval>[] => [
      {
        id: 'kind',
        header: t('approval.kind'),
        width: 220,
        heading: true,
        cell: (one) => (
          <To to={`/approvals/${one.id}`} fw={600}>
            {names('approval_kind', one.kind)}
          </To>
        ),
        text: (one) => one.kind,
      },
      { id: 'status', header: t('state'), width: 110, cell: (one) => <State tone={decisionTones[one.status] ?? 'quiet'}>{names('decision', one.status)}</State>, text: (one) => one.status },
      { id: 'subject', header: t('approval.subject'), width: 200, cell: (one) => <code>{one.subject}</code>, text: (one) => one.subject },
      { id: 'reason', header: t('approval.reason'), width: 260, cell: (one) => one.reason, text: (one) => one.reason },
      { id: 'requested', header: t('approval.requested'), width: 176, cell: (one) => <Moment at={one.requested_at} />, text: (one, zone) => moment(one.requested_at, zone, true) },
      { id: 'expires', header: t('approval.until'), width: 176, extra: true, cell: (one) => <Moment at={one.expires_at} />, text: (one, zone) => moment(one.expires_at, zone, true) },
      { id: 'decided', header: t('approval.decided'), width: 176, cell: (one) => <Moment at={one.decided_at} />, text: (one, zone) => (one.decided_at ? moment(one.decided_at, zone, true) : '') },
    ],
    [t, names],
  );
  return (
    <Page title={t('approvals')} lead={t('approvals.lead')}>
      <DataTable<Approval>
        id="approvals"
        label={t('approvals')}
        queryKey={['approvals', query]}
        read={(page, signal) => api.GET('/v1/approvals', { signal, params: { query: { ...query, ...page } } })}
        rowId={(one) => one.id}
        columns={columns}
        live
        empty={t('approvals.none')}
        filters={
          <>
            <FilterChoice name="status" label={t('state')} width={140} options={Object.keys(decisionTones).map((value) => ({ value, label: names('decision', value) }))} />
            <FilterChoice
              name="kind"
              label={t('approval.kind')}
              width={200}
              options={['memo_decision', 'negative_margin', 'reinstate', 'temporary_limit', 'unfreeze', 'write_off'].map((value) => ({ value, label: names('approval_kind', value) }))}
            />
          </>
        }
        bulk={{
          label: t('approval.reject_many'),
          note: t('approval.note'),
          name: (one) => `${names('approval_kind', one.kind)} ${one.subject}`,
          fits: (one) => one.status === 'pending',
          run: (one, note) =>
            answer(
              api.POST('/v1/approvals/{id}/actions/reject', { params: { path: { id: one.id } }, headers: { 'Idempotency-Key': newKey() }, body: { data: { note } } }),
            ),
          after: () => void queries.invalidateQueries(),
        }}
      />
    </Page>
  );
}
