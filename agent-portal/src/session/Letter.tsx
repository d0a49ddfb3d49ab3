import { Alert, Button, PasswordInput, TextInput } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { asProblem, type Problem } from '../api/problem';
import { useErrorText } from '../api/texts';
import { useLanguage } from '../i18n';
import css from './session.module.css';
import { ask } from './session';
import type { LetterKind } from './letter-kind';
import { LanguageSwitch } from './SignIn';
import { useSignInTexts } from './texts';

export default function Letter({ kind }: { kind: LetterKind }) {
  const t = useSignInTexts();
  const error = useErrorText();
  const language = useLanguage();
  const [name, setName] = useState('');
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [busy, setBusy] = useState(false);
  const [done, setDone] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const token = location.hash.slice(1);
  const complete = kind === 'forgotten' ? email.trim() : kind === 'invitation' ? name.trim() && password : password;
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy || !complete) return;
    setBusy(true);
    setProblem(null);
    try {
      if (kind === 'invitation') await ask('POST', '/v1/invitations/actions/accept', { token, name: name.trim(), password, locale: language });
      else if (kind === 'reset') await ask('POST', '/v1/password_resets/actions/complete', { token, password });
      else await ask('POST', '/v1/password_resets', { email: email.trim() });
      setDone(true);
      history.replaceState(null, '', location.pathname);
    } catch (failure) {
      setProblem(asProblem(failure));
    }
    setBusy(false);
  };
  return (
    <div className={css.screen}>
      <div className={css.corner}>
        <LanguageSwitch />
      </div>
      <main className={css.card}>
        <h1 className={css.title}>{t(`letter.${kind}`)}</h1>
        {done ? (
          <p role="status">{t(`letter.${kind}_done`)}</p>
        ) : (
          <form className={css.form} onSubmit={submit} noValidate>
            {kind === 'invitation' && <TextInput label={t('name')} autoComplete="name" value={name} onChange={(event) => setName(event.currentTarget.value)} autoFocus />}
            {kind === 'forgotten' && <TextInput label={t('email')} type="email" autoComplete="username" value={email} onChange={(event) => setEmail(event.currentTarget.value)} autoFocus />}
            {kind !== 'forgotten' && (
              <PasswordInput
                label={t('password_new')}
                autoComplete="new-password"
                value={password}
                onChange={(event) => setPassword(event.currentTarget.value)}
                visibilityToggleButtonProps={{ 'aria-label': t('show_password') }}
              />
            )}
            {problem && (
              <Alert color="orange" role="alert">
                {error(problem.code, problem.first)}
              </Alert>
            )}
            <Button type="submit" loading={busy} disabled={!complete}>
              {t('letter.send')}
            </Button>
          </form>
        )}
        <p className={css.foot}>
          <a href="/">{t('sign_in')}</a>
        </p>
      </main>
    </div>
  );
}
