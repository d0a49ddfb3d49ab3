//! What follows the sale: money that comes in and goes out, cycles, what is billed and still owed in them, what being late costs, incentives, and what
//! airlines claim or grant afterwards.

mod airline_terms;
mod allocation;
mod cash_movements;
mod cash_proof;
mod charges;
mod credit_payout;
mod cycles;
mod default;
mod due;
mod dunning;
mod guarantee_call;
mod incentives;
mod margin;
mod memo;
mod obligation;
mod payment;
mod payout;
mod provision;
mod receipt;
mod recorded;
mod statement;
mod verify;
mod verify_cycles;

pub use airline_terms::{DueAdvances, due_to_airlines};
pub use allocation::{CarryError, CycleSettlementRow, SettledBy, Share, settlements_of_cycle, settlements_of_receipts};
pub use cash_movements::cash_accounts;
pub use cash_proof::{
    BankDay, BankLine, BankLineKind, CashAccount, CashItemKind, CashItemRow, CashProofError, CashProofFilter, CashProofRow,
    ProofState, cash_items, cash_proof, cash_proofs, next_to_prove, note_unavailable, prove_cash,
};
pub use charges::{ChargeError, ChargeKind, ChargeRow, charge, chargeable, charges_of};
pub use credit_payout::{CreditPayoutError, CreditPayoutRow, NewCreditPayout, credit_payouts, pay_out_credit};
pub use cycles::{CycleStanding, agency_cycles, cycle_standing};
pub use default::{
    DefaultError, DefaultRow, declare_default, default_by_id, default_of, defaults, left_to_write_off, may_be_reinstated,
    reinstate, write_off,
};
pub use due::{DueTerms, airline_due, due_terms};
pub use dunning::{
    ContactRow, DunningRow, billing_contact_of, billing_contacts, dunning_message, dunning_messages, note_dunning, remind,
    set_billing_contact, to_be_reminded,
};
pub use guarantee_call::CallError;
pub use incentives::{
    Batch, Funder, IncentiveError, LineKind, LineRow, Measure, Method, NewProgramme, Period, PeriodFilter, PeriodLength,
    PeriodRow, Programme, ProgrammeError, ProgrammeFilter, Progress, SettleError, Settled, Tier, TierReward, accrue_batch,
    all_programmes, lines_of, next_batch, open_programme, period, periods, programme, programmes, reward, settle_period,
};
pub use margin::{Consent, Margin, SigningError, margin_of, sign};
pub use memo::{
    ClaimedTicket, Contingent, Memo, MemoDecision, MemoError, MemoEvidenceRow, MemoFilter, MemoKind, MemoRow, MemoState,
    MemoStep, MemoStepRow, MemoTicketRow, NewMemo, Said, claim_memo, contingent, decidable, decide_memo, evidence_of,
    locked_memo, memo, memos, memos_with_attachment, note_unanswered, steps_of, take_step, tickets_of, unanswered,
};
pub use obligation::{
    Debtor, ObligationError, ObligationFacts, ObligationFilter, ObligationRow, ObligationState, debtor, look_again, obligation,
    obligations, obligations_of, owing_agencies, review_agency, settle_from_credit,
};
pub use payment::{NewPayment, Payment, PaymentError, PaymentPurpose, PaymentsOf, payments_of, record_payment};
pub use payout::{NewPayout, Payout, PayoutError, PayoutPurpose, pay_out, payout, payouts};
pub use provision::{Provision, ProvisionError, allowance_account, provide, provide_for_day, provisions};
pub use receipt::{NewReceipt, Purpose, Receipt, ReceiptError, ReceiptRow, receipt, receipts, record_receipt};
pub use recorded::Recorded;
pub use statement::{
    CloseError, PAGE, Paged, SEND_STATEMENT, StatementError, StatementLetter, StatementLineRow, StatementRow, begin_statement,
    close_statement, cycles_to_bill, statement, statement_letter, statement_lines, statement_page, statements, write_statement,
};
pub use verify::{SETTLEMENT_RULES, verify_settlement};
