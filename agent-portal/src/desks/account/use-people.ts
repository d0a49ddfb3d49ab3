import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import type { Problem } from '../../api/problem';
import { usePreferences } from '../../session/preferences';
import { ask } from '../../session/session';

export function usePeople<T>(path: string): UseQueryResult<T, Problem> {
  const { mode } = usePreferences();
  return useQuery<T, Problem>({ queryKey: [mode, 'people', path], queryFn: async () => (await ask<T>('GET', path))!, staleTime: 5_000 });
}
