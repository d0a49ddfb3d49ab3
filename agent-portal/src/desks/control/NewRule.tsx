import { Checkbox, NumberInput, Select, TextInput } from '@mantine/core';
import { useState } from 'react';
import { answer, api, type Schemas } from '../../api/client';
import { platformZone } from '../../session/office';
import { typedAmount } from '../../shared/amount';
import { Ask } from '../../shared/Ask';
import { dayIn } from '../../shared/clock';
import { DayInput } from '../../shared/DayInput';
import { Fields } from '../../shared/Lines';
import { useNames } from '../../shared/names';
import { useAction } from '../../shared/use-action';
import { useControlTexts } from './texts';

type Rule = Schemas['VelocityRule'];
type Adopt = Schemas['AdoptVelocityRule'];
const modes: readonly Rule['mode'][] = ['shadow', 'refuse', 'freeze', 'off'];
const subjects: readonly Rule['subject'][] = ['agency', 'key', 'airline', 'route'];

/** A new rule, or the next version of one: what is in force stays as it was until its first day. */
export function NewRule({ label, given, small }: { label: string; given?: Rule; small?: boolean }) {
  const t = useControlTexts();
  const names = useNames();
  const today = dayIn(new Date(), platformZone);
  const [code, setCode] = useState(given?.code ?? '');
  const [mode, setMode] = useState<Rule['mode']>(given?.mode ?? 'shadow');
  const [subject, setSubject] = useState<Rule['subject']>(given?.subject ?? 'agency');
  const [measure, setMeasure] = useState<Rule['measure']>(given?.measure ?? 'tickets');
  const [most, setMost] = useState(given?.most ?? '');
  const [currency, setCurrency] = useState(given?.currency ?? 'CNY');
  const [window, setWindow] = useState<number | string>(given?.window_minutes ?? 60);
  const [factor, setFactor] = useState(given?.usual_factor ?? '');
  const [from, setFrom] = useState(today);
  const [hours, setHours] = useState(given?.only.hours?.join('-') ?? '');
  const [departs, setDeparts] = useState<number | string>(given?.only.departs_within_minutes ?? '');
  const [price, setPrice] = useState(given?.only.price_from_amount ?? '');
  const [newRoute, setNewRoute] = useState(given?.only.new_route ?? false);
  const adopt = useAction((data: Adopt, key) => answer(api.POST('/v1/velocity_rules', { headers: { 'Idempotency-Key': key }, body: { data } })));
  const top = measure === 'amount' ? typedAmount(most) : /^\d{1,9}$/.test(most.trim()) ? most.trim() : null;
  const priced = price.trim() ? typedAmount(price) : null;
  const clock = /^(\d{1,2})-(\d{1,2})$/.exec(hours.trim());
  const ready =
    /^[a-z0-9_]{1,40}$/.test(code) && top !== null && Number(window) >= 1 && Number(window) <= 1440 && from >= today && (!hours.trim() || clock) && (!price.trim() || priced) && (!factor.trim() || /^\d+(\.\d+)?$/.test(factor.trim()));
  const input = (): Adopt | null =>
    ready
      ? {
          code,
          mode,
          subject,
          measure,
          most: top,
          window_minutes: Number(window),
          effective_from: from,
          ...(measure === 'amount' || priced ? { currency } : {}),
          ...(factor.trim() ? { usual_factor: factor.trim() } : {}),
          only: {
            ...(clock ? { hours: [Number(clock[1]), Number(clock[2])] } : {}),
            ...(departs !== '' ? { departs_within_minutes: Number(departs) } : {}),
            ...(priced ? { price_from_amount: priced } : {}),
            ...(newRoute ? { new_route: true } : {}),
          },
        }
      : null;
  return (
    <Ask label={label} title={label} action={adopt} input={input} size={small ? 'compact-xs' : 'xs'}>
      <Fields>
        <TextInput label={t('rule.code')} description={t('rule.code_help')} value={code} onChange={(event) => setCode(event.currentTarget.value)} disabled={Boolean(given)} data-autofocus />
        <Select label={t('mode')} data={modes.map((value) => ({ value, label: names('velocity_mode', value) }))} value={mode} onChange={(value) => value && setMode(value as Rule['mode'])} allowDeselect={false} />
        <Select label={t('subject')} data={subjects.map((value) => ({ value, label: names('velocity_subject', value) }))} value={subject} onChange={(value) => value && setSubject(value as Rule['subject'])} allowDeselect={false} />
        <Select label={t('measure')} data={(['tickets', 'amount'] as const).map((value) => ({ value, label: names('velocity_measure', value) }))} value={measure} onChange={(value) => value && setMeasure(value as Rule['measure'])} allowDeselect={false} />
        <TextInput label={t('most')} value={most} onChange={(event) => setMost(event.currentTarget.value)} inputMode="decimal" />
        <NumberInput label={t('window_minutes')} value={window} onChange={setWindow} min={1} max={1440} />
        {(measure === 'amount' || price) && <TextInput label={t('currency')} value={currency} onChange={(event) => setCurrency(event.currentTarget.value.toUpperCase().slice(0, 3))} />}
        <TextInput label={t('usual')} description={t('usual.help')} value={factor} onChange={(event) => setFactor(event.currentTarget.value)} inputMode="decimal" />
        <TextInput label={t('only.hours_label')} description={t('only.hours_help')} value={hours} onChange={(event) => setHours(event.currentTarget.value)} placeholder="22-6" />
        <NumberInput label={t('only.departs_label')} value={departs} onChange={setDeparts} min={1} />
        <TextInput label={t('only.price_label')} value={price} onChange={(event) => setPrice(event.currentTarget.value)} inputMode="decimal" />
        <DayInput label={t('from')} value={from} onChange={setFrom} />
        <div data-whole>
          <Checkbox label={t('only.new_route')} checked={newRoute} onChange={(event) => setNewRoute(event.currentTarget.checked)} />
        </div>
      </Fields>
    </Ask>
  );
}
