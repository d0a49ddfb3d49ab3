import { Button, Select, Textarea, TextInput } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { answer, api, type Schemas } from '../../api/client';
import { sums, typedAmount } from '../../shared/amount';
import { Documents } from '../../shared/Documents';
import { Fields } from '../../shared/Lines';
import { useGo } from '../../shared/Link';
import { Money } from '../../shared/Money';
import { useNames } from '../../shared/names';
import { Actions, Page, Panel, Quiet, Stack } from '../../shared/Page';
import { optionsOf, useAirlineNames } from '../../shared/parties';
import { useRead } from '../../shared/read';
import { Failed } from '../../shared/States';
import { useAction } from '../../shared/use-action';
import { useFilters } from '../../shared/url';
import { useReasons } from './reasons';
import { useMemoTexts } from './texts';

interface Line {
  number: string;
  amount: string;
}
const plain = (number: string) => number.replace(/[\s-]/g, '');

/** An airline claims or grants something about tickets that one agency sold. Nothing is posted by it. */
export default function NewMemo() {
  const t = useMemoTexts();
  const names = useNames();
  const go = useGo();
  const airlines = useAirlineNames();
  const reasons = useReasons();
  const [filters] = useFilters();
  const [kind, setKind] = useState<Schemas['MemoKind']>('adm');
  const [airline, setAirline] = useState<string | null>(null);
  const [reason, setReason] = useState<string | null>(null);
  const [currency, setCurrency] = useState('CNY');
  const [fee, setFee] = useState('');
  const [note, setNote] = useState('');
  const [lines, setLines] = useState<Line[]>([{ number: filters.ticket ?? '', amount: '' }]);
  const [evidence, setEvidence] = useState<Schemas['Attachment'][]>([]);
  const claim = useAction(
    (data: Schemas['ClaimMemo'], key) => answer(api.POST('/v1/memos', { headers: { 'Idempotency-Key': key }, body: { data } })),
    (result) => {
      const made = result.data;
      if ('tickets' in made) go(`/memos/${made.id}`);
    },
  );
  const chosen = airline ?? (airlines.size === 1 ? ([...airlines.keys()][0] ?? null) : null);
  const tickets = lines.flatMap((line) => {
    const amount = typedAmount(line.amount);
    return /^\d{13}$/.test(plain(line.number)) && amount ? [{ number: plain(line.number), amount }] : [];
  });
  const feeAmount = kind === 'adm' && fee.trim() ? typedAmount(fee) : null;
  const ready = chosen && reason && note.trim() && tickets.length === lines.length && (kind === 'acm' || !fee.trim() || feeAmount) && /^[A-Z]{3}$/.test(currency);
  const total = sums([...tickets.map((one) => one.amount), ...(feeAmount ? [feeAmount] : [])].map((amount) => ({ amount, currency })));
  const change = (place: number, part: Partial<Line>) => setLines((before) => before.map((line, index) => (index === place ? { ...line, ...part } : line)));
  return (
    <Page title={t('new')} lead={t('new.lead')} narrow>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (ready && !claim.isPending)
            claim.mutate({
              kind,
              airline_id: chosen,
              reason,
              currency,
              note: note.trim(),
              tickets,
              attachment_ids: evidence.map((one) => one.id),
              ...(feeAmount ? { fee_amount: feeAmount } : {}),
            });
        }}
      >
        <Stack>
          <Panel title={t('claim')}>
            <Fields>
              <Select
                label={t('kind')}
                data={(['adm', 'acm'] as const).map((value) => ({ value, label: t(`kind.${value}`) }))}
                value={kind}
                onChange={(value) => {
                  if (!value) return;
                  setKind(value as Schemas['MemoKind']);
                  setReason(null);
                }}
                allowDeselect={false}
              />
              <Select label={t('airline')} data={optionsOf(airlines)} value={chosen} onChange={setAirline} searchable />
              <Select label={t('reason')} data={reasons.options(kind)} value={reason} onChange={setReason} />
              <TextInput label={t('currency')} value={currency} onChange={(event) => setCurrency(event.currentTarget.value.toUpperCase().slice(0, 3))} />
              <div data-whole>
                <Textarea label={t('note')} description={t('note.help')} value={note} onChange={(event) => setNote(event.currentTarget.value)} autosize minRows={3} maxLength={500} />
              </div>
            </Fields>
          </Panel>
          <Panel title={t('tickets')} aside={total[0] && <Money {...total[0]} strong />}>
            <Stack>
              {lines.map((line, place) => (
                <Fields key={place}>
                  <TextInput
                    label={`${t('ticket')} ${place + 1}`}
                    value={line.number}
                    onChange={(event) => change(place, { number: event.currentTarget.value })}
                    inputMode="numeric"
                    placeholder="999-2400000001"
                    error={line.number && !/^\d{0,13}$/.test(plain(line.number)) ? t('ticket.wrong') : undefined}
                  />
                  <TextInput label={`${t('amount')} ${place + 1} (${currency})`} value={line.amount} onChange={(event) => change(place, { amount: event.currentTarget.value })} inputMode="decimal" />
                  <TicketNow number={plain(line.number)} />
                </Fields>
              ))}
              <Actions>
                <Button size="xs" variant="default" leftSection={<IconPlus size={14} />} disabled={lines.length >= 20} onClick={() => setLines((before) => [...before, { number: '', amount: '' }])}>
                  {t('ticket.more')}
                </Button>
                {lines.length > 1 && (
                  <Button size="xs" variant="default" onClick={() => setLines((before) => before.slice(0, -1))}>
                    {t('ticket.less')}
                  </Button>
                )}
              </Actions>
              {kind === 'adm' && (
                <Fields>
                  <TextInput label={`${t('fee')} (${currency})`} description={t('fee.help')} value={fee} onChange={(event) => setFee(event.currentTarget.value)} inputMode="decimal" />
                </Fields>
              )}
            </Stack>
          </Panel>
          <Panel title={t('evidence_title')}>
            <Documents label={t('add_evidence')} given={evidence} onGiven={setEvidence} />
          </Panel>
          {claim.error && <Failed problem={claim.error} write />}
          <Actions>
            <Button type="submit" disabled={!ready} loading={claim.isPending} data-confirm>
              {t(`send.${kind}`)}
            </Button>
            <Quiet>{names('memo_kind', kind)}</Quiet>
          </Actions>
        </Stack>
      </form>
    </Page>
  );
}

/** What the ticket cost, so that nobody claims more. */
function TicketNow({ number }: { number: string }) {
  const t = useMemoTexts();
  const complete = /^\d{13}$/.test(number);
  const read = useRead(['tickets', 'number', number], (signal) => api.GET('/v1/tickets', { signal, params: { query: { number, limit: 1 } } }), { enabled: complete });
  if (!complete || !read.data) return null;
  const ticket = read.data.data[0];
  return (
    <div data-whole>
      {ticket ? (
        <Quiet>
          {t('ticket.cost')} <Money amount={ticket.total_amount} currency={ticket.currency} /> · {ticket.issue_date}
        </Quiet>
      ) : (
        <Quiet>{t('ticket.unknown')}</Quiet>
      )}
    </div>
  );
}
