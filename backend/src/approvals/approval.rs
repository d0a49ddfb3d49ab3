use crate::audit::ActorId;
use crate::clock::Timestamp;
use crate::db::schema::approval as table;
use crate::db::{Db, DbError, Window, rows, windowed};
use crate::ids::{ApprovalId, Id, OrganisationId, UserId};
use chrono::NaiveDateTime;
use diesel::prelude::*;
use sha2::{Digest, Sha256};

rows! {
    pub struct ApprovalRow in approval {
        id: i64,
        kind: String,
        /// The object as it is named outside: `agy_…`.
        subject: String,
        payload: String,
        basis: String,
        digest: Vec<u8>,
        reason: String,
        organisation_id: i64,
        key_id: i64,
        submitted_at: NaiveDateTime,
        expires_at: NaiveDateTime,
        status: String,
        decided_key_id: Option<i64>,
        decided_at: Option<NaiveDateTime>,
        note: Option<String>,
        result: Option<String>,
        /// The people behind the two.
        user_id: Option<i64>,
        decided_user_id: Option<i64>,
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)+) => {
        /// What is asked for. A name, once given out, keeps its meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ChangeKind { $($(#[$doc])* $name),+ }
        impl ChangeKind {
            pub const ALL: &'static [ChangeKind] = &[$(ChangeKind::$name),+];
            pub fn text(self) -> &'static str { match self { $(ChangeKind::$name => $text),+ } }
        }
    };
}

// Alphabetical.
kinds! {
    /// Pays an airline somewhere else from now on.
    ChangePayee = "change_payee",
    /// How much of a memo is owed, or that nothing is.
    MemoDecision = "memo_decision",
    /// A contract on whose terms a ticket loses money.
    NegativeMargin = "negative_margin",
    /// Ends the default of an agency that has paid everything.
    Reinstate = "reinstate",
    /// A higher limit of a bank line.
    SetFacilityLimit = "set_facility_limit",
    /// Raises an agency's limit for a while.
    TemporaryLimit = "temporary_limit",
    /// Lifts a kill switch.
    Unfreeze = "unfreeze",
    /// Gives up what an agency in default still owes.
    WriteOff = "write_off",
}

impl ChangeKind {
    pub fn parse(text: &str) -> Option<Self> {
        ChangeKind::ALL.iter().copied().find(|kind| kind.text() == text)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApprovalStatus {
    Pending,
    /// Agreed to and done.
    Approved,
    Rejected,
    /// Asked for again: a later request took its place.
    Superseded,
    /// Nobody decided in time.
    Expired,
}

impl ApprovalStatus {
    pub const ALL: [ApprovalStatus; 5] = [
        ApprovalStatus::Pending,
        ApprovalStatus::Approved,
        ApprovalStatus::Rejected,
        ApprovalStatus::Superseded,
        ApprovalStatus::Expired,
    ];

    pub fn text(self) -> &'static str {
        match self {
            ApprovalStatus::Pending => "pending",
            ApprovalStatus::Approved => "approved",
            ApprovalStatus::Rejected => "rejected",
            ApprovalStatus::Superseded => "superseded",
            ApprovalStatus::Expired => "expired",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        ApprovalStatus::ALL.into_iter().find(|status| status.text() == text)
    }
}

#[derive(Clone, Debug)]
pub struct Approval {
    pub id: ApprovalId,
    pub kind: ChangeKind,
    pub subject: String,
    /// What will be done, as JSON.
    pub payload: String,
    pub basis: String,
    pub digest: Vec<u8>,
    pub reason: String,
    pub organisation: OrganisationId,
    pub requested_by: ActorId,
    /// The person behind it.
    pub person: Option<UserId>,
    pub submitted_at: Timestamp,
    pub expires_at: Timestamp,
    /// Without expiry, which is a matter of time: see [`Approval::status_at`].
    pub(super) decided: ApprovalStatus,
    pub decided_by: Option<ActorId>,
    pub decided_at: Option<Timestamp>,
    /// Why it was rejected.
    pub note: Option<String>,
    /// The id of what was made or changed.
    pub result: Option<String>,
}

impl Approval {
    pub fn status_at(&self, now: Timestamp) -> ApprovalStatus {
        match self.decided {
            ApprovalStatus::Pending if self.expires_at <= now => ApprovalStatus::Expired,
            status => status,
        }
    }
}

impl TryFrom<ApprovalRow> for Approval {
    type Error = DbError;

    fn try_from(row: ApprovalRow) -> Result<Self, DbError> {
        let corrupt = |what: &str| DbError::Corrupt(format!("{what} of approval {}", row.id));
        Ok(Approval {
            id: ApprovalId::of(row.id),
            kind: ChangeKind::parse(&row.kind).ok_or_else(|| corrupt("kind"))?,
            decided: ApprovalStatus::parse(&row.status).ok_or_else(|| corrupt("status"))?,
            subject: row.subject,
            payload: row.payload,
            basis: row.basis,
            digest: row.digest,
            reason: row.reason,
            organisation: OrganisationId::of(row.organisation_id),
            requested_by: ActorId::of(row.key_id),
            person: row.user_id.map(UserId::of),
            submitted_at: Timestamp::from(row.submitted_at),
            expires_at: Timestamp::from(row.expires_at),
            decided_by: row.decided_key_id.map(ActorId::of),
            decided_at: row.decided_at.map(Timestamp::from),
            note: row.note,
            result: row.result,
        })
    }
}

/// Bytes are length-prefixed, so that no two changes have the same canonical form; the version says which form.
pub(super) fn digest(kind: &str, subject: &str, payload: &str, basis: &str) -> Vec<u8> {
    let mut hash = Sha256::new();
    for part in ["airsettle approval 1", kind, subject, payload, basis] {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().to_vec()
}

pub fn approval(db: &mut Db, id: ApprovalId) -> Result<Option<Approval>, DbError> {
    let row: Option<ApprovalRow> = table::table.find(id.raw()).select(ApprovalRow::as_select()).first(db).optional()?;
    row.map(Approval::try_from).transpose()
}

#[derive(Clone, Debug, Default)]
pub struct ApprovalFilter {
    pub status: Option<ApprovalStatus>,
    pub kind: Option<ChangeKind>,
    pub subject: Option<String>,
}

pub fn approvals(
    db: &mut Db,
    filter: &ApprovalFilter,
    now: Timestamp,
    window: Window,
    limit: i64,
) -> Result<Vec<Approval>, DbError> {
    let mut query = windowed!(table::table.into_boxed(), table::id, window, limit);
    if let Some(kind) = filter.kind {
        query = query.filter(table::kind.eq(kind.text()));
    }
    if let Some(subject) = &filter.subject {
        query = query.filter(table::subject.eq(subject.clone()));
    }
    query = match filter.status {
        None => query,
        Some(ApprovalStatus::Pending) => query.filter(table::status.eq("pending")).filter(table::expires_at.gt(now.naive())),
        Some(ApprovalStatus::Expired) => query.filter(table::status.eq("pending")).filter(table::expires_at.le(now.naive())),
        Some(decided) => query.filter(table::status.eq(decided.text())),
    };
    let rows: Vec<ApprovalRow> = query.select(ApprovalRow::as_select()).load(db)?;
    rows.into_iter().map(Approval::try_from).collect()
}
