import { api } from '../../api/client';
import { useAgency } from '../../session/office';
import { useRead } from '../../shared/read';

export function useLimit(every?: number) {
  const { agency } = useAgency();
  const id = agency?.id;
  return useRead(['limits', id], (signal) => api.GET('/v1/limits/{agency}', { signal, params: { path: { agency: id! } } }), {
    enabled: Boolean(id),
    every,
  });
}

export type Band = 'calm' | 'half' | 'high' | 'near' | 'full';

/** The band that a use in percent stands in: 50, 75, 90, 100. */
export function bandOf(percent: string | number | null | undefined): Band {
  const value = Number(percent ?? 0);
  return value >= 100 ? 'full' : value >= 90 ? 'near' : value >= 75 ? 'high' : value >= 50 ? 'half' : 'calm';
}
