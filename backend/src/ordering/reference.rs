//! Record locators: six characters of A-Z and 2-9 without I and O (0 and 1 are not in the range anyway), so that nobody misreads one.

const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/// 32^6: how many locators there are.
const SPACE_BITS: u32 = 30;
/// Odd, so that multiplication permutes the space; without a pattern a person would see from one sale to the next.
const STRIDE: u64 = 0x2545_F491;
const OFFSET: u64 = 0x1B87_3593;

/// The locator of the order whose first ticket has this document number. Document numbers of an airline never repeat, and the mapping is a permutation:
/// two orders of one airline get the same locator only 2^30 documents apart, and the database refuses that. The accounting code shifts the
/// sequence, so that airlines that begin at the same number do not all give out the same locators.
pub fn booking_reference(accounting_code: &str, document: i64) -> String {
    let mask = (1u64 << SPACE_BITS) - 1;
    let shift = accounting_code.bytes().fold(OFFSET, |shift, digit| shift.wrapping_mul(131).wrapping_add(u64::from(digit)));
    let scattered = document.unsigned_abs().wrapping_mul(STRIDE).wrapping_add(shift) & mask;
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

#[cfg(test)]
mod tests {
    use super::booking_reference;
    use std::collections::HashSet;

    #[test]
    fn neighbours_get_different_locators_without_confusable_characters() {
        let references: HashSet<String> =
            (2_100_000_000..2_100_200_000).map(|document| booking_reference("999", document)).collect();
        assert_eq!(references.len(), 200_000);
        for reference in references.iter().take(1_000) {
            assert_eq!(reference.len(), 6);
            assert!(!reference.contains(['I', 'O', '0', '1']), "{reference}");
        }
    }

    #[test]
    fn two_airlines_that_begin_at_one_number_differ() {
        assert_ne!(booking_reference("999", 2_100_000_001), booking_reference("781", 2_100_000_001));
    }
}
