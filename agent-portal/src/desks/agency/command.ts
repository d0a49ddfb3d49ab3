// The command line of people who have typed into a host for years. What was understood is echoed before it runs.
export type Command = { kind: 'search'; from: string; to: string; date: string } | { kind: 'ticket'; number: string };

const months = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];

function dayOf(day: number, month: number, year: number | null, today: Date): string | null {
  const thisYear = today.getUTCFullYear();
  for (const candidate of year === null ? [thisYear, thisYear + 1] : [year]) {
    const date = new Date(Date.UTC(candidate, month, day));
    if (date.getUTCMonth() !== month || date.getUTCDate() !== day) continue;
    const text = date.toISOString().slice(0, 10);
    // Without a year, the next such day.
    if (year !== null || text >= today.toISOString().slice(0, 10)) return text;
  }
  return null;
}

/** `A PEKSHA12DEC` searches flights, `RT 781-2100000001` opens a ticket. */
export function meaningOf(typed: string, today: Date): Command | null {
  const text = typed.trim().toUpperCase();
  const search = /^A(?:V)?\s*([A-Z]{3})\s*([A-Z]{3})\s*\/?\s*(\d{1,2})\s*([A-Z]{3})\s*(\d{2}|\d{4})?$/.exec(text);
  if (search) {
    const [, from, to, day, monthName, yearText] = search;
    const month = months.indexOf(monthName!);
    if (month < 0 || from === to) return null;
    const year = yearText ? Number(yearText.length === 2 ? `20${yearText}` : yearText) : null;
    const date = dayOf(Number(day), month, year, today);
    return date ? { kind: 'search', from: from!, to: to!, date } : null;
  }
  const ticket = /^RT\s*(\d{3})[-\s]?(\d{10})$/.exec(text);
  return ticket ? { kind: 'ticket', number: `${ticket[1]}${ticket[2]}` } : null;
}
