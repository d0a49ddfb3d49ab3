import { Select } from '@mantine/core';
import { useState } from 'react';
import { answer, api, type Schemas } from '../../api/client';
import { platformZone } from '../../session/office';
import { useSession } from '../../session/session';
import { Ask } from '../../shared/Ask';
import { dayIn } from '../../shared/clock';
import { DayInput } from '../../shared/DayInput';
import { Grid } from '../../shared/Grid';
import { Fields } from '../../shared/Lines';
import { Moment } from '../../shared/Moment';
import { useNames } from '../../shared/names';
import { Panel, Row, State } from '../../shared/Page';
import { useRead } from '../../shared/read';
import { Loaded } from '../../shared/States';
import { useAction } from '../../shared/use-action';
import { useLimitTexts } from './texts';

/** Reviews of an agency's financial statements, which its next score counts, and the review of its limit. */
export function Reviews({ agencyId }: { agencyId: string }) {
  const t = useLimitTexts();
  const names = useNames();
  const { permissions } = useSession();
  const read = useRead(['financial_reviews', agencyId], (signal) => api.GET('/v1/financial_reviews', { signal, params: { query: { agency_id: agencyId, limit: 50 } } }));
  return (
    <Panel
      title={t('reviews')}
      aside={
        permissions.includes('finance:write') && (
          <Row>
            <RecordReview agencyId={agencyId} />
            <Baseline agencyId={agencyId} />
          </Row>
        )
      }
      tight
    >
      <Loaded read={read} rows={2}>
        {({ data }) => (
          <Grid
            label={t('reviews')}
            empty={t('review.none')}
            head={[t('review.on'), t('review.result'), t('review.until'), t('recorded')]}
            rows={data.map((one) => ({
              key: one.id,
              cells: [
                one.reviewed_on,
                <State key="r" tone={one.result === 'passed' ? 'good' : 'bad'}>
                  {names('review', one.result)}
                </State>,
                one.valid_until,
                <Moment key="c" at={one.created_at} />,
              ],
            }))}
          />
        )}
      </Loaded>
    </Panel>
  );
}

function RecordReview({ agencyId }: { agencyId: string }) {
  const t = useLimitTexts();
  const names = useNames();
  const today = dayIn(new Date(), platformZone);
  const [result, setResult] = useState<Schemas['ReviewResult']>('passed');
  const [on, setOn] = useState(today);
  const [until, setUntil] = useState('');
  const record = useAction((data: Schemas['RecordReview'], key) => answer(api.POST('/v1/financial_reviews', { headers: { 'Idempotency-Key': key }, body: { data } })));
  const day = (text: string) => /^\d{4}-\d\d-\d\d$/.test(text);
  return (
    <Ask
      label={t('review.new')}
      title={t('review.new')}
      action={record}
      size="compact-xs"
      input={() => (day(on) && day(until) && on <= until ? { agency_id: agencyId, result, reviewed_on: on, valid_until: until } : null)}
    >
      <Fields>
        <Select
          label={t('review.result')}
          data={(['passed', 'failed'] as const).map((value) => ({ value, label: names('review', value) }))}
          value={result}
          onChange={(value) => value && setResult(value as Schemas['ReviewResult'])}
          allowDeselect={false}
        />
        <DayInput label={t('review.on')} value={on} onChange={setOn} />
        <DayInput label={t('review.until')} value={until} onChange={setUntil} />
      </Fields>
    </Ask>
  );
}

function Baseline({ agencyId }: { agencyId: string }) {
  const t = useLimitTexts();
  const review = useAction((_: true, key) =>
    answer(api.POST('/v1/limits/{agency}/actions/review', { params: { path: { agency: agencyId } }, headers: { 'Idempotency-Key': key }, body: { data: {} } })),
  );
  return (
    <Ask label={t('baseline')} title={t('baseline')} action={review} input={() => true as const} size="compact-xs">
      <p>{t('baseline.text')}</p>
    </Ask>
  );
}
