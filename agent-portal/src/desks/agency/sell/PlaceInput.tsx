import { Autocomplete } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useEffect, useState } from 'react';
import { api } from '../../../api/client';
import { useRead } from '../../../shared/read';

interface PlaceProps {
  label: string;
  value: string;
  onChange: (code: string) => void;
  error?: string;
  autoFocus?: boolean;
}

/** An airport or city by code, or by its name in either language. */
export function PlaceInput({ label, value, onChange, error, autoFocus }: PlaceProps) {
  const [text, setText] = useState(value);
  const [asked] = useDebouncedValue(text.trim(), 150);
  useEffect(() => {
    if (value) setText((before) => (before.toUpperCase().startsWith(value) ? before : value));
  }, [value]);
  const found = useRead(['places', asked], (signal) => api.GET('/places/suggestions', { signal, params: { query: { query: asked } } }), {
    enabled: asked.length >= 1,
    fresh: 600_000,
  });
  const places = found.data?.data ?? [];
  const options = [...new Map(places.map((place) => [place.iata_code, place])).values()].map((place) => ({
    value: `${place.iata_code} ${place.name}`,
    label: `${place.iata_code} ${place.name}`,
  }));
  return (
    <Autocomplete
      label={label}
      value={text}
      error={error}
      autoFocus={autoFocus}
      autoComplete="off"
      spellCheck={false}
      data={options}
      filter={({ options: all }) => all}
      limit={8}
      autoSelectOnBlur={false}
      onFocus={(event) => event.currentTarget.select()}
      onChange={(next) => {
        setText(next);
        const code = /^([A-Za-z]{3})(\s|$)/.exec(next.trim())?.[1]?.toUpperCase();
        onChange(code ?? '');
      }}
      onBlur={() => {
        // A name that was typed out means its first place.
        const first = places[0];
        if (!value && first && asked === text.trim()) {
          setText(`${first.iata_code} ${first.name}`);
          onChange(first.iata_code);
        }
      }}
      selectFirstOptionOnChange
    />
  );
}
