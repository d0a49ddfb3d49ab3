//! What is left of a limit.

use crate::money::{Money, MoneyError};

/// Never negative on either side: what may still be used, and by how much the limit is exceeded. Interest, fees and a lowered limit may
/// exceed it; then only new sales stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    pub available: Money,
    pub over: Money,
}

impl Room {
    pub fn of(limit: Money, used: Money) -> Result<Self, MoneyError> {
        let left = limit.checked_sub(used)?;
        let zero = Money::zero(left.currency);
        if left.is_negative() {
            return Ok(Room { available: zero, over: left.checked_neg()? });
        }
        Ok(Room { available: left, over: zero })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::money::Currency;

    #[test]
    fn what_exceeds_a_limit_is_shown_apart() {
        let cny = |minor| Money::new(minor, Currency::CNY);
        assert_eq!(Room::of(cny(100), cny(30)).unwrap(), Room { available: cny(70), over: cny(0) });
        assert_eq!(Room::of(cny(100), cny(130)).unwrap(), Room { available: cny(0), over: cny(30) });
        assert_eq!(Room::of(cny(0), cny(0)).unwrap(), Room { available: cny(0), over: cny(0) });
        // An agency that has paid too much may sell for that as well.
        assert_eq!(Room::of(cny(100), cny(-5)).unwrap(), Room { available: cny(105), over: cny(0) });
    }
}
