import { Alert, Button, CopyButton } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import css from './shared.module.css';
import { useShared } from './texts';

/** Something that is shown once and never again. */
export function Secret({ label, secret, onSeen }: { label: string; secret: string; onSeen: () => void }) {
  const t = useShared();
  return (
    <Alert color="teal" title={label} role="status">
      <p className={css.problemText}>{t('secret.once')}</p>
      <p>
        <code data-secret>{secret}</code>
      </p>
      <div className={css.actions}>
        <CopyButton value={secret}>
          {({ copied, copy }) => (
            <Button size="xs" onClick={copy} leftSection={copied ? <IconCheck size={14} /> : <IconCopy size={14} />}>
              {copied ? t('copied') : t('copy')}
            </Button>
          )}
        </CopyButton>
        <Button size="xs" variant="default" onClick={onSeen}>
          {t('secret.seen')}
        </Button>
      </div>
    </Alert>
  );
}
