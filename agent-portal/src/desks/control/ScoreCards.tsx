import { Button } from '@mantine/core';
import { useState } from 'react';
import { api, type Schemas } from '../../api/client';
import { useSession } from '../../session/session';
import { Grid } from '../../shared/Grid';
import { Money } from '../../shared/Money';
import { Moment } from '../../shared/Moment';
import { useNames } from '../../shared/names';
import { Columns, Facts, Page, Panel, Stack, State } from '../../shared/Page';
import { useRead } from '../../shared/read';
import { Empty, Loaded } from '../../shared/States';
import { useFilters } from '../../shared/url';
import { bandText, blankCard } from './card';
import { NewCard } from './NewCard';
import { useControlTexts } from './texts';

type Card = Schemas['ScoreCard'];

/** By which points agencies are decided: the versions of the card, and what one of them says. */
export default function ScoreCards() {
  const t = useControlTexts();
  const { permissions } = useSession();
  const [filters, change] = useFilters();
  const [writing, setWriting] = useState(false);
  const read = useRead(['score_cards'], (signal) => api.GET('/v1/score_cards', { signal, params: { query: { limit: 100 } } }));
  const cards = read.data?.data ?? [];
  const chosen = cards.find((one) => one.id === filters.card) ?? cards[0];
  return (
    <Page
      title={t('cards')}
      lead={t('cards.lead')}
      actions={
        permissions.includes('finance:write') &&
        !writing && (
          <Button size="xs" onClick={() => setWriting(true)}>
            {chosen ? t('card.new') : t('card.first')}
          </Button>
        )
      }
    >
      <Loaded read={read}>
        {({ data }) => {
          if (writing) return <NewCard from={chosen ?? blankCard('CNY')} onClose={() => setWriting(false)} />;
          if (!chosen) return <Empty title={t('cards.none')} />;
          return (
            <Columns wide="left">
              <CardView card={chosen} />
              <Panel title={t('card.versions')} tight>
                <Grid
                  label={t('card.versions')}
                  empty={t('cards.none')}
                  head={[t('card.version'), t('from'), t('adopted')]}
                  rows={data.map((one) => ({
                    key: one.id,
                    cells: [
                      <Button key="v" size="compact-xs" variant={one.id === chosen.id ? 'filled' : 'default'} onClick={() => change({ card: one.id })} aria-pressed={one.id === chosen.id}>
                        {one.currency} · {t('version', { version: one.version })}
                      </Button>,
                      one.effective_from,
                      <Moment key="c" at={one.created_at} />,
                    ],
                  }))}
                />
              </Panel>
            </Columns>
          );
        }}
      </Loaded>
    </Page>
  );
}

function CardView({ card }: { card: Card }) {
  const t = useControlTexts();
  const names = useNames();
  return (
    <Stack>
      <Panel title={`${card.currency} · ${t('version', { version: card.version })}`}>
        <Facts
          columns={2}
          facts={[
            [t('from'), card.effective_from],
            [t('card.most_late'), card.history_most_late],
          ]}
        />
      </Panel>
      <Panel title={t('card.grades')} tight>
        <Grid
          label={t('card.grades')}
          empty={t('cards.none')}
          head={[t('grade'), { text: t('grade.from'), end: true }, { text: t('grade.multiplier'), end: true }, { text: t('grade.cap'), end: true }]}
          rows={card.grades.map((one) => ({
            key: one.grade,
            cells: [
              <State key="g" tone="busy">
                {one.grade}
              </State>,
              one.from_points,
              one.multiplier,
              one.cap_amount ? <Money key="c" amount={one.cap_amount} currency={card.currency} /> : '–',
            ],
          }))}
        />
      </Panel>
      <Panel title={t('card.characteristics')} tight>
        <Grid
          label={t('card.characteristics')}
          empty={t('cards.none')}
          head={[t('characteristic'), { text: t('weight'), end: true }, { text: t('missing'), end: true }, t('bands')]}
          rows={card.characteristics.map((one) => ({
            key: one.name,
            cells: [names('characteristic', one.name), one.weight, one.missing_points, one.bands.map(bandText).join('   ')],
          }))}
        />
      </Panel>
    </Stack>
  );
}
