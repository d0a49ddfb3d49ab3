import { Textarea, TextInput } from '@mantine/core';
import { useState } from 'react';
import { answer, api, type Schemas } from '../../api/client';
import { platformZone } from '../../session/office';
import { useSession } from '../../session/session';
import { typedAmount } from '../../shared/amount';
import { Ask } from '../../shared/Ask';
import { dayIn } from '../../shared/clock';
import { DayInput } from '../../shared/DayInput';
import { Grid } from '../../shared/Grid';
import { Fields, Lines } from '../../shared/Lines';
import { To } from '../../shared/Link';
import { Money } from '../../shared/Money';
import { Moment } from '../../shared/Moment';
import { Panel, Quiet, Stack, State, type Tone } from '../../shared/Page';
import { useRead } from '../../shared/read';
import { Loaded } from '../../shared/States';
import { useTwoPeople } from '../../shared/two-people';
import { useAction } from '../../shared/use-action';
import css from './limits.module.css';
import { useLimitTexts } from './texts';

type Row = Schemas['TemporaryLimit'];
type State_ = 'ended' | 'later' | 'over' | 'now';
const tones: Record<State_, Tone> = { ended: 'quiet', later: 'busy', over: 'quiet', now: 'good' };
const stateOf = (one: Row, today: string): State_ => (one.ended_at ? 'ended' : today < one.effective_from ? 'later' : today > one.effective_until ? 'over' : 'now');

/** What comes on top of the limit for a while. Two people of the operator agree to it; one ends it before its time. */
export function TemporaryLimits({ agencyId, currency }: { agencyId: string; currency: string }) {
  const t = useLimitTexts();
  const { organisation } = useSession();
  const operator = organisation.kind === 'operator';
  const today = dayIn(new Date(), platformZone);
  const read = useRead(['temporary_limits', agencyId], (signal) => api.GET('/v1/temporary_limits', { signal, params: { query: { agency_id: agencyId, limit: 200 } } }), { every: 30_000 });
  return (
    <Panel title={t('temporary')} aside={operator ? <AskForOne agencyId={agencyId} currency={currency} /> : t('temporary.lead')} tight>
      {operator && <Asked agencyId={agencyId} />}
      <Loaded read={read} rows={2}>
        {({ data }) => (
          <Grid
            label={t('temporary')}
            empty={t('temporary.none')}
            head={[{ text: t('amount'), end: true }, t('from'), t('until'), t('state'), ...(operator ? [t('action')] : [])]}
            rows={data.map((one) => {
              const state = stateOf(one, today);
              return {
                key: one.id,
                cells: [
                  <Money key="m" amount={one.amount} currency={one.currency} strong />,
                  one.effective_from,
                  one.effective_until,
                  <span key="s">
                    <State tone={tones[state]}>{t(`temporary.${state}`)}</State> {one.ended_at && <Moment at={one.ended_at} />}
                  </span>,
                  ...(operator ? [state === 'now' || state === 'later' ? <End key="e" limit={one} /> : <Quiet key="e">–</Quiet>] : []),
                ],
              };
            })}
          />
        )}
      </Loaded>
    </Panel>
  );
}

/** Asked for, and not agreed to by a second person yet. */
function Asked({ agencyId }: { agencyId: string }) {
  const t = useLimitTexts();
  const waiting = useRead(['approvals', 'temporary_limit', agencyId], (signal) =>
    api.GET('/v1/approvals', { signal, params: { query: { kind: 'temporary_limit', status: 'pending', subject: agencyId, limit: 10 } } }),
  );
  const asked = waiting.data?.data ?? [];
  if (asked.length === 0) return null;
  return (
    <div className={css.waiting}>
      <Lines>
        {asked.map((one) => (
          <li key={one.id}>
            <State tone="warn">{t('temporary.waits')}</State>
            <To to={`/approvals/${one.id}`}>
              <Money amount={String((one.change as { amount?: unknown }).amount ?? '')} currency={String((one.change as { currency?: unknown }).currency ?? '')} strong />
            </To>
            <Quiet>{one.reason}</Quiet>
          </li>
        ))}
      </Lines>
    </div>
  );
}

function End({ limit }: { limit: Row }) {
  const t = useLimitTexts();
  const end = useAction((_: true, key) =>
    answer(api.POST('/v1/temporary_limits/{id}/actions/end', { params: { path: { id: limit.id } }, headers: { 'Idempotency-Key': key }, body: { data: {} } })),
  );
  return (
    <Ask label={t('temporary.end')} title={t('temporary.end')} action={end} input={() => true as const} size="compact-xs" danger>
      <p>{t('temporary.end_text')}</p>
    </Ask>
  );
}

function AskForOne({ agencyId, currency }: { agencyId: string; currency: string }) {
  const t = useLimitTexts();
  const today = dayIn(new Date(), platformZone);
  const [amount, setAmount] = useState('');
  const [from, setFrom] = useState(today);
  const [until, setUntil] = useState('');
  const [reason, setReason] = useState('');
  const ask = useTwoPeople('temporary_limit');
  const sum = typedAmount(amount);
  const days = [from, until].every((day) => /^\d{4}-\d\d-\d\d$/.test(day)) && from <= until;
  return (
    <Ask
      label={t('temporary.ask')}
      title={t('temporary.ask')}
      action={ask}
      input={() =>
        sum && days && reason.trim()
          ? {
              reason: reason.trim(),
              change: { agency_id: agencyId, amount: sum, currency, effective_from: from, effective_until: until },
            }
          : null
      }
    >
      <Stack>
        <p>{t('temporary.ask_text')}</p>
        <Fields>
          <div data-whole>
            <TextInput label={`${t('temporary.on_top')} (${currency})`} value={amount} onChange={(event) => setAmount(event.currentTarget.value)} inputMode="decimal" data-autofocus />
          </div>
          <DayInput label={t('from')} value={from} onChange={setFrom} />
          <DayInput label={t('until')} value={until} onChange={setUntil} />
          <div data-whole>
            <Textarea label={t('reason')} value={reason} onChange={(event) => setReason(event.currentTarget.value)} autosize minRows={2} maxLength={500} />
          </div>
        </Fields>
      </Stack>
    </Ask>
  );
}
