//! Events: what happened, for those whom it concerns. A domain emits one in the commit of its cause, under the lock of the object that it is
//! about; that lock makes the object's `sequence` gapless. An event holds references only, and everything else is read where it stands.

use crate::clock::Timestamp;
use crate::db::schema::event;
use crate::db::{DbError, RowSet, WriteTx, insert, rows};
use crate::ids::{AgencyId, AirlineId, EventId, FacilityId, Id, node_of};
use chrono::NaiveDateTime;
use diesel::dsl::max;
use diesel::prelude::*;
use serde_json::{Map, Value, json};
use std::collections::HashMap;

rows! {
    pub struct EventRow in event {
        /// The node that made the id: ids of one node grow in commit order.
        node: i64,
        id: i64,
        kind: String,
        object_id: String,
        /// 1 for the first event of its object, without gaps.
        sequence: i64,
        agency_id: Option<i64>,
        airline_id: Option<i64>,
        facility_id: Option<i64>,
        /// JSON: other ids by name.
        refs: String,
        request_id: String,
        created_at: NaiveDateTime,
    }
}

macro_rules! event_types {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)+) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum EventType { $($(#[$doc])* $name),+ }
        impl EventType {
            pub const ALL: &'static [EventType] = &[$(EventType::$name),+];
            pub fn text(self) -> &'static str { match self { $(EventType::$name => $text),+ } }
        }
    };
}

// Alphabetical. The names of the Duffel API where it has one; `object.past_participle` everywhere. A name, once given out, keeps its meaning.
event_types! {
    /// The ticket was voided before its airline was paid.
    AdvanceCancelled = "advance.cancelled",
    /// The bank confirmed that the airline was paid.
    AdvanceConfirmed = "advance.confirmed",
    /// The bank refused for good; the next attempt follows.
    AdvanceFailed = "advance.failed",
    /// Claims on the airline paid all of it.
    AdvanceSetOff = "advance.set_off",
    AgencyActivated = "agency.activated",
    AgencyClosed = "agency.closed",
    AgencyFrozen = "agency.frozen",
    /// An airline owes all that it may: it is paid only for tickets that cannot be voided any more.
    AirlineCapReached = "airline_cap.reached",
    AirlineCapReached75 = "airline_cap.reached_75",
    AirlineCapReached90 = "airline_cap.reached_90",
    AirlineCapSet = "airline_cap.set",
    /// A paid ticket was taken back: the airline has to return its share.
    AirlineClaimOpened = "airline_claim.opened",
    /// What memos claimed for it.
    AirlinePaid = "airline.paid",
    /// Two people agreed to pay it to another account.
    AirlinePayeeChanged = "airline.payee_changed",
    AirlineRepaymentReceived = "airline_repayment.received",
    /// Somebody else agreed, and it was done.
    ApprovalApproved = "approval.approved",
    ApprovalRejected = "approval.rejected",
    /// Somebody asked for what two people have to agree on.
    ApprovalRequested = "approval.requested",
    /// It was asked for again.
    ApprovalSuperseded = "approval.superseded",
    BaseRatePublished = "base_rate.published",
    CapitalReceived = "capital.received",
    /// The statement of a day could not be fetched.
    CashProofUnavailable = "cash_proof.unavailable",
    /// Bank and ledger differ by something that nothing explains.
    CashProofUnexplained = "cash_proof.unexplained",
    ChargesReceived = "charges.received",
    ContractSigned = "contract.signed",
    /// Credit of a cycle was paid out.
    CreditPaidOut = "credit.paid_out",
    /// Sales stop, and what the agency has with the platform is applied.
    DefaultDeclared = "default.declared",
    /// Everything was recovered: the agency sells again.
    DefaultEnded = "default.ended",
    /// What came in for debts that were written off.
    DefaultRecovered = "default.recovered",
    DefaultWrittenOff = "default.written_off",
    DepositReceived = "deposit.received",
    DepositReturned = "deposit.returned",
    /// The days on which the line takes new holds.
    FacilityAvailabilityChanged = "facility.availability_changed",
    /// The line takes no new holds.
    FacilityClosed = "facility.closed",
    FacilityLimitChanged = "facility.limit_changed",
    FacilityOpened = "facility.opened",
    FacilityRepaid = "facility.repaid",
    FacilityReopened = "facility.reopened",
    /// What a person has found in an agency's financial statements.
    FinancialReviewRecorded = "financial_review.recorded",
    /// A guarantor paid for an agency in default.
    GuaranteePaid = "guarantee.paid",
    GuaranteeRegistered = "guarantee.registered",
    GuaranteeReleased = "guarantee.released",
    /// Two people have lifted it.
    KillSwitchLifted = "kill_switch.lifted",
    KillSwitchThrown = "kill_switch.thrown",
    LimitPolicyAdopted = "limit.policy_adopted",
    /// Exposure came up to this part of the limit.
    LimitReached50 = "limit.reached_50",
    LimitReached75 = "limit.reached_75",
    LimitReached90 = "limit.reached_90",
    LimitReached100 = "limit.reached_100",
    LimitReviewed = "limit.reviewed",
    LimitTemporaryEnded = "limit.temporary_ended",
    LimitTemporaryGranted = "limit.temporary_granted",
    MemoAccepted = "memo.accepted",
    /// The airline has answered a dispute.
    MemoAnswered = "memo.answered",
    MemoDismissed = "memo.dismissed",
    /// The agency says no: its clock stands still.
    MemoDisputed = "memo.disputed",
    MemoDisputeWithdrawn = "memo.dispute_withdrawn",
    /// An airline claims something from the agency, or grants it something.
    MemoIssued = "memo.issued",
    /// Decided and booked.
    MemoPosted = "memo.posted",
    /// The agency looks into it.
    MemoReviewed = "memo.reviewed",
    /// The agency's time is over; a person decides.
    MemoUnanswered = "memo.unanswered",
    MemoWithdrawn = "memo.withdrawn",
    /// A cycle was closed and billed; its statement stands.
    ObligationBilled = "obligation.billed",
    ObligationDefaulted = "obligation.defaulted",
    /// It has to be paid today.
    ObligationDue = "obligation.due",
    ObligationOverdue = "obligation.overdue",
    ObligationPaid = "obligation.paid",
    /// It is owed again.
    ObligationReopened = "obligation.reopened",
    ObligationWrittenOff = "obligation.written_off",
    /// An airline changed or cancelled a flight of the order.
    OrderAirlineInitiatedChangeDetected = "order.airline_initiated_change_detected",
    /// Its flights are others now: exchanged, an exchange taken back, or an airline's change accepted.
    OrderChanged = "air.order.changed",
    OrderCreated = "order.created",
    /// What was accepted with 202 was not issued after all.
    OrderCreationFailed = "order.creation_failed",
    OrderCancellationConfirmed = "order_cancellation.confirmed",
    OrderCancellationCreated = "order_cancellation.created",
    /// Its metadata or a passenger's particulars.
    OrderUpdated = "order.updated",
    /// A held order was paid, and its tickets were issued.
    PaymentSucceeded = "air.payment.succeeded",
    /// A payment was made for a held order.
    PaymentCreated = "payment.created",
    /// Somebody asked a webhook to be tried.
    PingTriggered = "ping.triggered",
    /// Accepted; the wallet waits until the airline gives the money back.
    RefundAwaitsAirlineFunds = "refund_application.awaiting_airline_funds",
    /// The seven working days have passed.
    RefundOverdue = "refund_application.overdue",
    RefundRejected = "refund_application.rejected",
    /// The money is where it belongs.
    RefundSettled = "refund_application.refunded",
    /// A person decides about it.
    RefundSubmitted = "refund_application.submitted",
    RemittanceReceived = "remittance.received",
    /// The agency has another grade or status.
    ScoreChanged = "score.changed",
    ScoreCardAdopted = "score_card.adopted",
    TaxPaid = "tax.paid",
    /// Given in for another ticket.
    TicketExchanged = "ticket.exchanged",
    TicketRefunded = "ticket.refunded",
    TicketVoided = "ticket.voided",
    /// A sale met a velocity rule.
    VelocityHit = "velocity.hit",
    VelocityRuleAdopted = "velocity.rule_adopted",
    WalletReceived = "wallet.received",
    WalletWithdrawn = "wallet.withdrawn",
    /// Its receiver failed for too long.
    WebhookDisabled = "webhook.disabled",
}

impl EventType {
    pub fn parse(text: &str) -> Option<Self> {
        EventType::ALL.iter().copied().find(|known| known.text() == text)
    }
}

/// An event on its way into the commit. Whom it concerns, beside the operator: the agency, the airline and the bank of the facility that it names.
#[derive(Clone, Debug)]
pub struct NewEvent {
    kind: EventType,
    object: String,
    agency: Option<AgencyId>,
    airline: Option<AirlineId>,
    facility: Option<FacilityId>,
    refs: Vec<(&'static str, String)>,
    request_id: String,
}

impl NewEvent {
    pub fn new(kind: EventType, object: impl Id) -> Self {
        let object = object.to_string();
        NewEvent { kind, object, agency: None, airline: None, facility: None, refs: Vec::new(), request_id: String::new() }
    }

    pub fn of_agency(self, id: AgencyId) -> Self {
        NewEvent { agency: Some(id), ..self }
    }

    pub fn of_airline(self, id: AirlineId) -> Self {
        NewEvent { airline: Some(id), ..self }
    }

    pub fn of_facility(self, id: FacilityId) -> Self {
        NewEvent { facility: Some(id), ..self }
    }

    /// Another id that a receiver will want to look up: `ticket_id`.
    pub fn naming(mut self, name: &'static str, id: impl Id) -> Self {
        self.refs.push((name, id.to_string()));
        self
    }

    /// The request that it came with; what the platform does by itself came with none.
    pub fn caused_by(self, request_id: &str) -> Self {
        NewEvent { request_id: request_id.to_owned(), ..self }
    }
}

/// The version that event bodies are in.
pub const API_VERSION: &str = "v2";

impl EventRow {
    /// The ids that a receiver may look up, by name; `id` is the object's.
    pub fn object(&self) -> Value {
        let mut object = Map::new();
        object.insert("id".to_owned(), self.object_id.clone().into());
        let parties = [
            ("agency_id", self.agency_id.map(|id| AgencyId::of(id).to_string())),
            ("airline_id", self.airline_id.map(|id| AirlineId::of(id).to_string())),
            ("facility_id", self.facility_id.map(|id| FacilityId::of(id).to_string())),
        ];
        object.extend(parties.into_iter().filter_map(|(name, id)| Some((name.to_owned(), id?.into()))));
        // Written as an object below.
        object.extend(serde_json::from_str::<Map<String, Value>>(&self.refs).unwrap_or_default());
        Value::Object(object)
    }

    /// What is delivered; `GET /v1/events` answers the same.
    pub fn body(&self, live_mode: bool) -> Value {
        json!({
            "id": EventId::of(self.id).to_string(),
            "type": self.kind,
            "api_version": API_VERSION,
            "live_mode": live_mode,
            "created_at": Timestamp::from(self.created_at).to_string(),
            "idempotency_key": self.object_id,
            "object_id": self.object_id,
            "sequence": self.sequence,
            "request_id": self.cause(),
            "data": { "object": self.object() },
        })
    }

    /// The id of the request that it came with.
    pub fn cause(&self) -> Option<&str> {
        Some(self.request_id.as_str()).filter(|id| !id.is_empty())
    }

    /// The first event of an object that this commit makes, for a commit that writes its rows itself.
    pub fn first(tx: &WriteTx, new: NewEvent) -> Self {
        EventRow::numbered(tx, new, 1)
    }

    fn numbered(tx: &WriteTx, new: NewEvent, sequence: i64) -> Self {
        let id = tx.ids.next::<EventId>().raw();
        let refs: Map<String, Value> = new.refs.into_iter().map(|(name, id)| (name.to_owned(), id.into())).collect();
        EventRow {
            node: i64::from(node_of(id)),
            id,
            kind: new.kind.text().to_owned(),
            object_id: new.object,
            sequence,
            agency_id: new.agency.map(Id::raw),
            airline_id: new.airline.map(Id::raw),
            facility_id: new.facility.map(Id::raw),
            refs: Value::Object(refs).to_string(),
            request_id: new.request_id,
            created_at: tx.now.naive(),
        }
    }
}

/// Emits an event in this commit. The caller holds the lock of its object, or has made the object in this commit.
pub fn emit(tx: &mut WriteTx, new: NewEvent) -> Result<(), DbError> {
    emit_rows(tx, vec![new]).map(drop)
}

/// The same, and answers what was written.
pub fn emit_one(tx: &mut WriteTx, new: NewEvent) -> Result<EventRow, DbError> {
    emit_rows(tx, vec![new])?.pop().ok_or_else(|| DbError::Corrupt("an event was not written".into()))
}

/// The same for any number of events, in their order.
pub fn emit_all(tx: &mut WriteTx, new: Vec<NewEvent>) -> Result<(), DbError> {
    emit_rows(tx, new).map(drop)
}

fn emit_rows(tx: &mut WriteTx, new: Vec<NewEvent>) -> Result<Vec<EventRow>, DbError> {
    if new.is_empty() {
        return Ok(Vec::new());
    }
    let objects: Vec<String> = new.iter().map(|event| event.object.clone()).collect();
    let known = event::table.filter(event::object_id.eq_any(objects)).group_by(event::object_id);
    let last: Vec<(String, Option<i64>)> = known.select((event::object_id, max(event::sequence))).load(&mut *tx.db)?;
    let mut last: HashMap<String, i64> = last.into_iter().map(|(object, sequence)| (object, sequence.unwrap_or(0))).collect();
    let mut rows = Vec::with_capacity(new.len());
    for event in new {
        let sequence = last.entry(event.object.clone()).or_insert(0);
        *sequence += 1;
        rows.push(EventRow::numbered(tx, event, *sequence));
    }
    insert(tx, &[RowSet::of(&rows)])?;
    Ok(rows)
}
