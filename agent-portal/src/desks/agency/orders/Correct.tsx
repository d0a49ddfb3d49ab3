import { Button, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useForm } from 'react-hook-form';
import { answer, api, type Schemas } from '../../../api/client';
import type { Problem } from '../../../api/problem';
import { check, filled, optional, z } from '../../../shared/form';
import { useGo } from '../../../shared/Link';
import { Actions, Panel } from '../../../shared/Page';
import { Empty, Failed } from '../../../shared/States';
import css from '../agency.module.css';
import { useAgencyTexts } from '../texts';
import { Wizard } from './Wizard';

const schema = z.object({
  family_name: filled('pax.family_missing'),
  given_name: filled('pax.given_missing'),
  email: optional.check(z.regex(/^$|^[^@\s]+@[^@\s]+\.[^@\s]+$/, 'pax.email_wrong')),
  phone_number: optional.check(z.regex(/^$|^\+[1-9]\d{6,14}$/, 'pax.phone_wrong')),
});

export default function Correct() {
  const t = useAgencyTexts();
  const { passengerId } = useParams({ strict: false }) as { passengerId: string };
  return (
    <Wizard title={t('correct.title')}>
      {(order) => {
        const passenger = order.passengers.find((one) => one.id === passengerId);
        return passenger ? <Form order={order} passenger={passenger} /> : <Empty title={t('correct.nobody')} />;
      }}
    </Wizard>
  );
}

function Form({ order, passenger }: { order: Schemas['Order']; passenger: Schemas['OrderPassenger'] }) {
  const t = useAgencyTexts();
  const go = useGo();
  const queries = useQueryClient();
  const form = useForm({
    resolver: check(schema),
    defaultValues: {
      family_name: passenger.family_name,
      given_name: passenger.given_name,
      email: passenger.email ?? '',
      phone_number: passenger.phone_number ?? '',
    },
  });
  const save = useMutation<unknown, Problem, z.infer<typeof schema>>({
    mutationFn: (values) => {
      // Only what was changed is said.
      const changed = Object.fromEntries(
        Object.entries(values).filter(([name, value]) => value !== ((passenger as Record<string, unknown>)[name] ?? '')),
      );
      return answer(
        api.PATCH('/air/orders/{id}/passengers/{passenger_id}', {
          params: { path: { id: order.id, passenger_id: passenger.id } },
          body: { data: changed },
        }),
      );
    },
    onSuccess: async () => {
      await queries.invalidateQueries();
      go(`/orders/${order.id}`);
    },
  });
  const said = (field: keyof z.infer<typeof schema>) => {
    const message = form.formState.errors[field]?.message;
    return message ? t(message as 'pax.family_missing') : save.error?.about(field)?.message;
  };
  return (
    <Panel title={t('correct.title')}>
      <form className={css.formGrid} noValidate onSubmit={form.handleSubmit((values) => save.mutate(values))}>
        <p className={css.small}>{order.documents.length ? t('correct.after_issue') : t('correct.before_issue')}</p>
        <TextInput label={t('pax.family')} dir="auto" error={said('family_name')} {...form.register('family_name')} />
        <TextInput label={t('pax.given')} dir="auto" error={said('given_name')} {...form.register('given_name')} />
        <TextInput label={t('pax.phone')} inputMode="tel" error={said('phone_number')} {...form.register('phone_number')} />
        <TextInput label={t('pax.email')} inputMode="email" error={said('email')} {...form.register('email')} />
        {save.error && <Failed problem={save.error} write />}
        <Actions>
          <Button type="submit" loading={save.isPending} disabled={!form.formState.isDirty}>
            {t('correct.save')}
          </Button>
        </Actions>
      </form>
    </Panel>
  );
}
