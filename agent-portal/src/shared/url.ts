// Filters live in the address: Back restores them, a link shares them.
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback } from 'react';

export type Search = Record<string, string>;

export function parseSearch(text: string): Search {
  return Object.fromEntries(new URLSearchParams(text));
}

export function stringifySearch(search: Record<string, unknown>): string {
  const given = Object.entries(search).filter(([, value]) => value !== undefined && value !== null && value !== '');
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return text && `?${text}`;
}

export function useFilters(): [Search, (change: Record<string, string | null | undefined>, how?: { replace?: boolean }) => void] {
  const search = useSearch({ strict: false }) as Search;
  const navigate = useNavigate();
  const change = useCallback(
    (next: Record<string, string | null | undefined>, how?: { replace?: boolean }) => {
      void navigate({
        to: '.',
        replace: how?.replace,
        search: ((before: Search) => ({ ...before, ...next })) as never,
      });
    },
    [navigate],
  );
  return [search, change];
}
