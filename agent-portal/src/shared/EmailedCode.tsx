import { Alert, Button, TextInput } from '@mantine/core';
import { IconCheck, IconMail } from '@tabler/icons-react';
import { useState } from 'react';
import { answer, api, type Schemas } from '../api/client';
import type { Problem } from '../api/problem';
import { useMutation } from '@tanstack/react-query';
import { Countdown } from './Moment';
import type { MoneyWrite } from './money-write';
import { Failed, ProblemText, Waiting } from './States';
import css from './shared.module.css';
import { useShared } from './texts';

interface CodeProps<T, B> {
  write: MoneyWrite<T, B>;
  body: () => B;
  submitLabel: string;
  busy: boolean;
}

/** The second step of a large payment: a code that comes by e-mail, for exactly this payment. Nothing was paid before it. */
export function EmailedCode<T, B>({ write, body, submitLabel, busy }: CodeProps<T, B>) {
  const t = useShared();
  const [code, setCode] = useState('');
  const ask = useMutation<Schemas['MoneyConfirmation'], Problem, Schemas['AskToConfirm']>({
    mutationFn: async (data) => (await answer(api.POST('/v1/confirmations', { body: { data } }))).data,
    onSuccess: () => setCode(''),
  });
  const wrong = write.phase.at === 'code' && write.phase.problem.code === 'confirmation_invalid' ? write.phase.problem : null;
  const about = write.toConfirm(body());
  if (!about) return null;
  return (
    <Alert color="blue" icon={<IconMail size={18} />} title={t('code.title')} data-code>
      <p className={css.problemText}>{t('code.text')}</p>
      {wrong && (
        <div role="alert">
          <ProblemText problem={wrong} />
        </div>
      )}
      {ask.error && <Failed problem={ask.error} />}
      {ask.isPending && <Waiting>{t('code.sending')}</Waiting>}
      {!ask.data && !ask.isPending && (
        <div className={css.actions}>
          <Button size="xs" onClick={() => ask.mutate(about)} leftSection={<IconMail size={14} />}>
            {t('code.send')}
          </Button>
        </div>
      )}
      {ask.data && !ask.isPending && (
        <form
          className={css.stack}
          onSubmit={(event) => {
            event.preventDefault();
            if (/^\d{8}$/.test(code) && !busy) write.submit(body(), `${ask.data.id} ${code}`);
          }}
        >
          <p className={css.problemText}>
            {t('code.sent', { email: ask.data.email })} <Countdown until={ask.data.expires_at} />
          </p>
          <TextInput
            label={t('code.label')}
            value={code}
            onChange={(event) => setCode(event.currentTarget.value.replace(/\D/g, '').slice(0, 8))}
            inputMode="numeric"
            autoComplete="one-time-code"
            data-autofocus
          />
          <div className={css.actions}>
            <Button variant="default" onClick={() => ask.mutate(about)} disabled={busy}>
              {t('code.again')}
            </Button>
            <Button type="submit" disabled={!/^\d{8}$/.test(code)} loading={busy} leftSection={<IconCheck size={16} />} data-confirm>
              {submitLabel}
            </Button>
          </div>
        </form>
      )}
    </Alert>
  );
}
