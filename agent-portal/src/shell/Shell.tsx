import { Notifications } from '@mantine/notifications';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { asProblem } from '../api/problem';
import { useLanguage } from '../i18n';
import { loadTexts } from '../i18n';
import { usePreferences } from '../session/preferences';
import { useSession } from '../session/session';
import { makeRouter, type DeskRouter } from './router';
import { desksOf } from './screens';

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      // A refusal stays a refusal; a server that cannot be reached is asked once more.
      retry: (count, error) => count < 1 && asProblem(error).status === 0,
      refetchOnWindowFocus: true,
    },
    mutations: { retry: false },
  },
});

/** Everything behind the sign-in: the texts of the desks that this person has, then the router with their screens. */
export default function Shell() {
  const session = useSession();
  const { mode } = usePreferences();
  useLanguage();
  const [router, setRouter] = useState<DeskRouter | null>(null);
  const who = `${session.user.id} ${session.permissions.join(' ')}`;
  useEffect(() => {
    let current = true;
    void loadTexts('shell', ...desksOf(session).map((desk) => desk.texts)).then(() => {
      if (current) setRouter(makeRouter(session));
    });
    return () => {
      current = false;
      queries.clear();
    };
    // The same person signing in again keeps their screen as it is.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [who]);
  useEffect(() => {
    void queries.invalidateQueries();
  }, [mode]);
  if (!router) return null;
  return (
    <QueryClientProvider client={queries}>
      <RouterProvider router={router} />
      <Notifications position="bottom-right" />
    </QueryClientProvider>
  );
}
