import { Button, Select, TextInput } from '@mantine/core';
import { useEffect } from 'react';
import { Controller, useForm } from 'react-hook-form';
import { useNames } from '../../../shared/names';
import { Panel } from '../../../shared/Page';
import { check } from '../../../shared/form';
import css from '../agency.module.css';
import { keepDraft } from '../draft';
import { useAgencyTexts } from '../texts';
import { dashed, travellers, type Traveller } from './passengers';

interface Props {
  offerId: string;
  initial: Traveller[];
  documents: boolean;
  /** What the server said about a passenger's field: `0/born_on` -> sentence. */
  refused: ReadonlyMap<string, string>;
  onDone: (list: Traveller[]) => void;
}

export function Travellers({ offerId, initial, documents, refused, onDone }: Props) {
  const t = useAgencyTexts();
  const names = useNames();
  const form = useForm({ resolver: check(travellers), defaultValues: { passengers: initial } });
  const { errors } = form.formState;
  useEffect(() => {
    const kept = form.watch((value) => keepDraft(`offer:${offerId}`, value.passengers));
    return () => kept.unsubscribe();
  }, [form, offerId]);

  const said = (index: number, field: keyof Traveller) => {
    const message = errors.passengers?.[index]?.[field]?.message;
    return message ? t(message as 'pax.family_missing') : refused.get(`${index}/${field}`);
  };
  const submit = form.handleSubmit(
    ({ passengers }) => onDone(passengers),
    () => setTimeout(() => document.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus(), 0),
  );

  return (
    <form onSubmit={submit} noValidate className={css.travellers}>
      {initial.map((one, index) => {
        const field = (name: keyof Traveller) => form.register(`passengers.${index}.${name}`);
        return (
          <Panel key={one.id} title={`${index + 1}. ${names('passenger', one.type)}`}>
            <fieldset className={css.traveller} aria-label={`${index + 1}. ${names('passenger', one.type)}`}>
              <Controller
                control={form.control}
                name={`passengers.${index}.title`}
                render={({ field: { value, onChange, ref } }) => (
                  <Select
                    ref={ref}
                    wrapperProps={{ 'data-short': true }}
                    label={t('pax.title')}
                    data={['mr', 'ms', 'mrs', 'miss', 'dr'].map((title) => ({ value: title, label: names('title', title) }))}
                    value={value}
                    allowDeselect={false}
                    error={said(index, 'title')}
                    onChange={(title) => {
                      onChange(title);
                      if (title === 'mr') form.setValue(`passengers.${index}.gender`, 'm');
                      if (title === 'ms' || title === 'mrs' || title === 'miss') form.setValue(`passengers.${index}.gender`, 'f');
                    }}
                  />
                )}
              />
              <TextInput label={t('pax.family')} dir="auto" autoComplete="off" spellCheck={false} error={said(index, 'family_name')} {...field('family_name')} autoFocus={index === 0} />
              <TextInput label={t('pax.given')} dir="auto" autoComplete="off" spellCheck={false} error={said(index, 'given_name')} {...field('given_name')} />
              <Controller
                control={form.control}
                name={`passengers.${index}.gender`}
                render={({ field: { value, onChange, ref } }) => (
                  <Select
                    ref={ref}
                    wrapperProps={{ 'data-short': true }}
                    label={t('pax.gender')}
                    data={['m', 'f'].map((gender) => ({ value: gender, label: names('gender', gender) }))}
                    value={value}
                    onChange={onChange}
                    allowDeselect={false}
                    error={said(index, 'gender')}
                  />
                )}
              />
              <Controller
                control={form.control}
                name={`passengers.${index}.born_on`}
                render={({ field: { value, onChange, onBlur, ref } }) => (
                  <TextInput
                    ref={ref}
                    label={t('pax.born')}
                    placeholder="YYYY-MM-DD"
                    inputMode="numeric"
                    autoComplete="off"
                    value={value}
                    onBlur={onBlur}
                    onChange={(event) => onChange(dashed(event.currentTarget.value))}
                    error={said(index, 'born_on')}
                  />
                )}
              />
              {one.type !== 'infant_without_seat' && (
                <>
                  <TextInput label={t('pax.phone')} placeholder="+8613800138000" inputMode="tel" autoComplete="off" error={said(index, 'phone_number')} {...field('phone_number')} />
                  <TextInput label={t('pax.email')} inputMode="email" autoComplete="off" error={said(index, 'email')} {...field('email')} />
                </>
              )}
              {documents && (
                <>
                  <TextInput label={t('pax.document')} autoComplete="off" error={said(index, 'document')} {...field('document')} />
                  <TextInput label={t('pax.document_country')} maxLength={2} autoComplete="off" error={said(index, 'document_country')} {...field('document_country')} />
                  <TextInput label={t('pax.document_expires')} placeholder="YYYY-MM-DD" autoComplete="off" error={said(index, 'document_expires')} {...field('document_expires')} />
                </>
              )}
            </fieldset>
          </Panel>
        );
      })}
      <div className={css.formEnd}>
        <Button type="submit">{t('book.to_confirm')}</Button>
      </div>
    </form>
  );
}
