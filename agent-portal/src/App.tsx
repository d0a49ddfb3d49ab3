import { createTheme, MantineProvider, type MantineColorSchemeManager } from '@mantine/core';
import { lazy, Suspense, useEffect } from 'react';
import { prefer, preferences, usePreferences } from './session/preferences';
import { usePresence } from './session/session';
import { letterOf } from './session/letter-kind';
import { SignIn } from './session/SignIn';
import { Unreachable } from './session/Unreachable';

const theme = createTheme({
  primaryColor: 'blue',
  defaultRadius: 'sm',
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    Button: { defaultProps: { size: 'sm' } },
    Modal: { defaultProps: { lockScroll: false } },
    Drawer: { defaultProps: { lockScroll: false } },
    Tooltip: { defaultProps: { withArrow: true, openDelay: 250 } },
    Menu: { defaultProps: { shadow: 'md' } },
    Select: { defaultProps: { checkIconPosition: 'right' } },
  },
});

// The scheme is one of the preferences; Mantine asks for it here.
const scheme: MantineColorSchemeManager = {
  get: () => preferences().scheme,
  set: (value) => prefer({ scheme: value }),
  subscribe: () => {},
  unsubscribe: () => {},
  clear: () => {},
};

const Letter = lazy(() => import('./session/Letter'));
const Shell = lazy(() => import('./shell/Shell'));

export function App() {
  const presence = usePresence();
  const { density } = usePreferences();
  const letter = presence.state === 'nobody' ? letterOf(location.pathname) : null;
  useEffect(() => {
    document.documentElement.dataset.density = density;
  }, [density]);
  return (
    // Neither variables nor classes are written into the page by script: they come with the style sheets.
    <MantineProvider theme={theme} colorSchemeManager={scheme} defaultColorScheme="auto" withCssVariables={false} withGlobalClasses={false}>
      {letter && (
        <Suspense>
          <Letter kind={letter} />
        </Suspense>
      )}
      {presence.state === 'nobody' && !letter && <SignIn />}
      {presence.state === 'unreachable' && <Unreachable problem={presence.problem} />}
      {(presence.state === 'here' || presence.state === 'ended') && (
        <Suspense>
          <Shell />
        </Suspense>
      )}
    </MantineProvider>
  );
}
