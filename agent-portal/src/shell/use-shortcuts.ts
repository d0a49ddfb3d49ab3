import { useNavigate } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { useSession } from '../session/session';
import { screensOf } from './screens';

/** Whether a key pressed there is text, not a shortcut. */
export function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

export function useShortcuts(actions: { palette: () => void; help: () => void }): void {
  const session = useSession();
  const navigate = useNavigate();
  const latest = useRef(actions);
  useEffect(() => {
    latest.current = actions;
  });
  useEffect(() => {
    let goes = 0;
    const letters = new Map(screensOf(session).flatMap(({ entry, path }) => (entry?.letter ? [[entry.letter, path] as const] : [])));
    const onKey = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        latest.current.palette();
        return;
      }
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      if (event.key === '/') {
        event.preventDefault();
        latest.current.palette();
      } else if (event.key === '?') {
        latest.current.help();
      } else if (event.key === 'g') {
        goes = Date.now();
      } else if (Date.now() - goes < 1200 && letters.has(event.key)) {
        goes = 0;
        event.preventDefault();
        void navigate({ to: letters.get(event.key)! });
      }
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [session, navigate]);
}
