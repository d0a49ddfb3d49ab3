import { Kbd, Modal } from '@mantine/core';
import { textsOf } from '../i18n';
import { useSession } from '../session/session';
import { screensOf } from './screens';
import css from './shell.module.css';
import { useShell } from './texts';

export function Shortcuts({ opened, close }: { opened: boolean; close: () => void }) {
  const t = useShell();
  const session = useSession();
  const letters = screensOf(session).filter((screen) => screen.entry?.letter);
  return (
    <Modal opened={opened} onClose={close} title={t('shortcuts')} size="lg" closeButtonProps={{ 'aria-label': t('shortcuts.close') }}>
      <dl className={css.keys}>
        <dt>
          <Kbd>Ctrl</Kbd> / <Kbd>⌘</Kbd> <Kbd>K</Kbd>
        </dt>
        <dd>{t('shortcuts.palette')}</dd>
        <dt>
          <Kbd>/</Kbd>
        </dt>
        <dd>{t('shortcuts.search')}</dd>
        <dt>
          <Kbd>?</Kbd>
        </dt>
        <dd>{t('shortcuts.help')}</dd>
        <dt>
          <Kbd>Esc</Kbd>
        </dt>
        <dd>{t('shortcuts.close')}</dd>
        <dt>
          <Kbd>g</Kbd>
        </dt>
        <dd>{t('shortcuts.go')}</dd>
        {letters.map(({ entry, path, texts }) => (
          <div key={path} className={css.letter}>
            <dt>
              <Kbd>g</Kbd> <Kbd>{entry!.letter}</Kbd>
            </dt>
            <dd>{textsOf<Record<string, string>>(texts)(entry!.label)}</dd>
          </div>
        ))}
      </dl>
    </Modal>
  );
}
