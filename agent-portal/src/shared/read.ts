import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import { answer } from '../api/client';
import type { Problem } from '../api/problem';
import { usePreferences } from '../session/preferences';

interface Called<T> {
  data?: T;
  error?: unknown;
  response: Response;
}
export type Read<T> = UseQueryResult<T, Problem>;

/** One reading of the API. Live and test side are never mixed up: the side is part of the key. */
export function useRead<T>(
  key: readonly unknown[],
  read: (signal: AbortSignal) => Promise<Called<T>>,
  options: { enabled?: boolean; every?: number; fresh?: number } = {},
): Read<T> {
  const { mode } = usePreferences();
  return useQuery<T, Problem>({
    queryKey: [mode, ...key],
    queryFn: ({ signal }) => answer(read(signal)),
    enabled: options.enabled,
    refetchInterval: options.every,
    staleTime: options.fresh ?? 5_000,
  });
}
