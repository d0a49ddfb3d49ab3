import { Textarea } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { answer, api, type Schemas } from '../../api/client';
import { Ask } from '../../shared/Ask';
import { differences } from '../../shared/diff';
import { To } from '../../shared/Link';
import { Countdown, Moment } from '../../shared/Moment';
import { useNames } from '../../shared/names';
import { Actions, Columns, Facts, Page, Panel, Quiet, Stack, State } from '../../shared/Page';
import { useRead } from '../../shared/read';
import { Loaded } from '../../shared/States';
import { useAction } from '../../shared/use-action';
import { decisionTones } from './Approvals';
import css from './operator.module.css';
import { useOperatorTexts } from './texts';

type Approval = Schemas['Approval'];

export default function ApprovalPage() {
  const t = useOperatorTexts();
  const names = useNames();
  const { approvalId } = useParams({ strict: false }) as { approvalId: string };
  const read = useRead(['approvals', 'one', approvalId], (signal) => api.GET('/v1/approvals/{id}', { signal, params: { path: { id: approvalId } } }), { every: 15_000 });
  return (
    <Page title={read.data ? names('approval_kind', read.data.data.kind) : t('approvals')}>
      <Loaded read={read}>{({ data }) => <Inside approval={data} />}</Loaded>
    </Page>
  );
}

/** The object as it is now, where the subject says which one it is. */
function useSubject(subject: string) {
  const agency = /^agy_/.test(subject);
  return useRead(['agencies', subject], (signal) => api.GET('/v1/agencies/{id}', { signal, params: { path: { id: subject } } }), { enabled: agency });
}

function Inside({ approval }: { approval: Approval }) {
  const t = useOperatorTexts();
  const names = useNames();
  const subject = useSubject(approval.subject);
  const [note, setNote] = useState('');
  const path = { params: { path: { id: approval.id } } };
  const approve = useAction((_: true, key) => answer(api.POST('/v1/approvals/{id}/actions/approve', { ...path, headers: { 'Idempotency-Key': key }, body: { data: {} } })));
  const reject = useAction((text: string, key) =>
    answer(api.POST('/v1/approvals/{id}/actions/reject', { ...path, headers: { 'Idempotency-Key': key }, body: { data: { note: text } } })),
  );
  const rows = differences(subject.data?.data, approval.change);
  return (
    <Columns wide="left">
      <Stack>
        <Panel title={t('approval.change')} tight>
          <table className={css.grid}>
            <thead>
              <tr>
                <th>{t('approval.field')}</th>
                <th>{t('approval.before')}</th>
                <th>{t('approval.after')}</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr key={row.field} data-changed={row.changed || undefined}>
                  <td>
                    <code>{row.field}</code>
                  </td>
                  <td className={css.wrap}>{row.before ?? <Quiet>–</Quiet>}</td>
                  <td className={css.wrap}>
                    <b>{row.after ?? '–'}</b>
                  </td>
                </tr>
              ))}
              {rows.length === 0 && (
                <tr>
                  <td colSpan={3}>
                    <Quiet>{t('approval.no_fields')}</Quiet>
                  </td>
                </tr>
              )}
            </tbody>
          </table>
        </Panel>
        {approval.status === 'pending' && (
          <Panel title={t('approval.decide')}>
            <p>{t('approval.two_people')}</p>
            <Actions>
              <Ask label={t('approval.approve')} title={t('approval.approve')} action={approve} input={() => true as const} variant="filled">
                <p>{t('approval.approve_text')}</p>
              </Ask>
              <Ask label={t('approval.reject')} title={t('approval.reject')} action={reject} input={() => note.trim() || null} danger>
                <Textarea label={t('approval.note')} value={note} onChange={(event) => setNote(event.currentTarget.value)} autosize minRows={2} data-autofocus />
              </Ask>
            </Actions>
          </Panel>
        )}
      </Stack>
      <Panel title={t('approval.about')}>
        <Facts
          facts={[
            [t('state'), <State key="s" tone={decisionTones[approval.status] ?? 'quiet'}>{names('decision', approval.status)}</State>],
            [
              t('approval.subject'),
              /^agy_/.test(approval.subject) ? (
                <To key="u" to={`/agencies/${approval.subject}`}>
                  {subject.data?.data.name ?? approval.subject}
                </To>
              ) : /^mem_/.test(approval.subject) ? (
                <To key="u" to={`/memos/${approval.subject}`}>
                  {approval.subject}
                </To>
              ) : (
                <code key="u">{approval.subject}</code>
              ),
            ],
            [t('approval.reason'), approval.reason],
            [t('approval.requested'), <Moment key="r" at={approval.requested_at} />],
            [t('approval.by'), <code key="b">{approval.requested_by_key_id ?? approval.requested_by_user_id}</code>],
            approval.status === 'pending' ? [t('approval.until'), <Countdown key="e" until={approval.expires_at} />] : null,
            approval.decided_at ? [t('approval.decided'), <Moment key="d" at={approval.decided_at} />] : null,
            approval.note ? [t('approval.note'), approval.note] : null,
            [t('approval.digest'), <code key="g">{approval.digest.slice(0, 20)}…</code>],
          ]}
        />
      </Panel>
    </Columns>
  );
}
