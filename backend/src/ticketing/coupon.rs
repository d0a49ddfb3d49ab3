//! What may happen to a coupon, and who may do it: the letters of the trade and one state machine that every verb asks.

use super::ticket::CouponRow;
use crate::db::DbError;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CouponStatus {
    Open,
    AirportControl,
    CheckedIn,
    Lifted,
    Flown,
    Exchanged,
    Refunded,
    Void,
    Suspended,
    Unavailable,
    Printed,
    FlightInterruption,
    Irregular,
    PrintExchange,
    TaxesRefunded,
    Closed,
}

/// Who changes a coupon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CouponSide {
    Platform,
    /// The platform, where the airline permits that an unavailable coupon is exchanged.
    PlatformByPermission,
    Airline,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CouponMoved {
    Applied,
    /// It has this status: nothing to do, and nothing to be done twice.
    AlreadyApplied,
    Refused(CouponRefusal),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum CouponRefusal {
    #[error("this side never sets this status")]
    NotYours,
    #[error("the airline has control of the coupon and has to return it to open first")]
    AirlineControl,
    #[error("the coupon is unavailable: it can only be exchanged, and only if the airline permits it")]
    Unavailable,
    #[error("the status is final; only the airline reverses it, to open")]
    Final,
    #[error("the taxes of the coupon were refunded, and nothing else can be taken back")]
    TaxesRefunded,
    #[error("a paper coupon is not kept up to date here")]
    Paper,
}

impl CouponRefusal {
    /// Stable, for files and clients.
    pub fn code(self) -> &'static str {
        match self {
            CouponRefusal::NotYours => "not_yours",
            CouponRefusal::AirlineControl => "airline_control",
            CouponRefusal::Unavailable => "unavailable",
            CouponRefusal::Final => "final",
            CouponRefusal::TaxesRefunded => "taxes_refunded",
            CouponRefusal::Paper => "paper",
        }
    }
}

impl CouponStatus {
    pub const ALL: [CouponStatus; 16] = [
        CouponStatus::Open,
        CouponStatus::AirportControl,
        CouponStatus::CheckedIn,
        CouponStatus::Lifted,
        CouponStatus::Flown,
        CouponStatus::Exchanged,
        CouponStatus::Refunded,
        CouponStatus::Void,
        CouponStatus::Suspended,
        CouponStatus::Unavailable,
        CouponStatus::Printed,
        CouponStatus::FlightInterruption,
        CouponStatus::Irregular,
        CouponStatus::PrintExchange,
        CouponStatus::TaxesRefunded,
        CouponStatus::Closed,
    ];

    /// The letter of the trade.
    pub fn text(self) -> &'static str {
        match self {
            CouponStatus::Open => "O",
            CouponStatus::AirportControl => "A",
            CouponStatus::CheckedIn => "C",
            CouponStatus::Lifted => "L",
            CouponStatus::Flown => "F",
            CouponStatus::Exchanged => "E",
            CouponStatus::Refunded => "R",
            CouponStatus::Void => "V",
            CouponStatus::Suspended => "S",
            CouponStatus::Unavailable => "U",
            CouponStatus::Printed => "P",
            CouponStatus::FlightInterruption => "G",
            CouponStatus::Irregular => "I",
            CouponStatus::PrintExchange => "X",
            CouponStatus::TaxesRefunded => "Y",
            CouponStatus::Closed => "Z",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        CouponStatus::ALL.into_iter().find(|status| status.text() == text)
    }

    /// Nothing follows it unless the airline reverses it.
    pub fn is_final(self) -> bool {
        use CouponStatus::{Closed, Exchanged, Flown, Refunded, Void};
        matches!(self, Exchanged | Refunded | Void | Flown | Closed)
    }

    /// Whether the platform gave money back, or took the coupon as money, when it set this status.
    pub fn is_settled(self) -> bool {
        use CouponStatus::{Exchanged, Refunded, TaxesRefunded, Void};
        matches!(self, Exchanged | Refunded | Void | TaxesRefunded)
    }

    /// The one place that says how a coupon moves, and who moves it. Source: the coupon status rules of the trade (IATA resolution 722f): the platform exchanges,
    /// refunds and voids what is open; an airline that has control returns it first; what is final only the airline reverses.
    pub fn on(self, by: CouponSide, target: CouponStatus) -> CouponMoved {
        use CouponMoved::{AlreadyApplied, Applied, Refused};
        use CouponSide::{Airline, Platform, PlatformByPermission};
        use CouponStatus::{
            AirportControl, CheckedIn, Closed, Exchanged, FlightInterruption, Flown, Irregular, Lifted, Open, PrintExchange,
            Printed, Refunded, Suspended, TaxesRefunded, Unavailable, Void,
        };
        match (by, self, target) {
            _ if self == target => AlreadyApplied,
            (_, Printed | PrintExchange, _) | (_, _, Printed | PrintExchange) => Refused(CouponRefusal::Paper),

            (Platform | PlatformByPermission, Open, Exchanged | Refunded | Void | TaxesRefunded) => Applied,
            // The void of an exchange, in the commit that takes the new ticket's money back.
            (Platform | PlatformByPermission, Exchanged, Open) => Applied,
            (PlatformByPermission, Unavailable, Exchanged) => Applied,
            (Platform | PlatformByPermission, _, Open | AirportControl | CheckedIn | Lifted | Flown) => {
                Refused(CouponRefusal::NotYours)
            }
            (Platform | PlatformByPermission, _, Suspended | Unavailable | FlightInterruption | Irregular | Closed) => {
                Refused(CouponRefusal::NotYours)
            }
            (Platform | PlatformByPermission, Unavailable, _) => Refused(CouponRefusal::Unavailable),
            (Platform | PlatformByPermission, TaxesRefunded, _) => Refused(CouponRefusal::TaxesRefunded),
            (Platform | PlatformByPermission, Exchanged | Refunded | Void | Flown | Closed, _) => Refused(CouponRefusal::Final),
            (Platform | PlatformByPermission, _, Exchanged | Refunded | Void | TaxesRefunded) => {
                Refused(CouponRefusal::AirlineControl)
            }

            (Airline, _, Exchanged | Refunded | Void | TaxesRefunded) => Refused(CouponRefusal::NotYours),
            // Control returned, a suspension lifted, a final status reversed.
            (Airline, _, Open) => Applied,
            (Airline, Exchanged | Refunded | Void | Flown | Closed, _) => Refused(CouponRefusal::Final),
            (Airline, TaxesRefunded, _) => Refused(CouponRefusal::TaxesRefunded),
            (Airline, _, AirportControl | CheckedIn | Lifted | Flown) => Applied,
            (Airline, _, Suspended | Unavailable | FlightInterruption | Irregular | Closed) => Applied,
        }
    }
}

impl CouponRow {
    pub fn status(&self) -> Result<CouponStatus, DbError> {
        CouponStatus::parse(&self.status)
            .ok_or_else(|| DbError::Corrupt(format!("coupon {} has status {}", self.id, self.status)))
    }
}

/// The first of these coupons that the side cannot move to the target now, and why: `AlreadyApplied` counts, because what money was given back for once is not
/// given back again.
pub fn first_unmovable(
    coupons: &[CouponRow],
    by: CouponSide,
    target: CouponStatus,
) -> Result<Option<(&CouponRow, CouponMoved)>, DbError> {
    for coupon in coupons {
        match coupon.status()?.on(by, target) {
            CouponMoved::Applied => {}
            other => return Ok(Some((coupon, other))),
        }
    }
    Ok(None)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use proptest::sample::select;

    fn status(letter: char) -> CouponStatus {
        CouponStatus::parse(&letter.to_string()).unwrap()
    }

    /// The letters that this side can give a coupon of this status.
    fn reachable(from: char, by: CouponSide) -> String {
        let applied = |to: &CouponStatus| status(from).on(by, *to) == CouponMoved::Applied;
        CouponStatus::ALL.into_iter().filter(applied).map(CouponStatus::text).collect()
    }

    #[test]
    fn every_letter_is_read_as_it_is_written() {
        for one in CouponStatus::ALL {
            assert_eq!(CouponStatus::parse(one.text()), Some(one));
        }
        assert_eq!([CouponStatus::parse("o"), CouponStatus::parse(""), CouponStatus::parse("OO")], [None; 3]);
    }

    #[test]
    fn an_open_coupon_is_exchanged_refunded_voided_or_its_taxes_refunded() {
        assert_eq!(reachable('O', CouponSide::Platform), "ERVY");
    }

    #[test]
    fn what_the_airline_controls_is_returned_before_anything_is_taken_back() {
        for from in ['A', 'C', 'L', 'S', 'G', 'I'] {
            assert_eq!(reachable(from, CouponSide::Platform), "", "{from}");
            let refused = status(from).on(CouponSide::Platform, CouponStatus::Refunded);
            assert_eq!(refused, CouponMoved::Refused(CouponRefusal::AirlineControl), "{from}");
            assert_eq!(status(from).on(CouponSide::Airline, CouponStatus::Open), CouponMoved::Applied, "{from}");
        }
    }

    #[test]
    fn an_unavailable_coupon_is_only_exchanged_and_only_by_permission() {
        assert_eq!(reachable('U', CouponSide::Platform), "");
        assert_eq!(reachable('U', CouponSide::PlatformByPermission), "E");
    }

    #[test]
    fn the_airline_sets_its_own_letters_and_reverses_what_is_final_to_open() {
        assert_eq!(reachable('O', CouponSide::Airline), "ACLFSUGIZ");
        for from in ['E', 'R', 'V', 'F', 'Z', 'Y'] {
            assert_eq!(reachable(from, CouponSide::Airline), "O", "{from}");
        }
    }

    #[test]
    fn only_the_void_of_an_exchange_opens_a_coupon_again_without_the_airline() {
        let opened = CouponStatus::ALL
            .into_iter()
            .filter(|from| from.on(CouponSide::Platform, CouponStatus::Open) == CouponMoved::Applied);
        assert_eq!(opened.collect::<Vec<_>>(), [CouponStatus::Exchanged]);
    }

    #[test]
    fn nobody_touches_paper() {
        for from in ['P', 'X'] {
            assert_eq!(reachable(from, CouponSide::Platform) + &reachable(from, CouponSide::Airline), "", "{from}");
        }
    }

    proptest! {
        /// Whatever happened to a coupon: what was given back is given back once more only after the airline has opened it again or the exchange was voided.
        #[test]
        fn nothing_is_taken_back_twice(steps in prop::collection::vec(
            (select(vec![CouponSide::Platform, CouponSide::PlatformByPermission, CouponSide::Airline]), select(CouponStatus::ALL.to_vec())), 0..60,
        )) {
            let (mut now, mut given_back) = (CouponStatus::Open, false);
            for (by, target) in steps {
                let moved = now.on(by, target);
                prop_assert_eq!(moved == CouponMoved::AlreadyApplied, now == target);
                if moved != CouponMoved::Applied {
                    continue;
                }
                if target.is_settled() {
                    prop_assert!(by != CouponSide::Airline);
                    prop_assert!(!given_back, "{:?} to {:?}", now, target);
                }
                prop_assert!(by == CouponSide::Airline || target.is_settled() || target == CouponStatus::Open);
                prop_assert!(!now.is_final() || target == CouponStatus::Open, "{:?} to {:?}", now, target);
                given_back = target.is_settled();
                now = target;
            }
        }
    }
}
