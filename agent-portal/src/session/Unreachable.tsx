import { Button } from '@mantine/core';
import type { Problem } from '../api/problem';
import { useErrorText } from '../api/texts';
import css from './session.module.css';
import { findSession } from './session';
import { useSignInTexts } from './texts';

export function Unreachable({ problem }: { problem: Problem }) {
  const t = useSignInTexts();
  const error = useErrorText();
  return (
    <div className={css.screen}>
      <main className={css.card}>
        <h1 className={css.title}>{t('unreachable')}</h1>
        <p>{error(problem.code, problem.first)}</p>
        {problem.requestId && (
          <p className={css.request}>
            {t('request')} <code>{problem.requestId}</code>
          </p>
        )}
        <Button onClick={() => void findSession()}>{t('again')}</Button>
      </main>
    </div>
  );
}
