//! Combines the two halves of a return: one carrier, time to turn round, and classes that may be combined. Pairs are tried cheapest first
//! and only as many as can be wanted, because there are more pairs than anybody looks at.

use super::search::{Choice, MOST_OFFERS, Pricing};
use crate::catalogue::CarrierCode;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

/// Of two different brands so many pairs per carrier: they are shown beside those of one brand, not instead of them.
const MIXED_PAIRS: usize = 3;

/// The halves of one carrier in one brand, cheapest first.
type Halves<'l, 'c> = BTreeMap<(CarrierCode, &'c str), Vec<(usize, &'l Choice<'c>)>>;

/// Positions of the halves, in no particular order.
pub(super) fn pairs(pricing: &Pricing<'_, '_>, outbound: &[Choice<'_>], inbound: &[Choice<'_>]) -> Vec<[usize; 2]> {
    let (there, back) = (halves(outbound), halves(inbound));
    let mut found = Vec::new();
    for ((carrier, brand), outbound) in &there {
        for ((_, other), inbound) in back.range((*carrier, "")..).take_while(|((own, _), _)| own == carrier) {
            let most = if brand == other { MOST_OFFERS } else { MIXED_PAIRS };
            found.extend(cheapest(pricing, outbound, inbound, most));
        }
    }
    found
}

fn halves<'l, 'c>(choices: &'l [Choice<'c>]) -> Halves<'l, 'c> {
    let mut halves: Halves<'l, 'c> = BTreeMap::new();
    for chosen in choices.iter().enumerate() {
        halves.entry((chosen.1.carrier, chosen.1.brand)).or_default().push(chosen);
    }
    for group in halves.values_mut() {
        group.sort_by_key(|(position, choice)| (choice.total_minor, choice.elapsed_minutes, *position));
    }
    halves
}

/// The cheapest pairs that fit together, of equal ones the quickest. Price and time of a pair grow along both lists, so that the next
/// best one is always beside one that was tried.
fn cheapest(
    pricing: &Pricing<'_, '_>,
    outbound: &[(usize, &Choice<'_>)],
    inbound: &[(usize, &Choice<'_>)],
    most: usize,
) -> Vec<[usize; 2]> {
    let cost = |there: usize, back: usize| {
        let ((_, there), (_, back)) = (outbound.get(there)?, inbound.get(back)?);
        let total = there.total_minor.checked_add(back.total_minor)?;
        Some((total, there.elapsed_minutes + back.elapsed_minutes))
    };
    let mut open = BinaryHeap::new();
    open.extend(cost(0, 0).map(|cost| Reverse((cost, 0, 0))));
    let mut found = Vec::with_capacity(most.min(outbound.len() * inbound.len()));
    while let Some(Reverse((_, there, back))) = open.pop() {
        if let (Some((out, first)), Some((home, second))) = (outbound.get(there), inbound.get(back))
            && pricing.fit_together(first, second)
        {
            found.push([*out, *home]);
            if found.len() == most {
                break;
            }
        }
        open.extend(cost(there, back + 1).map(|cost| Reverse((cost, there, back + 1))));
        if back == 0 {
            open.extend(cost(there + 1, 0).map(|cost| Reverse((cost, there + 1, 0))));
        }
    }
    found
}
