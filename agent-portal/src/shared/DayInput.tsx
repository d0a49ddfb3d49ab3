import { TextInput } from '@mantine/core';

interface DayInputProps {
  label: string;
  value: string;
  onChange: (day: string) => void;
}

const isDay = (text: string) => /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text));

/** A day as it is shown everywhere, whatever the browser's own language writes. */
export function DayInput({ label, value, onChange }: DayInputProps) {
  return (
    <TextInput
      label={label}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value.trim())}
      placeholder="2026-12-31"
      inputMode="numeric"
      autoComplete="off"
      maxLength={10}
      error={value.length >= 10 && !isDay(value)}
    />
  );
}
