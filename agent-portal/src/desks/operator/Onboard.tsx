import { Button, FileButton, Select, TextInput } from '@mantine/core';
import { IconPaperclip } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Controller, useForm } from 'react-hook-form';
import { answer, api, type Schemas } from '../../api/client';
import { asProblem, type Problem } from '../../api/problem';
import { useLanguage } from '../../i18n';
import { attach } from '../../shared/attachments';
import { dayIn } from '../../shared/clock';
import { check, filled, optional, z } from '../../shared/form';
import { ToButton } from '../../shared/Link';
import { newKey } from '../../shared/money-write';
import { useNames } from '../../shared/names';
import { Actions, Page, Panel, State } from '../../shared/Page';
import { Failed } from '../../shared/States';
import { checkDigit } from './numeric-code';
import css from './operator.module.css';
import { contractOf, terms, usualTerms } from './terms';
import { TermsFields } from './TermsFields';
import { useOperatorTexts } from './texts';

const schema = z.object({
  name: filled('form.name'),
  numeric_code: z.string().check(z.trim(), z.regex(/^\d{8}$/, 'form.code'), z.refine((code) => checkDigit(code), 'form.check_digit')),
  country: z.string().check(z.trim(), z.regex(/^[A-Z]{2}$/, 'form.country')),
  currency: z.string().check(z.trim(), z.regex(/^[A-Z]{3}$/, 'form.currency')),
  time_zone: filled('form.zone'),
  tender_order: z.enum(['credit_then_wallet', 'wallet_only']),
  email: optional.check(z.regex(/^$|^[^@\s]+@[^@\s]+\.[^@\s]+$/, 'form.email')),
});
type Values = z.infer<typeof schema>;
const steps = ['organisation', 'agency', 'contract', 'contact'] as const;
type Step = (typeof steps)[number];

/** Organisation, agency, contract and contact, one after the other; what is done already is not done again when one of them fails. */
export default function Onboard() {
  const t = useOperatorTexts();
  const names = useNames();
  const queries = useQueryClient();
  const language = useLanguage();
  const form = useForm({
    resolver: check(schema),
    defaultValues: { name: '', numeric_code: '', country: 'CN', currency: 'CNY', time_zone: 'Asia/Shanghai', tender_order: 'credit_then_wallet', email: '' } as Values,
  });
  const contract = useForm({ resolver: check(terms), defaultValues: usualTerms });
  const [documents, setDocuments] = useState<Schemas['Attachment'][]>([]);
  const [keys] = useState(() => Object.fromEntries(steps.map((step) => [step, newKey()])) as Record<Step, string>);
  const [done, setDone] = useState<{ organisation?: string; agency?: Schemas['Agency']; contract?: true; contact?: true }>({});
  const [problem, setProblem] = useState<{ step: Step | 'document'; problem: Problem } | null>(null);
  const [busy, setBusy] = useState(false);
  const started = Boolean(done.organisation);

  const run = async (values: Values) => {
    if (!(await contract.trigger())) return;
    setBusy(true);
    setProblem(null);
    let step: Step = 'organisation';
    const so = { ...done };
    const header = (of: Step) => ({ headers: { 'Idempotency-Key': keys[of] } });
    try {
      if (!so.organisation) {
        const made = await answer(api.POST('/v1/organisations', { ...header(step), body: { data: { kind: 'agency', name: values.name, country: values.country } } }));
        so.organisation = (made as Schemas['Data_Organisation']).data.id;
        setDone({ ...so });
      }
      step = 'agency';
      if (!so.agency) {
        const { email: _email, ...agency } = values;
        const made = await answer(api.POST('/v1/agencies', { ...header(step), body: { data: { ...agency, organisation_id: so.organisation } } }));
        so.agency = (made as Schemas['Data_Agency']).data;
        setDone({ ...so });
      }
      step = 'contract';
      if (!so.contract) {
        const from = dayIn(new Date(), so.agency.time_zone);
        await answer(api.POST('/v1/contracts', { ...header(step), body: { data: contractOf(contract.getValues(), so.agency, from) } }));
        so.contract = true;
        setDone({ ...so });
      }
      step = 'contact';
      if (!so.contact && values.email) {
        await answer(api.POST('/v1/billing_contacts', { ...header(step), body: { data: { agency_id: so.agency.id, email: values.email, language } } }));
      }
      so.contact = true;
      setDone({ ...so });
      await queries.invalidateQueries();
    } catch (error) {
      setProblem({ step, problem: asProblem(error) });
    }
    setBusy(false);
  };

  const said = (field: keyof Values) => {
    const message = form.formState.errors[field]?.message;
    return message ? t(message as 'form.name') : problem?.problem.about(field)?.message;
  };
  if (done.contact && done.agency) {
    return (
      <Page title={t('onboard')} narrow>
        <Panel title={t('onboard.done')}>
          <div role="status" data-done>
            <p>{t('onboard.done_text', { name: done.agency.name })}</p>
            <p>{t('onboard.next')}</p>
            <Actions>
              <ToButton to={`/agencies/${done.agency.id}`}>{t('onboard.open')}</ToButton>
              <ToButton to={`/receipts?new=deposit&agency=${done.agency.id}`} variant="default">
                {t('onboard.record_deposit')}
              </ToButton>
            </Actions>
          </div>
        </Panel>
      </Page>
    );
  }
  return (
    <Page title={t('onboard')} lead={t('onboard.lead')} narrow>
      <form noValidate onSubmit={form.handleSubmit(run, () => void contract.trigger())} className={css.stack}>
        <Panel title={t('onboard.agency')}>
          <fieldset className={css.fields} disabled={started}>
            <TextInput label={t('agency.name')} error={said('name')} {...form.register('name')} autoFocus />
            <TextInput label={t('agency.code')} description={t('onboard.code_help')} inputMode="numeric" maxLength={8} error={said('numeric_code')} {...form.register('numeric_code')} />
            <TextInput label={t('country')} maxLength={2} error={said('country')} {...form.register('country')} />
            <TextInput label={t('currency')} maxLength={3} error={said('currency')} {...form.register('currency')} />
            <TextInput label={t('agency.zone')} error={said('time_zone')} {...form.register('time_zone')} />
            <Controller
              control={form.control}
              name="tender_order"
              render={({ field: { value, onChange, ref } }) => (
                <Select
                  ref={ref}
                  label={t('agency.tender')}
                  data={['credit_then_wallet', 'wallet_only'].map((one) => ({ value: one, label: names('tender_order', one) }))}
                  value={value}
                  onChange={onChange}
                  allowDeselect={false}
                />
              )}
            />
            <TextInput label={t('agency.contact')} type="email" error={said('email')} {...form.register('email')} />
          </fieldset>
        </Panel>
        <Panel title={t('onboard.terms')}>
          <TermsFields form={contract} />
        </Panel>
        <Panel title={t('onboard.documents')}>
          <p className={css.small}>{t('onboard.documents_text')}</p>
          <FileButton
            accept="application/pdf,image/jpeg,image/png"
            onChange={(file) => {
              if (!file) return;
              setProblem(null);
              attach(file).then(
                (kept) => setDocuments((before) => [...before, kept]),
                (error: unknown) => setProblem({ step: 'document', problem: asProblem(error) }),
              );
            }}
          >
            {(props) => (
              <Button {...props} size="xs" variant="default" leftSection={<IconPaperclip size={14} />}>
                {t('onboard.attach')}
              </Button>
            )}
          </FileButton>
          <ul className={css.list}>
            {documents.map((one) => (
              <li key={one.id}>
                {one.file_name} <span className={css.small}>{one.sha256.slice(0, 12)}…</span>
              </li>
            ))}
          </ul>
        </Panel>
        {started && (
          <Panel title={t('onboard.progress')}>
            <ul className={css.list}>
              {steps.map((step) => (
                <li key={step}>
                  <State tone={done[step] ? 'good' : problem?.step === step ? 'bad' : 'quiet'}>{t(`onboard.step_${step}`)}</State>
                </li>
              ))}
            </ul>
          </Panel>
        )}
        {problem && <Failed problem={problem.problem} write />}
        <Actions>
          <ToButton to="/agencies" variant="default">
            {t('cancel')}
          </ToButton>
          <Button type="submit" loading={busy}>
            {started ? t('onboard.go_on') : t('onboard.do')}
          </Button>
        </Actions>
      </form>
    </Page>
  );
}
