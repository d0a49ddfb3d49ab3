import { Select, Textarea, TextInput } from '@mantine/core';
import { useState } from 'react';
import { answer, api, type Schemas } from '../../api/client';
import { useSession } from '../../session/session';
import { isMore, typedAmount } from '../../shared/amount';
import { Ask } from '../../shared/Ask';
import { Documents } from '../../shared/Documents';
import { To } from '../../shared/Link';
import { Money } from '../../shared/Money';
import { Actions, Panel, Quiet, Stack, State } from '../../shared/Page';
import { useRead } from '../../shared/read';
import { useTwoPeople } from '../../shared/two-people';
import { useAction } from '../../shared/use-action';
import { stepsOf } from './memo';
import { useReasons } from './reasons';
import { useMemoTexts } from './texts';

type File = Schemas['MemoFile'];
type Plain = 'review' | 'accept' | 'withdraw_dispute';

/** What whoever looks at it can do now. A step is taken from the version that was read. */
export function MemoSteps({ memo }: { memo: File }) {
  const t = useMemoTexts();
  const { organisation, permissions } = useSession();
  const waiting = useRead(
    ['approvals', 'memo', memo.id],
    (signal) => api.GET('/v1/approvals', { signal, params: { query: { kind: 'memo_decision', status: 'pending', subject: memo.id, limit: 1 } } }),
    { enabled: organisation.kind === 'operator', every: 15_000 },
  );
  const may = stepsOf(organisation.kind, memo.status).filter((step) => permissions.includes(step === 'decide' ? 'finance:write' : 'memos:write'));
  const asked = waiting.data?.data[0];
  return (
    <Panel title={t('next')}>
      <p>{t(`next.${memo.status}`)}</p>
      {asked && (
        <p>
          <State tone="warn">{t('decision.waits')}</State> <To to={`/approvals/${asked.id}`}>{asked.reason}</To>
        </p>
      )}
      {may.length === 0 && !asked && <Quiet>{t('next.nothing')}</Quiet>}
      <Actions>
        {may.map((step) => {
          switch (step) {
            case 'review':
            case 'accept':
            case 'withdraw_dispute':
              return <PlainStep key={step} memo={memo} step={step} />;
            case 'dispute':
              return <Dispute key={step} memo={memo} />;
            case 'answer':
            case 'withdraw':
              return <Explain key={step} memo={memo} step={step} />;
            case 'decide':
              return asked ? null : <Decide key={step} memo={memo} />;
          }
        })}
      </Actions>
    </Panel>
  );
}

const headers = (memo: File, key: string) => ({ 'Idempotency-Key': key, 'If-Match': `"${memo.version}"` });

function PlainStep({ memo, step }: { memo: File; step: Plain }) {
  const t = useMemoTexts();
  const run = useAction((_: true, key) => {
    const call = { params: { path: { id: memo.id } }, headers: headers(memo, key), body: { data: {} } };
    switch (step) {
      case 'review':
        return answer(api.POST('/v1/memos/{id}/actions/review', call));
      case 'accept':
        return answer(api.POST('/v1/memos/{id}/actions/accept', call));
      case 'withdraw_dispute':
        return answer(api.POST('/v1/memos/{id}/actions/withdraw_dispute', call));
    }
  });
  return (
    <Ask label={t(`step.${step}`)} title={t(`step.${step}`)} action={run} input={() => true as const} variant={step === 'accept' ? 'filled' : 'default'}>
      {step === 'accept' && (
        <p>
          <Money amount={memo.total_amount} currency={memo.currency} strong />
        </p>
      )}
      <p>{t(`step.${step}_text`)}</p>
    </Ask>
  );
}

function Dispute({ memo }: { memo: File }) {
  const t = useMemoTexts();
  const reasons = useReasons();
  const [reason, setReason] = useState<string | null>(null);
  const [note, setNote] = useState('');
  const [evidence, setEvidence] = useState<Schemas['Attachment'][]>([]);
  const run = useAction((data: Schemas['DisputeMemo'], key) =>
    answer(api.POST('/v1/memos/{id}/actions/dispute', { params: { path: { id: memo.id } }, headers: headers(memo, key), body: { data } })),
  );
  return (
    <Ask
      label={t('step.dispute')}
      title={t('step.dispute')}
      action={run}
      danger
      input={() => (reason && note.trim() ? { reason, note: note.trim(), attachment_ids: evidence.map((one) => one.id) } : null)}
    >
      <Stack>
        <p>{t('step.dispute_text')}</p>
        <Select label={t('reason')} data={reasons.options('dispute')} value={reason} onChange={setReason} comboboxProps={{ withinPortal: true }} data-autofocus />
        <Textarea label={t('note')} description={t('note.help')} value={note} onChange={(event) => setNote(event.currentTarget.value)} autosize minRows={3} maxLength={500} />
        <Documents label={t('add_evidence')} given={evidence} onGiven={setEvidence} />
      </Stack>
    </Ask>
  );
}

function Explain({ memo, step }: { memo: File; step: 'answer' | 'withdraw' }) {
  const t = useMemoTexts();
  const [note, setNote] = useState('');
  const [evidence, setEvidence] = useState<Schemas['Attachment'][]>([]);
  const run = useAction((data: Schemas['ExplainMemo'], key) => {
    const call = { params: { path: { id: memo.id } }, headers: headers(memo, key), body: { data } };
    return step === 'answer' ? answer(api.POST('/v1/memos/{id}/actions/answer', call)) : answer(api.POST('/v1/memos/{id}/actions/withdraw', call));
  });
  return (
    <Ask
      label={t(`step.${step}`)}
      title={t(`step.${step}`)}
      action={run}
      danger={step === 'withdraw'}
      input={() => (note.trim() ? { note: note.trim(), attachment_ids: evidence.map((one) => one.id) } : null)}
    >
      <Stack>
        <p>{t(`step.${step}_text`)}</p>
        <Textarea label={t('note')} description={t('note.help')} value={note} onChange={(event) => setNote(event.currentTarget.value)} autosize minRows={3} maxLength={500} data-autofocus />
        <Documents label={t('add_evidence')} given={evidence} onGiven={setEvidence} />
      </Stack>
    </Ask>
  );
}

/** One person says how it is to be decided, another one agrees. */
function Decide({ memo }: { memo: File }) {
  const t = useMemoTexts();
  const [verdict, setVerdict] = useState<'uphold' | 'dismiss'>('uphold');
  const [amount, setAmount] = useState(memo.total_amount);
  const [reason, setReason] = useState('');
  const run = useTwoPeople('memo_decision');
  const sum = typedAmount(amount);
  const fits = verdict === 'dismiss' || (sum !== null && !isMore(sum, memo.total_amount));
  return (
    <Ask
      label={t('step.decide')}
      title={t('step.decide')}
      action={run}
      input={() =>
        fits && reason.trim()
          ? {
              reason: reason.trim(),
              change: { memo_id: memo.id, decision: verdict, ...(verdict === 'uphold' && sum ? { amount: sum, currency: memo.currency } : {}) },
            }
          : null
      }
    >
      <Stack>
        <p>{t('step.decide_text')}</p>
        <Select
          label={t('verdict')}
          data={(['uphold', 'dismiss'] as const).map((value) => ({ value, label: t(`verdict.${value}`) }))}
          value={verdict}
          onChange={(value) => value && setVerdict(value as 'uphold' | 'dismiss')}
          allowDeselect={false}
        />
        {verdict === 'uphold' && (
          <TextInput
            label={`${t('upheld')} (${memo.currency})`}
            description={t('upheld.most', { amount: memo.total_amount })}
            value={amount}
            onChange={(event) => setAmount(event.currentTarget.value)}
            inputMode="decimal"
            error={fits ? undefined : t('upheld.wrong')}
          />
        )}
        <Textarea label={t('reason')} value={reason} onChange={(event) => setReason(event.currentTarget.value)} autosize minRows={2} maxLength={500} />
      </Stack>
    </Ask>
  );
}
