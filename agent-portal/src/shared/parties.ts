// What agencies, airlines and bank lines are called: the lists are short and read once. Who may not see a party sees its id.
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { answer, api } from '../api/client';
import { usePreferences } from '../session/preferences';

type Names = ReadonlyMap<string, string>;

function useNamed(what: string, read: (signal: AbortSignal) => Promise<[string, string][]>): Names {
  const { mode } = usePreferences();
  const found = useQuery({ queryKey: [mode, what, 'names'], queryFn: ({ signal }) => read(signal), staleTime: 60_000 });
  return useMemo(() => new Map(found.data ?? []), [found.data]);
}
const all = { limit: 200 };

export const useAgencyNames = (): Names =>
  useNamed('agencies', async (signal) => (await answer(api.GET('/v1/agencies', { signal, params: { query: all } }))).data.map((one) => [one.id, one.name]));

export const useAirlineNames = (): Names =>
  useNamed('airlines', async (signal) => (await answer(api.GET('/v1/airlines', { signal, params: { query: all } }))).data.map((one) => [one.id, `${one.iata_code} ${one.name}`]));

export const useLineNames = (): Names =>
  useNamed('facilities', async (signal) => (await answer(api.GET('/v1/facilities', { signal, params: { query: all } }))).data.map((one) => [one.id, one.name]));

export const optionsOf = (names: Names) => [...names].map(([value, label]) => ({ value, label }));
