// What happened, as the server tells it: the reading of the stream, and what on the screen it concerns.

export interface Told {
  id: string;
  /** The type of the event; none in a message that only says where the stream is. */
  type: string | null;
}

/** Whole messages of a text, and the rest that is still coming. */
export function messagesOf(text: string): { told: Told[]; rest: string } {
  const parts = text.split('\n\n');
  const rest = parts.pop() ?? '';
  const told: Told[] = [];
  for (const part of parts) {
    const line = (name: string) => part.split('\n').find((one) => one.startsWith(name))?.slice(name.length);
    const id = line('id: ');
    if (id === undefined) continue;
    told.push({ id, type: typeOf(line('data: ')) });
  }
  return { told, rest };
}

function typeOf(data: string | undefined): string | null {
  if (!data) return null;
  try {
    const event = JSON.parse(data) as { type?: unknown };
    return typeof event.type === 'string' ? event.type : null;
  } catch {
    return null;
  }
}

const sale = ['orders', 'tickets', 'limits', 'exposure', 'order_changes'];
const money = ['limits', 'exposure', 'accounts', 'entries'];
/** What an event about something concerns beside that thing's own list. */
const concerns: Record<string, readonly string[]> = {
  order: sale,
  ticket: [...sale, 'refunds'],
  refund: [...sale, 'refunds'],
  refund_application: [...sale, 'refunds'],
  advance: ['disbursements', 'tickets', 'facilities', 'airlines'],
  airline_initiated_change: ['airline_changes', 'orders'],
  schedule: ['schedule_changes', 'airline_changes', 'orders'],
  agency: ['agencies', 'limits', 'exposure'],
  limit: ['limits', 'limit_alerts', 'exposure', 'temporary_limits', 'limit_policies'],
  deposit: [...money, 'bank_receipts', 'payouts'],
  wallet: [...money, 'bank_receipts', 'payouts'],
  remittance: [...money, 'bank_receipts', 'obligations', 'cycles'],
  receipt: [...money, 'bank_receipts'],
  guarantee: ['guarantees', 'limits'],
  statement: ['statements', 'cycles', 'obligations'],
  obligation: ['obligations', 'cycles', 'limits'],
  default: ['defaults', 'limits', 'obligations'],
  memo: ['memos', 'limits'],
  facility: ['facilities', 'repayments'],
  kill_switch: ['kill_switches', 'limits', 'agencies'],
  score: ['scores', 'limits'],
};

const plural = (word: string) => (word.endsWith('y') ? `${word.slice(0, -1)}ies` : word.endsWith('h') ? `${word}es` : `${word}s`);

/** The first words of the readings that an event makes old. */
export function concernedBy(type: string): Set<string> {
  const about = type.split('.')[0] ?? type;
  return new Set([plural(about), 'events', ...(concerns[about] ?? [])]);
}

/** How long to wait before the next attempt, in milliseconds: longer each time, and never all desks at once. */
export function backOff(attempt: number, chance: number): number {
  const most = Math.min(30_000, 1_000 * 2 ** Math.min(attempt, 10));
  return Math.round(most / 2 + (most / 2) * chance);
}
