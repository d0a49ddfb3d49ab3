import { Select, TextInput } from '@mantine/core';
import { useState } from 'react';
import { answer, api, download, type Schemas } from '../../api/client';
import { asProblem, type Problem } from '../../api/problem';
import { platformZone } from '../../session/office';
import { useSession } from '../../session/session';
import { typedAmount } from '../../shared/amount';
import { Ask } from '../../shared/Ask';
import { dayIn } from '../../shared/clock';
import { DayInput } from '../../shared/DayInput';
import { Documents } from '../../shared/Documents';
import { Grid } from '../../shared/Grid';
import { Fields } from '../../shared/Lines';
import { Money } from '../../shared/Money';
import { useNames } from '../../shared/names';
import { Panel, Quiet, State, type Tone } from '../../shared/Page';
import { useRead } from '../../shared/read';
import { Failed, Loaded } from '../../shared/States';
import { useAction } from '../../shared/use-action';
import shared from '../../shared/shared.module.css';
import { useLimitTexts } from './texts';

type Guarantee = Schemas['Guarantee'];
const tones: Record<Guarantee['status'], Tone> = { not_yet: 'busy', in_force: 'good', expired: 'quiet', released: 'quiet', called: 'bad' };
const kinds: readonly Guarantee['kind'][] = ['guarantee', 'insurance', 'pledge'];

/** Security beside the deposit: what counts, until when, and by which document. */
export function Guarantees({ agencyId, currency }: { agencyId: string; currency: string }) {
  const t = useLimitTexts();
  const names = useNames();
  const { organisation, permissions } = useSession();
  const operator = organisation.kind === 'operator';
  const writes = operator && permissions.includes('finance:write');
  const [problem, setProblem] = useState<Problem | null>(null);
  const read = useRead(['guarantees', agencyId], (signal) => api.GET('/v1/guarantees', { signal, params: { query: { agency_id: agencyId, limit: 200 } } }), { every: 30_000 });
  return (
    <Panel title={t('guarantees')} aside={writes && <Register agencyId={agencyId} currency={currency} />} tight>
      {problem && <Failed problem={problem} />}
      <Loaded read={read} rows={2}>
        {({ data }) => (
          <Grid
            label={t('guarantees')}
            empty={t('guarantees.none')}
            head={[t('guarantee.issuer'), t('kind'), { text: t('amount'), end: true }, t('haircut_short'), { text: t('guarantee.counts'), end: true }, t('from'), t('until'), t('state'), ...(operator ? [t('action')] : [])]}
            rows={data.map((one) => ({
              key: one.id,
              cells: [
                one.issuer,
                names('guarantee', one.kind),
                <Money key="a" amount={one.amount} currency={one.currency} />,
                one.haircut,
                <Money key="c" amount={one.counted_amount} currency={one.currency} strong />,
                one.effective_from,
                one.expires_on,
                <State key="s" tone={tones[one.status]}>
                  {names('guarantee_status', one.status)}
                </State>,
                ...(operator
                  ? [
                      <span key="x">
                        <button
                          type="button"
                          className={shared.asLink}
                          onClick={() => {
                            setProblem(null);
                            download(`/v1/attachments/${one.attachment_id}/content`, `${one.id}.pdf`).catch((error: unknown) => setProblem(asProblem(error)));
                          }}
                        >
                          {t('document')}
                        </button>{' '}
                        {writes && !one.released_at ? <Release guarantee={one} /> : <Quiet>–</Quiet>}
                      </span>,
                    ]
                  : []),
              ],
            }))}
          />
        )}
      </Loaded>
    </Panel>
  );
}

function Release({ guarantee }: { guarantee: Guarantee }) {
  const t = useLimitTexts();
  const release = useAction((_: true, key) =>
    answer(api.POST('/v1/guarantees/{id}/actions/release', { params: { path: { id: guarantee.id } }, headers: { 'Idempotency-Key': key }, body: { data: {} } })),
  );
  return (
    <Ask label={t('guarantee.release')} title={t('guarantee.release')} action={release} input={() => true as const} size="compact-xs" danger>
      <p>
        {guarantee.issuer} <Money amount={guarantee.amount} currency={guarantee.currency} strong />
      </p>
      <p>{t('guarantee.release_text')}</p>
    </Ask>
  );
}

function Register({ agencyId, currency }: { agencyId: string; currency: string }) {
  const t = useLimitTexts();
  const names = useNames();
  const today = dayIn(new Date(), platformZone);
  const [kind, setKind] = useState<Guarantee['kind']>('guarantee');
  const [issuer, setIssuer] = useState('');
  const [amount, setAmount] = useState('');
  const [haircut, setHaircut] = useState('0.2');
  const [from, setFrom] = useState(today);
  const [until, setUntil] = useState('');
  const [documents, setDocuments] = useState<Schemas['Attachment'][]>([]);
  const register = useAction((data: Schemas['RegisterGuarantee'], key) => answer(api.POST('/v1/guarantees', { headers: { 'Idempotency-Key': key }, body: { data } })));
  const sum = typedAmount(amount);
  const document = documents[0];
  const ready = sum && issuer.trim() && /^(0(\.\d{1,4})?|1(\.0+)?)$/.test(haircut) && /^\d{4}-\d\d-\d\d$/.test(until) && from <= until && document;
  return (
    <Ask
      label={t('guarantee.new')}
      title={t('guarantee.new')}
      action={register}
      input={() =>
        ready
          ? { agency_id: agencyId, kind, issuer: issuer.trim(), amount: sum, currency, haircut, effective_from: from, expires_on: until, attachment_id: document.id }
          : null
      }
    >
      <Fields>
        <Select label={t('kind')} data={kinds.map((value) => ({ value, label: names('guarantee', value) }))} value={kind} onChange={(value) => value && setKind(value as Guarantee['kind'])} allowDeselect={false} />
        <TextInput label={t('guarantee.issuer')} value={issuer} onChange={(event) => setIssuer(event.currentTarget.value)} maxLength={100} data-autofocus />
        <TextInput label={`${t('amount')} (${currency})`} value={amount} onChange={(event) => setAmount(event.currentTarget.value)} inputMode="decimal" />
        <TextInput label={t('haircut')} value={haircut} onChange={(event) => setHaircut(event.currentTarget.value)} inputMode="decimal" />
        <DayInput label={t('from')} value={from} onChange={setFrom} />
        <DayInput label={t('until')} value={until} onChange={setUntil} />
        <div data-whole>
          <Documents label={t('document')} given={documents} onGiven={setDocuments} most={1} />
        </div>
      </Fields>
    </Ask>
  );
}
