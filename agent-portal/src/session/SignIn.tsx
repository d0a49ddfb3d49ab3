import { Alert, Button, PasswordInput, SegmentedControl, TextInput } from '@mantine/core';
import { useEffect, useState } from 'react';
import { useForm } from 'react-hook-form';
import { useErrorText } from '../api/texts';
import { asProblem, type Problem } from '../api/problem';
import { setLanguage, useLanguage, type Language } from '../i18n';
import { check, filled, optional, z } from '../shared/form';
import css from './session.module.css';
import { prefer } from './preferences';
import { signIn } from './session';
import { useSignInTexts } from './texts';

const schema = z.object({
  email: filled('email_missing'),
  password: z.string().check(z.minLength(1, 'password_missing')),
  code: optional,
});

export function SignInForm({ email, onDone }: { email?: string; onDone?: () => void }) {
  const t = useSignInTexts();
  const error = useErrorText();
  const [problem, setProblem] = useState<Problem | null>(null);
  const [needsCode, setNeedsCode] = useState(false);
  const form = useForm({ resolver: check(schema), defaultValues: { email: email ?? '', password: '', code: '' } });
  const { errors, isSubmitting } = form.formState;
  const said = (field: 'email' | 'password' | 'code') => {
    const message = errors[field]?.message as 'email_missing' | 'password_missing' | undefined;
    return message && t(message);
  };

  const submit = form.handleSubmit(async ({ email: address, password, code }) => {
    setProblem(null);
    try {
      await signIn({ email: address, password, ...(code ? { code } : {}) });
      onDone?.();
    } catch (failure) {
      const found = asProblem(failure);
      if (found.code === 'second_factor_required') {
        setNeedsCode(true);
        setTimeout(() => form.setFocus('code'), 0);
        if (!code) return;
      }
      setProblem(found);
    }
  });

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
        error={said('email')}
        {...form.register('email')}
      />
      <PasswordInput
        label={t('password')}
        autoComplete="current-password"
        autoFocus={Boolean(email)}
        required
        withAsterisk={false}
        error={said('password')}
        visibilityToggleButtonProps={{ 'aria-label': t('show_password') }}
        {...form.register('password')}
      />
      {needsCode && (
        <TextInput label={t('code')} description={t('code_help')} autoComplete="one-time-code" inputMode="text" {...form.register('code')} />
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
      <Button type="submit" fullWidth loading={isSubmitting}>
        {t('sign_in')}
      </Button>
    </form>
  );
}

export function LanguageSwitch() {
  const t = useSignInTexts();
  const language = useLanguage();
  return (
    <SegmentedControl
      size="xs"
      aria-label={t('language')}
      value={language}
      onChange={(value) => {
        prefer({ language: value as Language });
        void setLanguage(value as Language);
      }}
      data={[
        { value: 'zh-CN', label: '中文' },
        { value: 'en', label: 'English' },
      ]}
    />
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
        <p className={css.foot}>{t('help')}</p>
      </main>
    </div>
  );
}
