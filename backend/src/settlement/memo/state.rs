use crate::catalogue::memos::ReasonOf;

/// Agency debit memo and agency credit memo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MemoKind {
    /// The airline claims.
    Adm,
    /// The airline grants.
    Acm,
}

impl MemoKind {
    pub const ALL: [MemoKind; 2] = [MemoKind::Adm, MemoKind::Acm];

    pub fn text(self) -> &'static str {
        self.reason_of().text()
    }

    pub fn parse(text: &str) -> Option<Self> {
        MemoKind::ALL.into_iter().find(|kind| kind.text() == text)
    }

    pub(super) fn reason_of(self) -> ReasonOf {
        match self {
            MemoKind::Adm => ReasonOf::Adm,
            MemoKind::Acm => ReasonOf::Acm,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MemoState {
    Issued,
    /// The agency looks into it.
    UnderReview,
    /// The agency's time is over. This is a matter of time, not stored.
    Unanswered,
    Accepted,
    /// The agency says no; its clock stands still.
    Disputed,
    /// The airline has answered the dispute.
    Answered,
    /// Decided for the airline or the agency whom it is to pay, and booked.
    Posted,
    /// Decided: nothing is owed.
    Dismissed,
    /// The airline has taken it back.
    Withdrawn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MemoStep {
    Claim,
    Review,
    Accept,
    Dispute,
    WithdrawDispute,
    Answer,
    Withdraw,
    Uphold,
    Dismiss,
}

impl MemoState {
    pub const ALL: [MemoState; 9] = [
        MemoState::Issued,
        MemoState::UnderReview,
        MemoState::Unanswered,
        MemoState::Accepted,
        MemoState::Disputed,
        MemoState::Answered,
        MemoState::Posted,
        MemoState::Dismissed,
        MemoState::Withdrawn,
    ];

    pub fn text(self) -> &'static str {
        match self {
            MemoState::Issued => "issued",
            MemoState::UnderReview => "under_review",
            MemoState::Unanswered => "unanswered",
            MemoState::Accepted => "accepted",
            MemoState::Disputed => "disputed",
            MemoState::Answered => "answered",
            MemoState::Posted => "posted",
            MemoState::Dismissed => "dismissed",
            MemoState::Withdrawn => "withdrawn",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        MemoState::ALL.into_iter().find(|state| state.text() == text)
    }

    /// As they are stored, of those of which this is true.
    pub(super) fn texts_where(is_so: fn(MemoState) -> bool) -> Vec<&'static str> {
        MemoState::ALL.into_iter().filter(|state| is_so(*state)).map(MemoState::text).collect()
    }

    /// Where a step leads; none where it cannot be taken.
    pub fn on(self, step: MemoStep) -> Option<MemoState> {
        use MemoState::{Accepted, Answered, Dismissed, Disputed, Issued, Posted, Unanswered, UnderReview, Withdrawn};
        match (step, self) {
            (MemoStep::Review, Issued) => Some(UnderReview),
            (MemoStep::Accept, Issued | UnderReview | Unanswered) => Some(Accepted),
            (MemoStep::Dispute, Issued | UnderReview) => Some(Disputed),
            (MemoStep::WithdrawDispute, Disputed | Answered) => Some(UnderReview),
            (MemoStep::Answer, Disputed) => Some(Answered),
            (MemoStep::Withdraw, state) if state.is_open() => Some(Withdrawn),
            (MemoStep::Uphold, Accepted | Disputed | Answered | Unanswered) => Some(Posted),
            (MemoStep::Dismiss, Accepted | Disputed | Answered | Unanswered) => Some(Dismissed),
            _ => None,
        }
    }

    /// Nobody has decided, and the airline keeps to it: contingent.
    pub fn is_open(self) -> bool {
        !matches!(self, MemoState::Posted | MemoState::Dismissed | MemoState::Withdrawn)
    }

    /// The agency's clock runs.
    pub fn is_awaited(self) -> bool {
        matches!(self, MemoState::Issued | MemoState::UnderReview)
    }
}

impl MemoStep {
    pub const ALL: [MemoStep; 9] = [
        MemoStep::Claim,
        MemoStep::Review,
        MemoStep::Accept,
        MemoStep::Dispute,
        MemoStep::WithdrawDispute,
        MemoStep::Answer,
        MemoStep::Withdraw,
        MemoStep::Uphold,
        MemoStep::Dismiss,
    ];

    pub fn text(self) -> &'static str {
        match self {
            MemoStep::Claim => "claim",
            MemoStep::Review => "review",
            MemoStep::Accept => "accept",
            MemoStep::Dispute => "dispute",
            MemoStep::WithdrawDispute => "withdraw_dispute",
            MemoStep::Answer => "answer",
            MemoStep::Withdraw => "withdraw",
            MemoStep::Uphold => "uphold",
            MemoStep::Dismiss => "dismiss",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        MemoStep::ALL.into_iter().find(|step| step.text() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_decided_or_withdrawn_stays_so() {
        for ended in [MemoState::Posted, MemoState::Dismissed, MemoState::Withdrawn] {
            assert!(MemoStep::ALL.into_iter().all(|step| ended.on(step).is_none()), "{ended:?}");
        }
    }

    #[test]
    fn nobody_decides_while_the_agency_may_still_answer() {
        for state in [MemoState::Issued, MemoState::UnderReview] {
            assert_eq!((state.on(MemoStep::Uphold), state.on(MemoStep::Dismiss)), (None, None));
            assert_eq!(state.on(MemoStep::Dispute), Some(MemoState::Disputed));
        }
        for state in [MemoState::Accepted, MemoState::Disputed, MemoState::Answered, MemoState::Unanswered] {
            assert_eq!(state.on(MemoStep::Uphold), Some(MemoState::Posted));
            assert_eq!(state.on(MemoStep::Dismiss), Some(MemoState::Dismissed));
        }
    }

    #[test]
    fn after_its_time_an_agency_may_still_accept_but_not_dispute() {
        assert_eq!(MemoState::Unanswered.on(MemoStep::Dispute), None);
        assert_eq!(MemoState::Unanswered.on(MemoStep::Accept), Some(MemoState::Accepted));
        assert_eq!(MemoState::Accepted.on(MemoStep::Dispute), None);
        assert_eq!(MemoState::Answered.on(MemoStep::WithdrawDispute), Some(MemoState::UnderReview));
    }
}
