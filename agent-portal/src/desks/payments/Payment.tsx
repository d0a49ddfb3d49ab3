import { Button, Modal, Select, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../../api/client';
import { platformZone } from '../../session/office';
import { difference, plus, typedAmount } from '../../shared/amount';
import { dayIn } from '../../shared/clock';
import { DayInput } from '../../shared/DayInput';
import { Fields } from '../../shared/Lines';
import { Money } from '../../shared/Money';
import { MoneyConfirm, type Balance } from '../../shared/MoneyConfirm';
import { useMoneyWrite } from '../../shared/money-write';
import { useNames } from '../../shared/names';
import { Actions, Facts, Name } from '../../shared/Page';
import { optionsOf, useAgencyNames, useAirlineNames, useLineNames } from '../../shared/parties';
import { useRead } from '../../shared/read';
import { businesses, type Checked, type Draft, type Kind, type Part } from './businesses';
import { usePaymentTexts } from './texts';

type Given = Partial<Draft>;
type Bought = { data: object };
const ofAgency = (kind: Kind) => kind === 'payout' || kind === 'credit_payout';

/** A button that opens the form of one kind of payment. */
export function Pay({ kind, given, disabled }: { kind: Kind; given?: Given; disabled?: boolean }) {
  const t = usePaymentTexts();
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button size="xs" onClick={() => setOpen(true)} disabled={disabled}>
        {t(`new.${kind}`)}
      </Button>
      <Modal opened={open} onClose={() => setOpen(false)} title={t(`new.${kind}`)} size="lg" closeButtonProps={{ 'aria-label': t('close') }}>
        {open && <Payment kind={kind} given={given} onClose={() => setOpen(false)} />}
      </Modal>
    </>
  );
}

function useParties(kind: Kind): ReadonlyMap<string, string> | null {
  const names = useNames();
  const agencies = useAgencyNames();
  const airlines = useAirlineNames();
  const lines = useLineNames();
  switch (kind) {
    case 'payout':
    case 'credit_payout':
      return agencies;
    case 'airline_payment':
      return airlines;
    case 'facility_repayment':
      return lines;
    case 'cash_transfer':
      return new Map((['own', 'client'] as const).map((one) => [one, names('bank_account', one)]));
    case 'tax_payment':
      return null;
  }
}

/** What the source holds before and after, where the server says what it holds. */
function useBalance(kind: Kind, draft: Draft, sum: string | null): { balance: Balance | null; currency: string | null } {
  const t = usePaymentTexts();
  const limit = useRead(['limits', draft.party], (signal) => api.GET('/v1/limits/{agency}', { signal, params: { path: { agency: draft.party } } }), {
    enabled: ofAgency(kind) && draft.party !== '',
  }).data?.data;
  const line = useRead(['facilities', draft.party], (signal) => api.GET('/v1/facilities/{id}', { signal, params: { path: { id: draft.party } } }), {
    enabled: kind === 'facility_repayment' && draft.party !== '',
  }).data?.data;
  const balance = (label: string, before: string): Balance | null => (sum ? { label, before, after: difference(before, sum) } : null);
  if (kind === 'payout' && limit) {
    const wallet = draft.purpose === 'wallet_withdrawal';
    return { currency: limit.currency, balance: balance(wallet ? t('wallet') : t('deposit'), wallet ? limit.wallet_amount : limit.deposit_amount) };
  }
  if (line) {
    const before = line.drawn_amount;
    return { currency: line.currency, balance: sum ? { label: t('line_drawn'), before, after: difference(before, sum) } : null };
  }
  return { currency: limit?.currency ?? null, balance: null };
}

function Payment({ kind, given, onClose }: { kind: Kind; given?: Given; onClose: () => void }) {
  const t = usePaymentTexts();
  const names = useNames();
  const queries = useQueryClient();
  const parties = useParties(kind);
  const business = businesses[kind];
  const [draft, setDraft] = useState<Draft>(() => ({
    party: '',
    purpose: 'deposit_return',
    cycle: '',
    tax_code: '',
    amount: '',
    interest: '0.00',
    currency: 'CNY',
    reference: '',
    date: dayIn(new Date(), platformZone),
    ...given,
  }));
  const [checked, setChecked] = useState(false);
  const change = (part: Part) => (value: string) => setDraft((before) => ({ ...before, [part]: value }));
  const sum = typedAmount(draft.amount);
  const interest = typedAmount(draft.interest);
  const { balance, currency } = useBalance(kind, draft, sum);
  const parts = business.parts(draft);
  const right: Record<Part, boolean> = {
    party: draft.party.trim() !== '',
    purpose: draft.purpose !== '',
    cycle: draft.cycle.trim() !== '',
    tax_code: draft.tax_code.trim() !== '',
    amount: sum !== null,
    interest: interest !== null,
    currency: /^[A-Z]{3}$/.test(draft.currency),
    reference: draft.reference.trim() !== '' || business.optional?.includes('reference') === true,
    date: /^\d{4}-\d\d-\d\d$/.test(draft.date),
  };
  const ready = parts.every((part) => right[part]);
  const paid = currency ?? draft.currency;
  const total = sum ? (kind === 'facility_repayment' && interest ? plus(sum, interest) : sum) : '0.00';
  const body = (): Checked => ({ ...draft, amount: sum ?? '0', interest: interest ?? '0', currency: paid, total });
  const write = useMoneyWrite<Bought, Checked>({
    purpose: `${kind}:${draft.party}:${draft.reference}`,
    send: business.send,
    toConfirm: business.confirm,
    onDone: () => void queries.invalidateQueries(),
  });
  const payee = parties?.get(draft.party) ?? draft.party;
  const text = (part: Part, label: string) => (
    <TextInput
      key={part}
      label={label}
      value={draft[part]}
      onChange={(event) => change(part)(event.currentTarget.value)}
      inputMode={part === 'amount' || part === 'interest' ? 'decimal' : undefined}
      autoComplete="off"
    />
  );
  const field = (part: Part) => {
    switch (part) {
      case 'party':
        return parties ? (
          <Select key={part} label={t(`party.${kind}`)} data={optionsOf(parties)} value={draft.party || null} onChange={(value) => change('party')(value ?? '')} searchable data-autofocus />
        ) : (
          text(part, t(`party.${kind}`))
        );
      case 'purpose':
        return (
          <Select
            key={part}
            label={t('purpose')}
            data={(['deposit_return', 'wallet_withdrawal'] as const).map((value) => ({ value, label: names('payout', value) }))}
            value={draft.purpose}
            onChange={(value) => value && change('purpose')(value)}
            allowDeselect={false}
          />
        );
      case 'date':
        return <DayInput key={part} label={t('date')} value={draft.date} onChange={change('date')} />;
      case 'amount':
        return text(part, `${kind === 'facility_repayment' ? t('principal') : t('amount')} (${paid})`);
      case 'reference':
        return text(part, business.optional?.includes('reference') ? t('reference_optional') : t('reference'));
      default:
        return text(part, t(part));
    }
  };
  if (!checked) {
    return (
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (ready) setChecked(true);
        }}
      >
        <Fields>{parts.map(field)}</Fields>
        <Actions>
          <Button type="submit" disabled={!ready}>
            {t('check')}
          </Button>
        </Actions>
      </form>
    );
  }
  return (
    <MoneyConfirm
      write={write}
      body={body}
      what={kind === 'payout' ? names('payout', draft.purpose) : t(`new.${kind}`)}
      total={{ amount: total, currency: paid }}
      payee={<Name>{payee}</Name>}
      source={kind === 'payout' || (kind === 'cash_transfer' && draft.party === 'own') ? t('from.client') : t('from.own')}
      balance={balance}
      submitLabel={t('pay')}
      onCancel={() => setChecked(false)}
      done={(_, replayed) => (
        <div role="status" data-done>
          <Facts
            facts={[
              [replayed ? t('paid_already') : t('paid'), <Money key="m" amount={total} currency={paid} strong />],
              [t('payee'), <Name key="p">{payee}</Name>],
            ]}
          />
          <Actions>
            <Button onClick={onClose}>{t('close')}</Button>
          </Actions>
        </div>
      )}
    />
  );
}
