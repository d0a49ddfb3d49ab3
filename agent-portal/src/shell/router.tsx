import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect, type RouterHistory } from '@tanstack/react-router';
import { loadTexts } from '../i18n';
import type { Session } from '../session/session';
import { parseSearch, stringifySearch } from '../shared/url';
import { Broken, Missing } from './Broken';
import { Frame } from './Frame';
import type { Screen } from './screen';
import { screensOf } from './screens';

const withTexts = async (screen: Screen) => (await Promise.all([screen.load(), loadTexts(...(screen.also ?? []))]))[0];

/** The router of a session knows only the screens that it may see. */
export function makeRouter(session: Session, history?: RouterHistory) {
  const screens = screensOf(session);
  const root = createRootRoute({ component: Frame, notFoundComponent: Missing, errorComponent: Broken });
  const home = screens.find((screen) => screen.home) ?? screens.find((screen) => screen.entry);
  const routes = screens.map((screen) =>
    createRoute({ getParentRoute: () => root, path: screen.path, component: lazyRouteComponent(() => withTexts(screen)), errorComponent: Broken }),
  );
  const start = createRoute({
    getParentRoute: () => root,
    path: '/',
    beforeLoad: () => {
      if (home) throw redirect({ to: home.path, replace: true });
    },
  });
  return createRouter({
    routeTree: root.addChildren([start, ...routes]),
    history,
    parseSearch,
    stringifySearch,
    defaultPreload: 'intent',
    defaultPreloadDelay: 80,
    scrollRestoration: true,
    // A screen that is not known is said to be missing within the frame.
    notFoundMode: 'root',
  });
}
export type DeskRouter = ReturnType<typeof makeRouter>;
