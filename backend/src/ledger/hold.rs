//! A hold reserves an amount on an account without moving it. It is resolved at most once.

use crate::money::Money;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldState {
    Pending,
    Posted,
    PartlyPosted,
    Voided,
    Expired,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// The held amount, or less of it, really moved; what is left over is free again.
    Post(Money),
    /// Less is to be paid than was held: a part of it is free again, and all of it ends the hold.
    Release(Money),
    Void,
    Expire,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolved {
    Applied(HoldState),
    /// The same resolution again: nothing to do.
    AlreadyApplied,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HoldError {
    #[error("the hold is already {}", .0.text())]
    Final(HoldState),
    #[error("{asked:?} is more than the {held:?} held")]
    MoreThanHeld { asked: Money, held: Money },
    #[error("{0:?} cannot be posted")]
    NotPositive(Money),
}

impl HoldState {
    const ALL: [HoldState; 5] =
        [HoldState::Pending, HoldState::Posted, HoldState::PartlyPosted, HoldState::Voided, HoldState::Expired];

    pub fn text(self) -> &'static str {
        match self {
            HoldState::Pending => "pending",
            HoldState::Posted => "posted",
            HoldState::PartlyPosted => "partly_posted",
            HoldState::Voided => "voided",
            HoldState::Expired => "expired",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        HoldState::ALL.into_iter().find(|state| state.text() == text)
    }

    /// The one place that says how a hold moves on. `held` is what is not released; `posted` is what was posted when the hold is resolved already.
    pub fn resolve(self, held: Money, posted: Money, resolution: Resolution) -> Result<Resolved, HoldError> {
        match (self, resolution) {
            (HoldState::Pending, Resolution::Post(amount)) if amount.minor <= 0 => Err(HoldError::NotPositive(amount)),
            (HoldState::Pending, Resolution::Post(amount)) if amount.minor > held.minor => {
                Err(HoldError::MoreThanHeld { asked: amount, held })
            }
            (HoldState::Pending, Resolution::Post(amount)) if amount == held => Ok(Resolved::Applied(HoldState::Posted)),
            (HoldState::Pending, Resolution::Post(_)) => Ok(Resolved::Applied(HoldState::PartlyPosted)),
            (HoldState::Pending, Resolution::Release(part)) if part.minor <= 0 => Err(HoldError::NotPositive(part)),
            (HoldState::Pending, Resolution::Release(part)) if part.minor > held.minor => {
                Err(HoldError::MoreThanHeld { asked: part, held })
            }
            (HoldState::Pending, Resolution::Release(part)) if part == held => Ok(Resolved::Applied(HoldState::Voided)),
            (HoldState::Pending, Resolution::Release(_)) => Ok(Resolved::Applied(HoldState::Pending)),
            (HoldState::Pending, Resolution::Void) => Ok(Resolved::Applied(HoldState::Voided)),
            (HoldState::Pending, Resolution::Expire) => Ok(Resolved::Applied(HoldState::Expired)),
            (HoldState::Posted | HoldState::PartlyPosted, Resolution::Post(amount)) if amount == posted => {
                Ok(Resolved::AlreadyApplied)
            }
            (HoldState::Voided, Resolution::Void) | (HoldState::Expired, Resolution::Expire) => Ok(Resolved::AlreadyApplied),
            (state, _) => Err(HoldError::Final(state)),
        }
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)]
mod tests {
    use super::*;
    use crate::money::Currency;
    use proptest::prelude::*;

    fn cny(minor: i64) -> Money {
        Money::new(minor, Currency::CNY)
    }

    fn resolutions() -> impl Strategy<Value = Resolution> {
        prop_oneof![
            (-10i64..200).prop_map(|minor| Resolution::Post(cny(minor))),
            (-10i64..200).prop_map(|minor| Resolution::Release(cny(minor))),
            Just(Resolution::Void),
            Just(Resolution::Expire),
        ]
    }

    proptest! {
        #[test]
        fn whatever_is_tried_a_hold_is_resolved_at_most_once(tries in prop::collection::vec(resolutions(), 0..12)) {
            let (mut held, mut state, mut posted, mut ended) = (cny(100), HoldState::Pending, cny(0), 0);
            for resolution in tries {
                if let Ok(Resolved::Applied(next)) = state.resolve(held, posted, resolution) {
                    ended += usize::from(next != HoldState::Pending);
                    state = next;
                    match resolution {
                        Resolution::Post(amount) => posted = amount,
                        Resolution::Release(part) => held = cny(held.minor - part.minor),
                        Resolution::Void | Resolution::Expire => {}
                    }
                }
                prop_assert!(posted.minor <= held.minor && posted.minor >= 0);
            }
            prop_assert!(ended <= 1);
            prop_assert_eq!(ended == 0, state == HoldState::Pending);
            prop_assert!(held.minor > 0 || state == HoldState::Voided);
        }
    }

    #[test]
    fn a_commit_and_an_expiry_of_the_same_hold_cannot_both_win() {
        let held = cny(91_500);
        assert_eq!(HoldState::Posted.resolve(held, held, Resolution::Expire), Err(HoldError::Final(HoldState::Posted)));
        assert_eq!(HoldState::Expired.resolve(held, cny(0), Resolution::Post(held)), Err(HoldError::Final(HoldState::Expired)));
        assert_eq!(HoldState::Posted.resolve(held, held, Resolution::Post(held)), Ok(Resolved::AlreadyApplied));
    }
}
