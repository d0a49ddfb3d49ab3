import { Textarea, TextInput } from '@mantine/core';
import { useMemo, useState } from 'react';
import { answer, api, type Schemas } from '../../api/client';
import { Ask } from '../../shared/Ask';
import { DataTable, type Column } from '../../shared/DataTable';
import { useNames } from '../../shared/names';
import { Actions, Facts, Page, State } from '../../shared/Page';
import { useTwoPeople } from '../../shared/two-people';
import { useAction } from '../../shared/use-action';
import { useOperatorTexts } from './texts';

type Airline = Schemas['SignedAirline'];

export default function Airlines() {
  const t = useOperatorTexts();
  const names = useNames();
  const columns = useMemo(
    (): Column<Airline>[] => [
      { id: 'code', header: t('airline.code'), width: 70, heading: true, cell: (one) => <b>{one.iata_code}</b>, text: (one) => one.iata_code },
      { id: 'name', header: t('agency.name'), width: 220, cell: (one) => one.name, text: (one) => one.name },
      { id: 'accounting', header: t('airline.accounting'), width: 110, cell: (one) => one.accounting_code, text: (one) => one.accounting_code },
      { id: 'status', header: t('state'), width: 100, cell: (one) => <State tone={one.status === 'active' ? 'good' : 'bad'}>{names('airline_status', one.status)}</State>, text: (one) => one.status },
      { id: 'payee', header: t('airline.payee'), width: 220, cell: (one) => one.payee_name, text: (one) => one.payee_name },
      { id: 'account', header: t('airline.account'), width: 170, cell: (one) => <code>{one.payee_account}</code>, text: (one) => one.payee_account },
      {
        id: 'actions',
        header: t('actions'),
        width: 230,
        cell: (one) => (
          <Actions>
            <StopOrResume airline={one} />
            <PayElsewhere airline={one} />
          </Actions>
        ),
        text: () => '',
      },
    ],
    [t, names],
  );
  return (
    <Page title={t('airlines')}>
      <DataTable<Airline>
        id="airlines"
        label={t('airlines')}
        queryKey={['airlines', 'signed']}
        read={(page, signal) => api.GET('/v1/airlines', { signal, params: { query: page } })}
        rowId={(one) => one.id}
        columns={columns}
        empty={t('airlines.none')}
      />
    </Page>
  );
}

/** One asks, another one agrees. */
function PayElsewhere({ airline }: { airline: Airline }) {
  const t = useOperatorTexts();
  const [account, setAccount] = useState('');
  const [holder, setHolder] = useState(airline.payee_name);
  const [reason, setReason] = useState('');
  const ask = useTwoPeople('change_payee');
  const input = () =>
    account.trim() && holder.trim() && reason.trim()
      ? { reason: reason.trim(), change: { airline_id: airline.id, payee_account: account.trim(), payee_name: holder.trim() } }
      : null;
  return (
    <Ask label={t('airline.pay_elsewhere')} title={`${t('airline.pay_elsewhere')}: ${airline.name}`} action={ask} input={input} size="compact-xs">
      <p>{t('airline.pay_elsewhere_text')}</p>
      <Facts facts={[[t('airline.account'), <code key="a">{airline.payee_account}</code>]]} />
      <TextInput label={t('airline.new_account')} value={account} onChange={(event) => setAccount(event.currentTarget.value)} maxLength={64} data-autofocus />
      <TextInput label={t('airline.payee')} value={holder} onChange={(event) => setHolder(event.currentTarget.value)} maxLength={140} />
      <Textarea label={t('approval.reason')} value={reason} onChange={(event) => setReason(event.currentTarget.value)} maxLength={500} />
    </Ask>
  );
}

function StopOrResume({ airline }: { airline: Airline }) {
  const t = useOperatorTexts();
  const path = { params: { path: { id: airline.id } } };
  const stop = useAction((_: true, key) => answer(api.POST('/v1/airlines/{id}/actions/stop', { ...path, headers: { 'Idempotency-Key': key }, body: { data: {} } })));
  const resume = useAction((_: true, key) => answer(api.POST('/v1/airlines/{id}/actions/resume', { ...path, headers: { 'Idempotency-Key': key }, body: { data: {} } })));
  return airline.status === 'active' ? (
    <Ask label={t('airline.stop')} title={`${t('airline.stop')}: ${airline.name}`} action={stop} input={() => true as const} danger size="compact-xs">
      <p>{t('airline.stop_text')}</p>
    </Ask>
  ) : (
    <Ask label={t('airline.resume')} title={`${t('airline.resume')}: ${airline.name}`} action={resume} input={() => true as const} size="compact-xs">
      <p>{t('airline.resume_text')}</p>
    </Ask>
  );
}
