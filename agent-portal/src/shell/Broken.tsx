import { Button } from '@mantine/core';
import { ToButton } from '../shared/Link';
import { Page } from '../shared/Page';
import { useShell } from './texts';

export function Broken() {
  const t = useShell();
  return (
    <Page title={t('broken')} narrow>
      <p role="alert">{t('broken_text')}</p>
      <div>
        <Button onClick={() => location.reload()}>{t('reload')}</Button>
      </div>
    </Page>
  );
}

export function Missing() {
  const t = useShell();
  return (
    <Page title={t('not_found')} narrow>
      <p>{t('not_found_text')}</p>
      <div>
        <ToButton to="/">{t('home')}</ToButton>
      </div>
    </Page>
  );
}
