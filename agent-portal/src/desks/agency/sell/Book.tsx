import { Alert, Button } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { answer, api, type Schemas } from '../../../api/client';
import { asProblem, type Problem } from '../../../api/problem';
import { ToButton } from '../../../shared/Link';
import { Money } from '../../../shared/Money';
import { readKept } from '../../../shared/money-write';
import { Countdown, Moment, useRemaining } from '../../../shared/Moment';
import { useNames } from '../../../shared/names';
import { Columns, Facts, Page, Panel, Stack } from '../../../shared/Page';
import { useRead } from '../../../shared/read';
import { Failed, Loaded } from '../../../shared/States';
import { useFilters } from '../../../shared/url';
import css from '../agency.module.css';
import { readDraft } from '../draft';
import { useAgencyTexts } from '../texts';
import { ConfirmSale } from './ConfirmSale';
import { Itinerary } from './Itinerary';
import { blank, type Traveller } from './passengers';
import { Travellers } from './Travellers';

type Offer = Schemas['Offer'];

export default function Book() {
  const { offerId } = useParams({ strict: false }) as { offerId: string };
  const t = useAgencyTexts();
  // Back after paying: what was bought is shown instead of the form.
  const [earlier] = useState(() => readKept(`sell:${offerId}`)?.done);
  const offer = useRead(['offers', offerId], (signal) => api.GET('/air/offers/{id}', { signal, params: { path: { id: offerId } } }), { fresh: 60_000 });
  return (
    <Page title={t('book.title')}>
      {earlier ? <Earlier path={earlier} /> : <Loaded read={offer}>{({ data }) => <Steps key={data.id} offer={data} />}</Loaded>}
    </Page>
  );
}

export function Earlier({ path }: { path: string }) {
  const t = useAgencyTexts();
  return (
    <Alert color="teal" title={t('book.already')}>
      <p>{t('book.already_text')}</p>
      <ToButton to={path} size="xs">
        {t('book.open_order')}
      </ToButton>
    </Alert>
  );
}

function Steps({ offer }: { offer: Offer }) {
  const t = useAgencyTexts();
  const [search, setSearch] = useFilters();
  const [list, setList] = useState<Traveller[]>(() => {
    const kept = readDraft<Traveller[]>(`offer:${offer.id}`);
    return kept && kept.length === offer.passengers.length ? kept : blank(offer.passengers);
  });
  const [refused, setRefused] = useState<ReadonlyMap<string, string>>(new Map());
  const complete = list.every((one) => one.family_name && one.given_name && one.born_on && (one.type !== 'adult' || (one.email && one.phone_number)));
  const step = search.step === 'confirm' && complete ? 'confirm' : 'passengers';

  /** A refusal about a passenger leads back to the field. */
  const onRefused = (problem: Problem) => {
    const about = new Map<string, string>();
    for (const item of problem.items) {
      const match = /^\/data\/passengers\/(\d+)(?:\/(\w+))?/.exec(item.source?.pointer ?? '');
      if (match) about.set(`${match[1]}/${match[2] ?? 'family_name'}`, item.message);
    }
    if (about.size) {
      setRefused(about);
      setSearch({ step: null });
    }
  };

  return (
    <>
      <ol className={css.steps} aria-label={t('book.steps')}>
        <li aria-current={step === 'passengers' ? 'step' : undefined}>{t('book.passengers')}</li>
        <li aria-current={step === 'confirm' ? 'step' : undefined}>{t('book.confirm')}</li>
      </ol>
      <Columns wide="left">
        <Stack>
          {step === 'passengers' ? (
            <Travellers
              offerId={offer.id}
              initial={list}
              documents={offer.passenger_identity_documents_required || offer.supported_passenger_identity_document_types.length > 0}
              refused={refused}
              onDone={(done) => {
                setList(done);
                setRefused(new Map());
                setSearch({ step: 'confirm' });
              }}
            />
          ) : (
            <ConfirmSale offer={offer} list={list} onRefused={onRefused} onBack={() => setSearch({ step: null })} />
          )}
        </Stack>
        <Stack>
          <OfferSide offer={offer} request={search.request} />
        </Stack>
      </Columns>
    </>
  );
}

function OfferSide({ offer, request }: { offer: Offer; request?: string }) {
  const t = useAgencyTexts();
  const names = useNames();
  const left = useRemaining(offer.expires_at);
  const rules = offer.airsettle_rules;
  return (
    <>
      <Panel
        title={offer.owner.name}
        aside={
          left === 0 ? (
            <span>{t('book.expired')}</span>
          ) : (
            <span>
              {t('book.expires_in')} <Countdown until={offer.expires_at} />
            </span>
          )
        }
      >
        <Itinerary slices={offer.slices} />
      </Panel>
      <Panel title={t('book.price')}>
        <Facts
          facts={[
            [t('price.base'), <Money key="b" amount={offer.base_amount} currency={offer.base_currency} />],
            [t('price.tax'), <Money key="t" amount={offer.tax_amount ?? null} currency={offer.tax_currency ?? offer.total_currency} />],
            [t('price.total'), <Money key="s" amount={offer.total_amount} currency={offer.total_currency} strong />],
            [t('book.travellers'), offer.passengers.map((one) => names('passenger', one.type)).join(', ')],
            offer.payment_requirements.payment_required_by
              ? [t('book.hold_until'), <Moment key="h" at={offer.payment_requirements.payment_required_by} />]
              : null,
            rules?.ticketing_by ? [t('book.ticket_by'), <Moment key="k" at={rules.ticketing_by} />] : null,
          ]}
        />
      </Panel>
      {rules && (
        <Panel title={t('book.rules')}>
          <RuleSteps title={t('book.refund_rules')} steps={rules.refund} />
          <RuleSteps title={t('book.change_rules')} steps={rules.change} />
          <p className={css.small}>{t('book.rules_zone', { zone: rules.time_zone })}</p>
        </Panel>
      )}
      {request && (
        <div>
          <ToButton to={`/sell?request=${request}`} variant="default" size="xs">
            {t('book.back_to_offers')}
          </ToButton>
        </div>
      )}
    </>
  );
}

export function RuleSteps({ title, steps }: { title: string; steps: readonly Schemas['RuleStep'][] }) {
  const t = useAgencyTexts();
  if (!steps.length) return null;
  return (
    <div className={css.ruleSteps}>
      <p>{title}</p>
      <ul>
        {steps.map((step, index) => (
          <li key={index}>
            <span>{step.until_local ? t('book.until', { until: step.until_local.replace('T', ' ').slice(0, 16) }) : t('book.after')}</span>
            <span>{!step.allowed ? t('book.not_allowed') : step.penalty_amount ? <Money amount={step.penalty_amount} currency={step.penalty_currency ?? ''} /> : t('book.free')}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Prices the offer again, and says what became different before anything is bought at it. */
export function Reprice({ offer, onPriced }: { offer: Offer; onPriced: () => void }) {
  const t = useAgencyTexts();
  const names = useNames();
  const queries = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [priced, setPriced] = useState<Schemas['OfferPriced'] | null>(null);
  const run = async () => {
    setBusy(true);
    setProblem(null);
    try {
      const { data } = await answer(api.POST('/air/offers/{id}/actions/price', { params: { path: { id: offer.id } }, body: { data: {} } }));
      setPriced(data);
      await queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[1] === 'offers' && queryKey[2] === offer.id });
      onPriced();
    } catch (error) {
      setProblem(asProblem(error));
    }
    setBusy(false);
  };
  const compared = priced?.airsettle_price_change;
  return (
    <>
      {problem && <Failed problem={problem} />}
      {compared && (
        <Alert color={compared.changes.length ? 'yellow' : 'teal'} title={compared.changes.length ? t('reprice.changed') : t('reprice.same')}>
          <Money amount={compared.before.total_amount} currency={compared.before.currency} /> →{' '}
          <Money amount={compared.after.total_amount} currency={compared.after.currency} strong />
          <ul>
            {compared.changes.map((change, index) => (
              <li key={index}>
                {names('priced', change.what)} {change.tax_code}: {change.before} → {change.after}
              </li>
            ))}
          </ul>
        </Alert>
      )}
      <Button size="xs" variant="default" onClick={() => void run()} loading={busy}>
        {t('reprice')}
      </Button>
    </>
  );
}
