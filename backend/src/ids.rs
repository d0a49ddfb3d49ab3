//! Typed identifiers. Inside, a positive 63-bit integer that grows with time (41 bits of milliseconds since 2025, 10 bits of
//! node, 12 of sequence); outside, a prefix and Crockford base 32, such as `tkt_0d3k8w2m5q7ha`.
//! A number is never shown and a JSON number is never an id.

use parking_lot::Mutex;
use std::fmt;

/// 2025-01-01T00:00:00Z in Unix milliseconds.
const EPOCH_MILLIS: i64 = 1_735_689_600_000;
const NODE_BITS: u32 = 10;
const SEQUENCE_BITS: u32 = 12;
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const TEXT_LENGTH: usize = 13;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not an id of the form {prefix}…")]
pub struct BadId {
    pub text: String,
    pub prefix: &'static str,
}

/// A typed id: everything that has a prefix.
pub trait Id: Copy + fmt::Display {
    const PREFIX: &'static str;
    fn of(raw: i64) -> Self;
    fn raw(self) -> i64;
    fn parse(text: &str) -> Result<Self, BadId> {
        let bad = || BadId { text: text.chars().take(64).collect(), prefix: Self::PREFIX };
        let body = text.strip_prefix(Self::PREFIX).ok_or_else(bad)?;
        decode(body).map(Self::of).ok_or_else(bad)
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal,)+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
            pub struct $name(i64);
            impl Id for $name {
                const PREFIX: &'static str = $prefix;
                fn of(raw: i64) -> Self { $name(raw) }
                fn raw(self) -> i64 { self.0 }
            }
            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, "{}{}", $prefix, encode(self.0)) }
            }
        )+
        #[cfg(test)]
        const PREFIXES: &[&str] = &[$($prefix),+];
    };
}

// Alphabetical and append-only: a prefix, once given out, keeps its meaning.
ids! {
    /// One entry's account in the ledger.
    AccountId = "acc_",
    /// A day of interest on a facility.
    AccrualId = "acr_",
    /// The payment of one ticket's airline share (a disbursement instruction).
    AdvanceId = "adv_",
    AgencyId = "agy_",
    /// What a schedule change means to one order.
    AirlineChangeId = "aic_",
    /// What an airline may owe, from a day on.
    AirlineCapId = "cap_",
    AirlineId = "arl_",
    /// What two people have to agree on.
    ApprovalId = "apr_",
    /// A document that somebody has uploaded.
    AttachmentId = "att_",
    AuditEventId = "aud_",
    BankPaymentId = "pay_",
    BankReceiptId = "rcp_",
    /// A published reference rate.
    BaseRateId = "bsr_",
    /// Whom an agency wants to be written to about money.
    BillingContactId = "bct_",
    /// What an agency was billed for a cycle.
    BillingStatementId = "bst_",
    CancellationId = "ore_",
    /// A day of a bank account, held against the bank's statement.
    CashProofId = "csp_",
    /// Between the own and the client account.
    CashTransferId = "xfr_",
    /// What an airline has to give back.
    ClaimId = "clm_",
    /// A version of a commission rule.
    CommissionRuleId = "cru_",
    /// A code for one payment.
    ConfirmationId = "cnf_",
    ContractId = "ctr_",
    /// Of the interest of days that are over.
    CorrectionId = "cor_",
    /// A change of a coupon's status.
    CouponEventId = "cpe_",
    CouponFileId = "csf_",
    CouponId = "cpn_",
    /// Credit of a cycle that was paid out.
    CreditPayoutId = "cpo_",
    /// What settled a part of what is owed in a cycle.
    CycleSettlementId = "cst_",
    /// Of an agency that does not pay.
    DefaultId = "dft_",
    /// One event for one webhook.
    DeliveryId = "dlv_",
    CouponLineId = "csl_",
    /// What an agency was written about what it has to pay.
    DunningMessageId = "dun_",
    EntryId = "ent_",
    /// Something that happened, for those who listen.
    EventId = "evt_",
    ExportId = "exp_",
    FacilityId = "fac_",
    /// What was found in an agency's financial statements.
    FinancialReviewId = "fin_",
    /// Security in an agency's limit beside its deposit.
    GuaranteeId = "gua_",
    HoldId = "hld_",
    /// What a ticket earned under an incentive programme.
    IncentiveLineId = "inl_",
    /// One agency's period under a programme.
    IncentivePeriodId = "inp_",
    IncentiveProgrammeId = "inc_",
    /// A person was asked to join an organisation.
    InvitationId = "inv_",
    /// A run of a job.
    JobRunId = "run_",
    KeyId = "key_",
    /// E-mail to a person.
    LetterId = "ltr_",
    KillSwitchId = "ksw_",
    /// A part of a limit that was crossed.
    LimitAlertId = "lal_",
    LimitPolicyId = "pol_",
    LimitReviewId = "lrv_",
    /// What an airline claims from an agency, or grants it, after the sale.
    MemoId = "mem_",
    /// What has to be paid for a cycle that is closed.
    ObligationId = "obl_",
    /// A late fee or a day of financing.
    ObligationChargeId = "obc_",
    OfferId = "off_",
    OfferRequestId = "orq_",
    /// An order whose outcome is being found out: its idempotency row.
    OperationId = "opn_",
    OrderChangeId = "oce_",
    OrderChangeOfferId = "oco_",
    OrderChangeRequestId = "ocr_",
    OrderId = "ord_",
    /// What paid a held order.
    OrderPaymentId = "opy_",
    OrganisationId = "org_",
    OutboxId = "obx_",
    PassengerId = "pas_",
    PasswordResetId = "pwr_",
    PayeeChangeId = "pch_",
    /// Client money that goes back to its agency.
    PayoutId = "pyo_",
    PostingId = "pst_",
    PrivateFareId = "pfr_",
    /// An allowance for losses brought up or down.
    ProvisionId = "prv_",
    RecoveryCodeId = "rcc_",
    RefundApplicationId = "rfa_",
    /// What an application gives back of one ticket.
    RefundId = "rfd_",
    RequestId = "req_",
    ScheduleChangeId = "sch_",
    SecondFactorId = "sfa_",
    /// A version of the policy scorecard.
    ScoreCardId = "scc_",
    /// A decision about an agency.
    ScoreId = "scr_",
    SegmentId = "seg_",
    /// A person's signed-in device.
    SessionId = "ses_",
    SliceId = "sli_",
    StatementLineId = "stl_",
    StockId = "stk_",
    TemporaryLimitId = "tli_",
    TicketId = "tkt_",
    UserId = "usr_",
    /// A sale that met a velocity rule.
    VelocityHitId = "vht_",
    /// A version of a velocity rule.
    VelocityRuleId = "vru_",
    WebhookId = "whk_",
}

/// Gives out ids for one node. It never repeats one, also when the machine's clock goes back or a caller takes a block that
/// is larger than what is left of a millisecond: then it runs ahead of the clock.
#[derive(Debug)]
pub struct IdGenerator(Mutex<Place>);

/// Whose ids, and the next free (milliseconds << 12 | sequence).
#[derive(Debug)]
struct Place {
    node: i64,
    next: i64,
}

impl IdGenerator {
    /// `not_before` is the first Unix millisecond that this node has not used yet, as its lease remembers it.
    pub fn new(node: u16, not_before: i64) -> Self {
        IdGenerator(Mutex::new(Place::new(node, not_before)))
    }

    /// Goes on under another number, after the lease of the last one was lost.
    pub fn adopt(&self, node: u16, not_before: i64) {
        *self.0.lock() = Place::new(node, not_before);
    }

    /// The first of `count` consecutive ids; at most one millisecond's worth (4,096).
    pub fn block(&self, count: usize) -> i64 {
        let per_milli = 1i64 << SEQUENCE_BITS;
        let count = i64::try_from(count).unwrap_or(per_milli).clamp(1, per_milli);
        let clock = (chrono::Utc::now().timestamp_millis() - EPOCH_MILLIS).max(0) << SEQUENCE_BITS;
        let mut place = self.0.lock();
        let mut first = place.next.max(clock);
        if (first & (per_milli - 1)) + count > per_milli {
            first = ((first >> SEQUENCE_BITS) + 1) << SEQUENCE_BITS;
        }
        place.next = first + count;
        let millis = first >> SEQUENCE_BITS;
        let sequence = first & (per_milli - 1);
        (millis << (NODE_BITS + SEQUENCE_BITS)) | (place.node << SEQUENCE_BITS) | sequence
    }

    pub fn next<T: Id>(&self) -> T {
        T::of(self.block(1))
    }

    /// The Unix millisecond after the last one used: what a lease has to remember.
    pub fn high_water(&self) -> i64 {
        (self.0.lock().next >> SEQUENCE_BITS) + 1 + EPOCH_MILLIS
    }
}

impl Place {
    fn new(node: u16, not_before: i64) -> Self {
        let node = i64::from(node) & ((1 << NODE_BITS) - 1);
        Place { node, next: (not_before - EPOCH_MILLIS).max(0) << SEQUENCE_BITS }
    }
}

/// How far apart two ids are that were given out an hour apart.
pub const HOUR: i64 = 3_600_000 << (NODE_BITS + SEQUENCE_BITS);

/// The first id that a node could give out at or after a Unix millisecond.
pub fn first_at(node: i64, unix_millis: i64) -> i64 {
    let millis = (unix_millis - EPOCH_MILLIS).max(0);
    (millis << (NODE_BITS + SEQUENCE_BITS)) | (node << SEQUENCE_BITS)
}

/// When an id was given out, in Unix milliseconds of the machine's clock.
pub fn given_out_at(raw: i64) -> i64 {
    (raw >> (NODE_BITS + SEQUENCE_BITS)) + EPOCH_MILLIS
}

/// The node that gave out an id.
pub fn node_of(raw: i64) -> u16 {
    u16::try_from((raw >> SEQUENCE_BITS) & ((1 << NODE_BITS) - 1)).unwrap_or(u16::MAX)
}

fn encode(raw: i64) -> String {
    let mut text = [b'0'; TEXT_LENGTH];
    let mut rest = raw;
    for place in text.iter_mut().rev() {
        *place = usize::try_from(rest & 31).ok().and_then(|digit| ALPHABET.get(digit)).copied().unwrap_or(b'0');
        rest >>= 5;
    }
    text.iter().map(|byte| char::from(*byte)).collect()
}

fn decode(body: &str) -> Option<i64> {
    if body.len() != TEXT_LENGTH {
        return None;
    }
    let raw = body.bytes().try_fold(0i64, |raw, byte| {
        let digit = ALPHABET.iter().position(|symbol| *symbol == byte)?;
        raw.checked_mul(32)?.checked_add(i64::try_from(digit).ok()?)
    })?;
    (raw > 0).then_some(raw)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    #[test]
    fn prefixes_are_unique() {
        assert_eq!(PREFIXES.iter().collect::<HashSet<_>>().len(), PREFIXES.len());
    }

    #[test]
    fn ids_grow_and_never_repeat_even_when_taken_in_blocks() {
        let ids = IdGenerator::new(7, 0);
        let mut last = 0;
        for round in 0..10_000 {
            let count = 1 + round % 300;
            let first = ids.block(count);
            assert!(first > last, "round {round}");
            assert_eq!(node_of(first), 7);
            last = first + i64::try_from(count).unwrap() - 1;
            assert_eq!(node_of(last), 7, "a block stays within its node");
        }
    }

    #[test]
    fn a_node_that_starts_again_begins_after_what_it_has_used() {
        let future = chrono::Utc::now().timestamp_millis() + 60_000;
        let before = IdGenerator::new(1, future);
        let last = before.block(1);
        let after = IdGenerator::new(1, before.high_water());
        assert!(after.block(1) > last);
    }

    #[test]
    fn another_things_id_is_refused() {
        let ticket = TicketId::of(42).to_string();
        assert_eq!(TicketId::parse(&ticket).unwrap(), TicketId::of(42));
        assert!(OrderId::parse(&ticket).is_err());
        for text in ["", "tkt_", "tkt_1", "tkt_zzzzzzzzzzzzz", "tkt_0000000000000", "tkt_000000000000u", "tkt_é00000000000"] {
            assert!(TicketId::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn ids_round_trip(raw in 1..i64::MAX) {
            prop_assert_eq!(TicketId::parse(&TicketId::of(raw).to_string()).unwrap().raw(), raw);
        }
    }
}
