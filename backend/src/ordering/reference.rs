//! Record locators: six characters of A-Z and 2-9 without I and O (0 and 1 are not in the range anyway), so that nobody misreads one.

use crate::ids::{Id, OrderId};

const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/// 32^6: how many locators there are.
const SPACE_BITS: u32 = 30;
/// Odd, so that multiplication permutes the space; without a pattern a person would see from one sale to the next.
const STRIDE: u64 = 0x2545_F491;
const OFFSET: u64 = 0x1B87_3593;
/// From one draw to the next.
const REDRAW: u64 = 0x1656_67B1;
/// Spreads ids that differ in few bits: 2^64 divided by the golden ratio.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// Which of several locators an order gets: another one is drawn only when the database refused the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Draw(u32);

impl Draw {
    /// More than ever are needed: the next one, or `None` when something else must be wrong.
    pub fn next(self) -> Option<Self> {
        (self.0 < 8).then_some(Draw(self.0 + 1))
    }
}

/// The locator of the order whose first ticket has this document number. Document numbers of an airline never repeat, and the mapping is a permutation:
/// two tickets of one airline get the same locator only 2^30 documents apart. The database refuses that, or one that a held order has, and the
/// next draw is another one. The accounting code shifts the sequence, so that airlines that begin at the same number do not all give out the
/// same locators.
pub fn booking_reference(accounting_code: &str, document: i64, draw: Draw) -> String {
    let mask = (1u64 << SPACE_BITS) - 1;
    let shift = accounting_code.bytes().fold(OFFSET, |shift, digit| shift.wrapping_mul(131).wrapping_add(u64::from(digit)));
    let redrawn = shift.wrapping_add(u64::from(draw.0).wrapping_mul(REDRAW));
    let scattered = document.unsigned_abs().wrapping_mul(STRIDE).wrapping_add(redrawn) & mask;
    // Folding the high half into the low one keeps it a permutation and mixes neighbours apart.
    let mut rest = scattered ^ (scattered >> (SPACE_BITS / 2));
    let mut text = String::with_capacity(6);
    for _ in 0..6 {
        let letter = usize::try_from(rest & 31).ok().and_then(|place| ALPHABET.get(place)).copied().unwrap_or(b'A');
        text.push(char::from(letter));
        rest >>= 5;
    }
    text
}

/// The locator of an order that has no document yet, from its id. Two may be the same by chance, which the database refuses: an order that is
/// tried again has another id.
pub fn held_booking_reference(accounting_code: &str, order: OrderId) -> String {
    let spread = order.raw().unsigned_abs().wrapping_mul(GOLDEN) >> (u64::BITS - SPACE_BITS);
    booking_reference(accounting_code, i64::try_from(spread).unwrap_or_default(), Draw::default())
}

#[cfg(test)]
mod tests {
    use super::{Draw, booking_reference, held_booking_reference};
    use crate::ids::{IdGenerator, OrderId};
    use std::collections::HashSet;

    #[test]
    fn neighbours_get_different_locators_without_confusable_characters() {
        let references: HashSet<String> =
            (2_100_000_000..2_100_200_000).map(|document| booking_reference("999", document, Draw::default())).collect();
        assert_eq!(references.len(), 200_000);
        for reference in references.iter().take(1_000) {
            assert_eq!(reference.len(), 6);
            assert!(!reference.contains(['I', 'O', '0', '1']), "{reference}");
        }
    }

    #[test]
    fn two_airlines_that_begin_at_one_number_differ() {
        let of = |code| booking_reference(code, 2_100_000_001, Draw::default());
        assert_ne!(of("999"), of("781"));
    }

    #[test]
    fn every_draw_is_another_locator() {
        let draws = std::iter::successors(Some(Draw::default()), |draw| draw.next());
        let references: HashSet<String> = draws.map(|draw| booking_reference("999", 2_100_000_001, draw)).collect();
        assert_eq!(references.len(), 9);
    }

    #[test]
    fn orders_that_are_held_one_after_the_other_seldom_meet() {
        let ids = IdGenerator::new(7, 1_790_000_000_000);
        let references: HashSet<String> = (0..20_000).map(|_| held_booking_reference("999", ids.next::<OrderId>())).collect();
        // By chance two of so many would meet once in five runs; these ids are always the same.
        assert!(references.len() >= 19_998, "{}", references.len());
    }
}
