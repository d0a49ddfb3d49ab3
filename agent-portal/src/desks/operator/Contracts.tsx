import { Button, Modal } from '@mantine/core';
import { useState } from 'react';
import { useForm } from 'react-hook-form';
import { answer, api, type Schemas } from '../../api/client';
import { dayIn } from '../../shared/clock';
import { check } from '../../shared/form';
import { Money } from '../../shared/Money';
import { useNames } from '../../shared/names';
import { Actions, Facts, Panel, Stack, State } from '../../shared/Page';
import { useRead } from '../../shared/read';
import { Empty, Failed, Loaded } from '../../shared/States';
import { useAction } from '../../shared/use-action';
import { contractOf, percentOf, terms, usualTerms, type Terms } from './terms';
import { TermsFields } from './TermsFields';
import { useOperatorTexts } from './texts';

export function AgencyContracts({ agency }: { agency: Schemas['Agency'] }) {
  const t = useOperatorTexts();
  const names = useNames();
  const read = useRead(['contracts', agency.id], (signal) => api.GET('/v1/contracts', { signal, params: { query: { agency_id: agency.id, limit: 50 } } }));
  return (
    <Stack>
      <div>
        <NewVersion agency={agency} />
      </div>
      <Loaded read={read}>
        {({ data }) => (
          <>
            {data.length === 0 && (
              <Panel>
                <Empty title={t('contract.none')} />
              </Panel>
            )}
            {data.map((one) => (
              <Panel
                key={`${one.id}${one.version}`}
                title={`${one.airline_id ? t('contract.one_airline', { airline: one.airline_id }) : t('contract.all_airlines')} · ${t('contract.version', { version: one.version })}`}
                aside={`${t('contract.from')} ${one.effective_from}`}
              >
                <Facts
                  columns={4}
                  facts={[
                    [t('contract.commission_rate'), `${percentOf(one.commission_rate)} ${names('base', one.commission_base)}`],
                    [t('contract.fee_rate'), percentOf(one.fee_rate)],
                    [t('contract.payment_days'), one.payment_days],
                    [t('contract.cycle_rule'), names('cycle', one.cycle_rule)],
                    [t('contract.due_rule'), names('due', one.due_rule)],
                    [t('contract.clawback'), names('clawback', one.clawback)],
                    [t('contract.fee_on_refund'), names('fee_on_refund', one.fee_on_refund)],
                    [t('contract.tax_remitter'), names('tax_remitter', one.tax_remitter)],
                    [t('contract.airline_return'), names('airline_return', one.airline_return)],
                  ]}
                />
              </Panel>
            ))}
          </>
        )}
      </Loaded>
    </Stack>
  );
}

/** The next version: what a ticket would earn on these terms is shown before anything is signed. */
function NewVersion({ agency }: { agency: Schemas['Agency'] }) {
  const t = useOperatorTexts();
  const [open, setOpen] = useState(false);
  const [margin, setMargin] = useState<Schemas['ContractRehearsal'] | null>(null);
  const form = useForm({ resolver: check(terms), defaultValues: usualTerms });
  const from = dayIn(new Date(), agency.time_zone);
  const rehearse = useAction(async (values: Terms) => {
    const got = await answer(api.POST('/v1/contracts', { params: { query: { dry_run: true } }, body: { data: contractOf(values, agency, from) } }));
    setMargin((got as unknown as { data: Schemas['ContractRehearsal'] }).data);
  });
  const sign = useAction(
    (values: Terms, key) => answer(api.POST('/v1/contracts', { headers: { 'Idempotency-Key': key }, body: { data: contractOf(values, agency, from) } })),
    () => {
      setOpen(false);
      setMargin(null);
    },
  );
  return (
    <>
      <Button size="xs" onClick={() => setOpen(true)}>
        {t('contract.new')}
      </Button>
      <Modal opened={open} onClose={() => setOpen(false)} title={t('contract.new')} size="lg" closeButtonProps={{ 'aria-label': t('close') }}>
        <form noValidate onSubmit={form.handleSubmit((values) => (margin ? sign.mutate(values) : rehearse.mutate(values)))} onChange={() => setMargin(null)}>
          <Stack>
            <TermsFields form={form} />
            {margin && (
              <Panel title={t('contract.margin')} aside={margin.can_be_signed ? <State tone="good">{t('contract.pays')}</State> : <State tone="bad">{t('contract.loses')}</State>}>
                <Facts
                  columns={3}
                  facts={[
                    [t('contract.margin_of', { price: margin.margin.price_amount }), <Money key="m" amount={margin.margin.margin_amount} currency={margin.margin.currency} strong />],
                    [t('contract.fee'), <Money key="f" amount={margin.margin.fee_amount} currency={margin.margin.currency} />],
                    [t('contract.interest', { days: margin.margin.days }), <Money key="i" amount={margin.margin.interest_amount} currency={margin.margin.currency} />],
                  ]}
                />
              </Panel>
            )}
            {(rehearse.error ?? sign.error) && <Failed problem={(rehearse.error ?? sign.error)!} write />}
            <Actions>
              <Button type="submit" loading={rehearse.isPending || sign.isPending} disabled={margin?.can_be_signed === false}>
                {margin ? t('contract.sign') : t('contract.check')}
              </Button>
            </Actions>
          </Stack>
        </form>
      </Modal>
    </>
  );
}
