import { ActionIcon, Drawer, Kbd, Modal } from '@mantine/core';
import { IconMenu2, IconSearch } from '@tabler/icons-react';
import { Outlet, useLocation } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useMemo, useState } from 'react';
import { usePreferences } from '../session/preferences';
import { usePresence, useSession } from '../session/session';
import { To } from '../shared/Link';
import { HeaderTools } from './HeaderTools';
import { LiveUpdates } from './LiveUpdates';
import { Navigation } from './Navigation';
import { Palette } from './Palette';
import { desksOf } from './screens';
import css from './shell.module.css';
import { Shortcuts } from './Shortcuts';
import { useShell } from './texts';
import { useShortcuts } from './use-shortcuts';

const SignInAgain = lazy(() => import('./SignInAgain'));

export function Frame() {
  const t = useShell();
  const session = useSession();
  const presence = usePresence();
  const { mode } = usePreferences();
  const { pathname } = useLocation();
  const [navigation, setNavigation] = useState(false);
  const [palette, setPalette] = useState(false);
  const [help, setHelp] = useState(false);
  const headers = useMemo(
    () => desksOf(session).flatMap((desk) => (desk.header?.allows(session) ? [lazy(desk.header.load)] : [])),
    [session],
  );
  useShortcuts({ palette: () => setPalette(true), help: () => setHelp(true) });
  useEffect(() => setNavigation(false), [pathname]);
  // A reader of the screen hears a new page from its beginning.
  useEffect(() => {
    document.getElementById('content')?.focus({ preventScroll: true });
  }, [pathname]);

  return (
    <div className={css.frame} data-mode={mode}>
      <a className={css.skip} href="#content">
        {t('skip')}
      </a>
      <header className={css.header}>
        <ActionIcon className={css.burger} variant="subtle" color="gray" aria-label={t('menu')} onClick={() => setNavigation(true)}>
          <IconMenu2 size={20} />
        </ActionIcon>
        <To to="/" className={css.brand} underline="never">
          <img src="/mark.svg" width={24} height={24} alt="Airsettle" />
          <span aria-hidden>Airsettle</span>
        </To>
        <button type="button" className={css.search} onClick={() => setPalette(true)} aria-label={`${t('search')} /`} aria-keyshortcuts="Control+K /">
          <IconSearch size={15} aria-hidden />
          <span className={css.searchText}>{t('search')}</span>
          <Kbd size="xs" aria-hidden>
            /
          </Kbd>
        </button>
        <div className={css.headerRest}>
          <Suspense>
            {headers.map((Header, index) => (
              <Header key={index} />
            ))}
          </Suspense>
          <HeaderTools onHelp={() => setHelp(true)} />
        </div>
      </header>
      {mode === 'test' && (
        <p className={css.testBanner} role="note">
          {t('mode.test_banner')}
        </p>
      )}
      <aside className={css.side}>
        <Navigation session={session} />
      </aside>
      <Drawer opened={navigation} onClose={() => setNavigation(false)} title={session.organisation.name} size={280} closeButtonProps={{ 'aria-label': t('menu') }}>
        <Navigation session={session} />
      </Drawer>
      <main className={css.main} id="content" tabIndex={-1}>
        <LiveUpdates />
        <Suspense>
          <Outlet />
        </Suspense>
      </main>
      <Palette opened={palette} close={() => setPalette(false)} />
      <Shortcuts opened={help} close={() => setHelp(false)} />
      <Modal
        opened={presence.state === 'ended'}
        onClose={() => {}}
        withCloseButton={false}
        closeOnEscape={false}
        closeOnClickOutside={false}
        title={t('ended')}
        zIndex={500}
      >
        <p>{t('ended_text')}</p>
        <Suspense>
          <SignInAgain />
        </Suspense>
      </Modal>
    </div>
  );
}
