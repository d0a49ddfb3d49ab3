import { Select, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { useEffect, useState } from 'react';
import { useFilters } from './url';

export function FilterText({ name, label, width = 170, clean }: { name: string; label: string; width?: number; clean?: (text: string) => string }) {
  const [filters, change] = useFilters();
  const [value, setValue] = useState(filters[name] ?? '');
  const given = filters[name] ?? '';
  useEffect(() => setValue(given), [given]);
  const later = useDebouncedCallback((text: string) => change({ [name]: text || null }), 350);
  return (
    <TextInput
      size="xs"
      w={width}
      placeholder={label}
      aria-label={label}
      value={value}
      onChange={(event) => {
        const text = clean ? clean(event.currentTarget.value) : event.currentTarget.value;
        setValue(text);
        later(text.trim());
      }}
    />
  );
}

export function FilterChoice({ name, label, options, width = 170 }: { name: string; label: string; options: { value: string; label: string }[]; width?: number }) {
  const [filters, change] = useFilters();
  return (
    <Select
      size="xs"
      w={width}
      placeholder={label}
      aria-label={label}
      data={options}
      value={filters[name] ?? null}
      onChange={(value) => change({ [name]: value })}
      clearable
      comboboxProps={{ withinPortal: true }}
    />
  );
}
