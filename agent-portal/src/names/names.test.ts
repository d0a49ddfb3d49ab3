// Every code and every value of the contract that is shown has a text in both languages: what is newer than the texts is named here.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import english from './texts.en.json';
import codes from '../api/texts.en.json';

interface Schema {
  enum?: string[];
  properties?: Record<string, Schema>;
  oneOf?: Schema[];
  const?: string;
}
const contract = JSON.parse(readFileSync(new URL('../../../backend/openapi.json', import.meta.url), 'utf8')) as { components: { schemas: Record<string, Schema> } };
const values = (schema: Schema | undefined): string[] => schema?.enum ?? schema?.oneOf?.flatMap((one) => one.enum ?? (one.const ? [one.const] : [])) ?? [];
const groups: Record<string, string> = {
  PassengerType: 'passenger',
  CabinClass: 'cabin',
  Title: 'title',
  Gender: 'gender',
  Tender: 'tender',
  RefundKind: 'refund_kind',
  RefundStatus: 'refund_status',
  RefundedTo: 'refunded_to',
  CancellationKind: 'cancellation',
  DisbursementState: 'advance',
  SplitLegKind: 'split',
  AgencyStatus: 'agency_status',
  AirlineStatus: 'airline_status',
  TenderOrder: 'tender_order',
  ApprovalKind: 'approval_kind',
  Decision: 'decision',
  ObligationState: 'obligation',
  CycleRule: 'cycle',
  DueRule: 'due',
  ReceiptPurpose: 'purpose',
  BankAccount: 'bank_account',
  OrganisationKind: 'kind',
  Clawback: 'clawback',
  FeeOnRefund: 'fee_on_refund',
  TaxRemitter: 'tax_remitter',
  AirlineReturn: 'airline_return',
  CommissionBase: 'base',
  OrderAction: 'action',
  AirlineChangeAction: 'airline_change',
  ScheduleChangeKind: 'schedule',
  PriceChanged: 'priced',
  FreezeScope: 'scope',
  Grounds: 'grounds',
  GuaranteeKind: 'guarantee',
  GuaranteeStatus: 'guarantee_status',
  PayoutPurpose: 'payout',
  ReviewResult: 'review',
  VelocityMode: 'velocity_mode',
  VelocitySubject: 'velocity_subject',
  VelocityMeasure: 'velocity_measure',
  CashProofState: 'proof',
  CashItemKind: 'cash_item',
  MemoKind: 'memo_kind',
  MemoStatus: 'memo_status',
  MemoStepKind: 'memo_step',
  Business: 'business',
};

it('every shown value of the contract has a name', () => {
  const missing = Object.entries(groups).flatMap(([schema, group]) => {
    const found = values(contract.components.schemas[schema]);
    expect(found, schema).not.toEqual([]);
    return found.filter((value) => !(`${group}.${value}` in english)).map((value) => `${group}.${value}`);
  });
  expect(missing).toEqual([]);
});

it('every error code of the contract has a text', () => {
  const all = values(contract.components.schemas.ErrorItem?.properties?.code);
  expect(all.length).toBeGreaterThan(100);
  expect(all.filter((code) => !(code in codes))).toEqual([]);
});
