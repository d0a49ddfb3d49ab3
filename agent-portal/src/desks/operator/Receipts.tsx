import { Button, Modal, Select, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { answered, api, type Schemas } from '../../api/client';
import { difference, plus, typedAmount } from '../../shared/amount';
import { dayIn } from '../../shared/clock';
import { DataTable, type Column } from '../../shared/DataTable';
import { FilterChoice } from '../../shared/Filter';
import { Money } from '../../shared/Money';
import { MoneyConfirm } from '../../shared/MoneyConfirm';
import { useMoneyWrite } from '../../shared/money-write';
import { useNames } from '../../shared/names';
import { Code, Facts, Name, Page, Stack } from '../../shared/Page';
import { useAgencyNames, useAirlineNames } from '../../shared/parties';
import { useRead } from '../../shared/read';
import { useFilters } from '../../shared/url';
import { platformZone } from '../../session/office';
import css from './operator.module.css';
import { useOperatorTexts } from './texts';

type Receipt = Schemas['BankReceipt'];
type Purpose = Schemas['ReceiptPurpose'];
const purposes: Purpose[] = ['deposit', 'wallet', 'remittance', 'charges', 'recovery', 'airline_repayment', 'capital'];
/** Clients' money and own money never share an account. */
const accountOf = (purpose: Purpose): Schemas['BankAccount'] => (purpose === 'deposit' || purpose === 'wallet' ? 'client' : 'own');
const ofAgency = (purpose: Purpose) => purpose !== 'capital' && purpose !== 'airline_repayment';

export default function Receipts() {
  const t = useOperatorTexts();
  const names = useNames();
  const agencies = useAgencyNames();
  const airlines = useAirlineNames();
  const [filters, change] = useFilters();
  const query = { agency_id: filters.of || undefined };
  const columns = useMemo(
    (): Column<Receipt>[] => [
      { id: 'reference', header: t('receipt.reference'), width: 190, heading: true, cell: (one) => <Code>{one.bank_reference}</Code>, text: (one) => one.bank_reference },
      { id: 'purpose', header: t('receipt.purpose'), width: 130, cell: (one) => names('purpose', one.purpose), text: (one) => one.purpose },
      {
        id: 'who',
        header: t('receipt.from'),
        width: 210,
        cell: (one) => <Name>{(one.agency_id && agencies.get(one.agency_id)) ?? (one.airline_id && airlines.get(one.airline_id)) ?? '–'}</Name>,
        text: (one) => (one.agency_id && agencies.get(one.agency_id)) ?? one.airline_id ?? '',
      },
      { id: 'amount', header: t('amount'), width: 140, align: 'end', cell: (one) => <Money amount={one.amount} currency={one.currency} strong />, text: (one) => `${one.amount} ${one.currency}` },
      { id: 'account', header: t('receipt.account'), width: 130, cell: (one) => names('bank_account', one.account), text: (one) => one.account },
      { id: 'value_date', header: t('receipt.value_date'), width: 110, cell: (one) => one.value_date, text: (one) => one.value_date },
      { id: 'cycle', header: t('cycle'), width: 100, cell: (one) => one.cycle ?? '–', text: (one) => one.cycle ?? '' },
    ],
    [t, names, agencies, airlines],
  );
  const opened = Boolean(filters.new);
  const shut = () => change({ new: null, agency: null }, { replace: true });
  return (
    <Page
      title={t('receipts')}
      lead={t('receipts.lead')}
      actions={
        <Button size="xs" onClick={() => change({ new: 'remittance' })}>
          {t('receipt.new')}
        </Button>
      }
    >
      <DataTable<Receipt>
        id="receipts"
        label={t('receipts')}
        queryKey={['bank_receipts', 'list', query]}
        read={(page, signal) => api.GET('/v1/bank_receipts', { signal, params: { query: { ...query, ...page } } })}
        rowId={(one) => one.id}
        columns={columns}
        live
        empty={t('receipts.none')}
        filters={<FilterChoice name="of" label={t('agency')} width={220} options={[...agencies].map(([value, label]) => ({ value, label }))} />}
      />
      <Modal opened={opened} onClose={shut} title={t('receipt.new')} size="lg" closeButtonProps={{ 'aria-label': t('close') }}>
        {opened && <NewReceipt purpose={filters.new as Purpose} agency={filters.agency ?? null} onClose={shut} />}
      </Modal>
    </Page>
  );
}

function NewReceipt({ purpose: first, agency: given, onClose }: { purpose: Purpose; agency: string | null; onClose: () => void }) {
  const t = useOperatorTexts();
  const names = useNames();
  const queries = useQueryClient();
  const agencies = useAgencyNames();
  const airlines = useAirlineNames();
  const [purpose, setPurpose] = useState<Purpose>(purposes.includes(first) ? first : 'remittance');
  const [party, setParty] = useState<string | null>(given);
  const [amount, setAmount] = useState('');
  const [currency, setCurrency] = useState('CNY');
  const [reference, setReference] = useState('');
  const [valueDate, setValueDate] = useState(() => dayIn(new Date(), platformZone));
  const [cycle, setCycle] = useState('');
  const [checked, setChecked] = useState(false);
  const sum = typedAmount(amount);
  const needsCycle = purpose === 'remittance';
  const limit = useRead(['limits', party], (signal) => api.GET('/v1/limits/{agency}', { signal, params: { path: { agency: party! } } }), {
    enabled: Boolean(party) && ofAgency(purpose),
  }).data?.data;
  const write = useMoneyWrite<Schemas['Data_BankReceipt'], Schemas['RecordReceipt']>({
    // The same bank reference is the same money.
    purpose: `receipt:${reference}`,
    send: (data, key) =>
      answered(
        api.POST('/v1/bank_receipts', { body: { data }, headers: { 'Idempotency-Key': key } }) as Promise<{
          data?: Schemas['Data_BankReceipt'];
          error?: unknown;
          response: Response;
        }>,
      ),
    onDone: () => void queries.invalidateQueries(),
  });
  const complete =
    sum !== null && reference.trim() !== '' && /^\d{4}-\d\d-\d\d$/.test(valueDate) && (purpose === 'capital' || party) && (!needsCycle || cycle.trim());
  const body = (): Schemas['RecordReceipt'] => ({
    account: accountOf(purpose),
    amount: sum ?? '0',
    currency,
    value_date: valueDate,
    bank_reference: reference.trim(),
    purpose,
    ...(ofAgency(purpose) && party ? { agency_id: party } : {}),
    ...(purpose === 'airline_repayment' && party ? { airline_id: party } : {}),
    ...(needsCycle ? { cycle: cycle.trim() } : {}),
  });
  const people = ofAgency(purpose) ? agencies : airlines;
  if (!checked) {
    return (
      <form
        className={css.fields}
        onSubmit={(event) => {
          event.preventDefault();
          if (complete) setChecked(true);
        }}
      >
        <Select
          label={t('receipt.purpose')}
          data={purposes.map((value) => ({ value, label: names('purpose', value) }))}
          value={purpose}
          onChange={(value) => {
            setPurpose(value as Purpose);
            setParty(null);
          }}
          allowDeselect={false}
          data-autofocus
        />
        {purpose !== 'capital' && (
          <Select label={t('receipt.from')} data={[...people].map(([value, label]) => ({ value, label }))} value={party} onChange={setParty} searchable />
        )}
        <TextInput label={t('amount')} value={amount} onChange={(event) => setAmount(event.currentTarget.value)} inputMode="decimal" error={amount && sum === null ? t('form.amount') : undefined} />
        <TextInput label={t('currency')} value={currency} maxLength={3} onChange={(event) => setCurrency(event.currentTarget.value.toUpperCase())} />
        <TextInput label={t('receipt.reference')} value={reference} onChange={(event) => setReference(event.currentTarget.value)} />
        <TextInput label={t('receipt.value_date')} value={valueDate} onChange={(event) => setValueDate(event.currentTarget.value)} placeholder="YYYY-MM-DD" />
        {needsCycle && <TextInput label={t('cycle')} value={cycle} onChange={(event) => setCycle(event.currentTarget.value)} placeholder="2026-11-H2" />}
        <div className={css.row}>
          <Button type="submit" disabled={!complete}>
            {t('receipt.check')}
          </Button>
        </div>
      </form>
    );
  }
  const balance = !limit || !sum ? null : purpose === 'wallet'
    ? { label: t('exposure.wallet'), before: limit.wallet_amount, after: plus(limit.wallet_amount, sum) }
    : purpose === 'deposit'
      ? { label: t('exposure.deposit'), before: limit.deposit_amount, after: plus(limit.deposit_amount, sum) }
      : purpose === 'remittance'
        ? { label: t('exposure.receivable'), before: limit.receivable_amount, after: difference(limit.receivable_amount, sum) }
        : null;
  return (
    <Stack>
      <MoneyConfirm
        write={write}
        body={body}
        what={t('receipt.what', { purpose: names('purpose', purpose) })}
        total={{ amount: sum ?? '0', currency }}
        payee={names('bank_account', accountOf(purpose))}
        source={<Name>{(party && people.get(party)) ?? names('purpose', purpose)}</Name>}
        balance={balance}
        submitLabel={t('receipt.record')}
        onCancel={() => setChecked(false)}
        done={(result, replayed) => (
          <div role="status" data-done>
            <Facts
              facts={[
                [replayed ? t('receipt.already') : t('receipt.recorded'), <Money key="m" amount={result.data.amount} currency={result.data.currency} strong />],
                [t('receipt.reference'), <Code key="r">{result.data.bank_reference}</Code>],
              ]}
            />
            <Button mt="sm" onClick={onClose}>
              {t('close')}
            </Button>
          </div>
        )}
      />
    </Stack>
  );
}
