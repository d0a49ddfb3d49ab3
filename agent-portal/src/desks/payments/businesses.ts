// Every kind of payment that the operator makes: its fields, what it sends and what a code is asked for. The server decides which
// of them need one; a kind that it knows no code for has nothing to ask.
import { answered, api, type Answered, type Schemas } from '../../api/client';
import { confirmed, type ToConfirm } from '../../shared/money-write';

export const kinds = ['payout', 'credit_payout', 'tax_payment', 'airline_payment', 'facility_repayment', 'cash_transfer'] as const;
export type Kind = (typeof kinds)[number];

/** What was typed, every part of it text. */
export interface Draft {
  party: string;
  purpose: string;
  cycle: string;
  tax_code: string;
  amount: string;
  interest: string;
  currency: string;
  reference: string;
  date: string;
}
export type Part = keyof Draft;

/** The draft with its amounts as the API writes them. */
export type Checked = Draft & { total: string };

interface Business {
  parts: (draft: Draft) => readonly Part[];
  /** May be left empty. */
  optional?: readonly Part[];
  send: (draft: Checked, key: string, confirmation: string | undefined) => Promise<Answered<{ data: object }>>;
  confirm: (draft: Checked) => ToConfirm;
}

const headers = (key: string, confirmation: string | undefined) => ({ 'Idempotency-Key': key, ...confirmed(confirmation) });
type Called = Promise<{ data?: { data: object }; error?: unknown; response: Response }>;
/** 200 and not 201: this payment was there already, by whichever tab or program. */
const sent = async (call: unknown) => {
  const got = await answered(call as Called);
  return { ...got, replayed: got.replayed || got.status === 200 };
};
const toConfirm = (business: Schemas['Business'], payee: string, { total, currency }: Checked): ToConfirm => ({ business, payee, amount: total, currency });
const reference = (text: string) => (text.trim() ? { reference: text.trim() } : {});

export const businesses: Record<Kind, Business> = {
  payout: {
    parts: () => ['party', 'purpose', 'amount', 'date', 'reference'],
    optional: ['reference'],
    send: (draft, key, confirmation) =>
      sent(
        api.POST('/v1/payouts', {
          headers: headers(key, confirmation),
          body: {
            data: { agency_id: draft.party, purpose: draft.purpose as Schemas['PayoutPurpose'], amount: draft.amount, currency: draft.currency, value_date: draft.date, ...reference(draft.reference) },
          },
        }),
      ),
    confirm: (draft) => toConfirm(draft.purpose as Schemas['PayoutPurpose'], draft.party, draft),
  },
  credit_payout: {
    parts: () => ['party', 'cycle', 'amount', 'date', 'reference'],
    send: (draft, key, confirmation) =>
      sent(
        api.POST('/v1/credit_payouts', {
          headers: headers(key, confirmation),
          body: { data: { agency_id: draft.party, cycle: draft.cycle.trim(), amount: draft.amount, currency: draft.currency, bank_reference: draft.reference.trim(), value_date: draft.date } },
        }),
      ),
    confirm: (draft) => toConfirm('credit_payout', draft.party, draft),
  },
  tax_payment: {
    parts: () => ['party', 'tax_code', 'amount', 'currency', 'date', 'reference'],
    send: (draft, key, confirmation) =>
      sent(
        api.POST('/v1/tax_payments', {
          headers: headers(key, confirmation),
          body: { data: { payee: draft.party.trim(), tax_code: draft.tax_code.trim(), amount: draft.amount, currency: draft.currency, bank_reference: draft.reference.trim(), value_date: draft.date } },
        }),
      ),
    confirm: (draft) => toConfirm('tax_payment', draft.party.trim(), draft),
  },
  airline_payment: {
    parts: () => ['party', 'amount', 'currency', 'date', 'reference'],
    send: (draft, key, confirmation) =>
      sent(
        api.POST('/v1/airline_payments', {
          headers: headers(key, confirmation),
          body: { data: { airline_id: draft.party, amount: draft.amount, currency: draft.currency, bank_reference: draft.reference.trim(), value_date: draft.date } },
        }),
      ),
    confirm: (draft) => toConfirm('airline_payment', draft.party, draft),
  },
  facility_repayment: {
    parts: () => ['party', 'amount', 'interest', 'date', 'reference'],
    send: (draft, key, confirmation) =>
      sent(
        api.POST('/v1/facilities/{id}/repayments', {
          params: { path: { id: draft.party } },
          headers: headers(key, confirmation),
          body: { data: { principal_amount: draft.amount, interest_amount: draft.interest, currency: draft.currency, bank_reference: draft.reference.trim(), value_date: draft.date } },
        }),
      ),
    confirm: (draft) => toConfirm('facility_repayment', draft.party, draft),
  },
  cash_transfer: {
    // A sweep that the bank has done, or an order that it has not.
    parts: ({ party }) => (party === 'own' ? ['party', 'amount', 'currency', 'date', 'reference'] : ['party', 'amount', 'currency']),
    send: (draft, key, confirmation) =>
      sent(
        api.POST('/v1/cash_transfers', {
          headers: headers(key, confirmation),
          body: {
            data: {
              to: draft.party as Schemas['BankAccount'],
              amount: draft.amount,
              currency: draft.currency,
              ...(draft.party === 'own' ? { bank_reference: draft.reference.trim(), value_date: draft.date } : {}),
            },
          },
        }),
      ),
    confirm: (draft) => toConfirm('cash_transfer', draft.party, draft),
  },
};
