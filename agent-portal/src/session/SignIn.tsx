import { Alert, Button, PasswordInput, TextInput } from '@mantine/core';
import { useEffect, useRef, useState, type FormEvent } from 'react';
import { useErrorText } from '../api/texts';
import { asProblem, type Problem } from '../api/problem';
import { setLanguage, useLanguage, type Language } from '../i18n';
import css from './session.module.css';
import { prefer } from './preferences';
import { signIn } from './session';
import { useSignInTexts } from './texts';

/** Three fields that the server judges: no form library, so that the first page is small. */
export function SignInForm({ email, onDone }: { email?: string; onDone?: () => void }) {
  const t = useSignInTexts();
  const error = useErrorText();
  const [values, setValues] = useState({ email: email ?? '', password: '', code: '' });
  const [problem, setProblem] = useState<Problem | null>(null);
  const [needsCode, setNeedsCode] = useState(false);
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const codeField = useRef<HTMLInputElement>(null);
  const set = (field: keyof typeof values) => (event: { currentTarget: { value: string } }) => {
    const { value } = event.currentTarget;
    setValues((before) => ({ ...before, [field]: value }));
  };

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    setProblem(null);
    if (busy || !values.email.trim() || !values.password) return;
    setBusy(true);
    const code = values.code.trim();
    try {
      await signIn({ email: values.email.trim(), password: values.password, ...(code ? { code } : {}) });
      onDone?.();
    } catch (failure) {
      const found = asProblem(failure);
      if (found.code === 'second_factor_required') {
        setNeedsCode(true);
        setTimeout(() => codeField.current?.focus(), 0);
      }
      if (found.code !== 'second_factor_required' || code) setProblem(found);
    }
    setBusy(false);
  };

  return (
    <form onSubmit={submit} noValidate className={css.form}>
      <TextInput
        label={t('email')}
        type="email"
        autoComplete="username"
        autoFocus={!email}
        readOnly={Boolean(email)}
        required
        withAsterisk={false}
        error={tried && !values.email.trim() && t('email_missing')}
        value={values.email}
        onChange={set('email')}
      />
      <PasswordInput
        label={t('password')}
        autoComplete="current-password"
        autoFocus={Boolean(email)}
        required
        withAsterisk={false}
        error={tried && !values.password && t('password_missing')}
        value={values.password}
        onChange={set('password')}
        visibilityToggleButtonProps={{ 'aria-label': t('show_password') }}
      />
      {needsCode && (
        <TextInput
          ref={codeField}
          label={t('code')}
          description={t('code_help')}
          autoComplete="one-time-code"
          value={values.code}
          onChange={set('code')}
        />
      )}
      {problem && (
        <Alert color={problem.outcome === 'unknown' ? 'red' : 'orange'} role="alert">
          {error(problem.code, problem.first)} {problem.retryAfter && t('locked_for', { seconds: problem.retryAfter })}
          {problem.requestId && (
            <div className={css.request}>
              {t('request')} <code>{problem.requestId}</code>
            </div>
          )}
        </Alert>
      )}
      <Button type="submit" fullWidth loading={busy}>
        {t('sign_in')}
      </Button>
    </form>
  );
}

const offered: [Language, string][] = [
  ['zh-CN', '中文'],
  ['en', 'English'],
];

export function LanguageSwitch() {
  const t = useSignInTexts();
  const language = useLanguage();
  return (
    <div className={css.languages} role="group" aria-label={t('language')}>
      {offered.map(([value, name]) => (
        <button
          key={value}
          type="button"
          lang={value}
          aria-pressed={language === value}
          onClick={() => {
            prefer({ language: value });
            void setLanguage(value);
          }}
        >
          {name}
        </button>
      ))}
    </div>
  );
}

export function SignIn() {
  const t = useSignInTexts();
  useEffect(() => {
    document.title = `${t('sign_in')} · Airsettle`;
  }, [t]);
  return (
    <div className={css.screen}>
      <div className={css.corner}>
        <LanguageSwitch />
      </div>
      <main className={css.card}>
        <div className={css.brand}>
          <img src="/mark.svg" alt="" width={34} height={34} />
          <div>
            <h1>Airsettle</h1>
            <p>{t('lead')}</p>
          </div>
        </div>
        <SignInForm />
        <p className={css.foot}>
          <a href="/forgotten-password">{t('forgotten')}</a>
          <br />
          {t('help')}
        </p>
      </main>
    </div>
  );
}
