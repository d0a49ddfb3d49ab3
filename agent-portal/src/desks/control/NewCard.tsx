import { Button, NumberInput, TextInput } from '@mantine/core';
import { useState } from 'react';
import { answer, api, type Schemas } from '../../api/client';
import { platformZone } from '../../session/office';
import { typedAmount } from '../../shared/amount';
import { dayIn } from '../../shared/clock';
import { DayInput } from '../../shared/DayInput';
import { Fields } from '../../shared/Lines';
import { useNames } from '../../shared/names';
import { Actions, Panel, Stack } from '../../shared/Page';
import { Failed } from '../../shared/States';
import { useAction } from '../../shared/use-action';
import { bandsOf, bandsText, type blankCard } from './card';
import css from './control.module.css';
import { useControlTexts } from './texts';

type Card = ReturnType<typeof blankCard>;

/** The next version of a card, from what the chosen one says; the first of a currency names it. */
export function NewCard({ from: card, onClose }: { from: Card; onClose: () => void }) {
  const t = useControlTexts();
  const names = useNames();
  const today = dayIn(new Date(), platformZone);
  const [from, setFrom] = useState(today > card.effective_from ? today : card.effective_from);
  const [currency, setCurrency] = useState(card.currency);
  const [late, setLate] = useState<number | string>(card.history_most_late);
  const [grades, setGrades] = useState(() => card.grades.map((one) => ({ ...one, cap_amount: one.cap_amount ?? '' })));
  const [parts, setParts] = useState(() => card.characteristics.map((one) => ({ name: one.name, weight: String(one.weight), missing: String(one.missing_points), bands: bandsText(one.bands) })));
  const adopt = useAction((data: Schemas['AdoptScoreCard'], key) => answer(api.POST('/v1/score_cards', { headers: { 'Idempotency-Key': key }, body: { data } })), onClose);
  const grade = (place: number, part: Partial<(typeof grades)[number]>) => setGrades((before) => before.map((one, index) => (index === place ? { ...one, ...part } : one)));
  const change = (place: number, part: Partial<(typeof parts)[number]>) => setParts((before) => before.map((one, index) => (index === place ? { ...one, ...part } : one)));
  const input = (): Schemas['AdoptScoreCard'] | null => {
    const characteristics: Schemas['ScoreCharacteristic'][] = [];
    for (const one of parts) {
      const bands = bandsOf(one.bands);
      if (!bands || !/^\d{1,4}$/.test(one.weight) || !/^\d{1,3}$/.test(one.missing)) return null;
      characteristics.push({ name: one.name, weight: Number(one.weight), missing_points: Number(one.missing), bands });
    }
    if (late === '' || !/^[A-Z]{3}$/.test(currency) || from < today || grades.some((one) => one.cap_amount && !typedAmount(one.cap_amount))) return null;
    return {
      currency,
      effective_from: from,
      characteristics,
      grades: grades.map((one) => ({ ...one, cap_amount: one.cap_amount ? typedAmount(one.cap_amount) : null })),
      history_most_late: Number(late),
    };
  };
  const ready = input();
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (ready && !adopt.isPending) adopt.mutate(ready);
      }}
    >
      <Stack>
        <Panel title={`${card.effective_from ? t('card.new') : t('card.first')} · ${currency}`} aside={t('card.new_text')}>
          <Fields>
            <DayInput label={t('from')} value={from} onChange={setFrom} />
            {card.effective_from === '' && <TextInput label={t('currency')} value={currency} onChange={(event) => setCurrency(event.currentTarget.value.toUpperCase().slice(0, 3))} />}
            <NumberInput label={t('card.most_late')} value={late} onChange={setLate} min={0} max={100} />
          </Fields>
        </Panel>
        <Panel title={t('card.grades')}>
          <div className={css.rows} data-columns="4">
            {grades.map((one, place) => (
              <div key={place} className={css.row}>
                <TextInput label={t('grade')} value={one.grade} onChange={(event) => grade(place, { grade: event.currentTarget.value })} />
                <NumberInput label={t('grade.from')} value={one.from_points} onChange={(value) => grade(place, { from_points: Number(value) })} min={0} max={1000} />
                <TextInput label={t('grade.multiplier')} value={one.multiplier} onChange={(event) => grade(place, { multiplier: event.currentTarget.value })} inputMode="decimal" />
                <TextInput label={`${t('grade.cap')} (${currency})`} value={one.cap_amount} onChange={(event) => grade(place, { cap_amount: event.currentTarget.value })} inputMode="decimal" />
              </div>
            ))}
          </div>
        </Panel>
        <Panel title={t('card.characteristics')} aside={t('bands.help')}>
          <div className={css.rows}>
            {parts.map((one, place) => (
              <div key={one.name} className={css.row} data-wide>
                <b>{names('characteristic', one.name)}</b>
                <TextInput label={t('weight')} value={one.weight} onChange={(event) => change(place, { weight: event.currentTarget.value })} inputMode="numeric" />
                <TextInput label={t('missing')} value={one.missing} onChange={(event) => change(place, { missing: event.currentTarget.value })} inputMode="numeric" />
                <TextInput label={t('bands')} value={one.bands} onChange={(event) => change(place, { bands: event.currentTarget.value })} error={bandsOf(one.bands) ? undefined : t('bands.wrong')} />
              </div>
            ))}
          </div>
        </Panel>
        {adopt.error && <Failed problem={adopt.error} write />}
        <Actions>
          <Button variant="default" onClick={onClose}>
            {t('cancel')}
          </Button>
          <Button type="submit" disabled={!ready} loading={adopt.isPending}>
            {t('card.adopt')}
          </Button>
        </Actions>
      </Stack>
    </form>
  );
}
