#![allow(clippy::unwrap_used)]

use super::*;
use crate::money::Currency;
use proptest::prelude::*;

fn cny(text: &str) -> Money {
    Money::parse(text, Currency::CNY).unwrap()
}

fn fen(minor: i64) -> Money {
    Money::new(minor, Currency::CNY)
}

fn tax(code: &str, payee: &str, amount: Money, remitter: TaxRemitter) -> SoldTax {
    SoldTax { tax: Tax { code: code.into(), payee: payee.into(), amount }, remitter, rule: RefundRule::Whole }
}

/// The worked ticket: fare 950.00 and CN 50.00, commission 30.00, fee 5.00.
fn worked(remitter: TaxRemitter) -> Vec<CouponShare> {
    let taxes = vec![tax("CN", "CAAC", cny("50.00"), remitter)];
    coupon_shares(&[SoldCoupon { number: 1, base: cny("950.00"), taxes }], cny("30.00"), cny("5.00")).unwrap()
}

const TERMS: [RefundTerms; 4] = [
    RefundTerms { clawback: Clawback::Full, fee: FeeOnRefund::Refunded },
    RefundTerms { clawback: Clawback::Full, fee: FeeOnRefund::Kept },
    RefundTerms { clawback: Clawback::ProRata, fee: FeeOnRefund::Kept },
    RefundTerms { clawback: Clawback::None, fee: FeeOnRefund::Kept },
];

fn all(coupons: &[CouponShare], penalty: Money) -> Returned {
    Returned::of(coupons, penalty, |_| true).unwrap()
}

fn authority(legs: &RefundLegs) -> Money {
    Money::sum(Currency::CNY, legs.authority.iter().map(|tax| tax.amount)).unwrap()
}

#[test]
fn the_worked_ticket_of_class_k_comes_back_as_the_four_rows_say() {
    let rows =
        [("725.00", "30.00", "5.00"), ("730.00", "30.00", "0.00"), ("736.00", "24.00", "0.00"), ("760.00", "0.00", "0.00")];
    for (terms, (airline, commission, fee)) in TERMS.into_iter().zip(rows) {
        let legs = refund_legs(&all(&worked(TaxRemitter::Platform), cny("190.00")), terms).unwrap();
        assert_eq!((legs.refund, authority(&legs)), (cny("810.00"), cny("50.00")));
        assert_eq!((legs.airline, legs.commission, legs.fee), (cny(airline), cny(commission), cny(fee)), "{terms:?}");
    }
}

#[test]
fn an_airline_that_remits_its_taxes_gives_them_back_itself() {
    let legs = refund_legs(&all(&worked(TaxRemitter::Airline), cny("190.00")), TERMS[0]).unwrap();
    assert_eq!((legs.refund, legs.airline, legs.authority.len()), (cny("810.00"), cny("775.00"), 0));
}

#[test]
fn a_fare_that_is_kept_whole_is_still_sold() {
    for terms in TERMS {
        let legs = refund_legs(&all(&worked(TaxRemitter::Platform), cny("950.00")), terms).unwrap();
        assert_eq!((legs.refund, authority(&legs), legs.airline), (cny("50.00"), cny("50.00"), cny("0.00")));
        assert_eq!((legs.commission, legs.fee), (cny("0.00"), cny("0.00")));
    }
}

#[test]
fn the_airline_never_pays_for_a_refund() {
    // Of the fare only 32.00 comes back: the commission of 30.00 goes first, then what is left of the fee.
    let legs = refund_legs(&all(&worked(TaxRemitter::Platform), cny("918.00")), TERMS[0]).unwrap();
    assert_eq!((legs.airline, legs.commission, legs.fee), (cny("0.00"), cny("30.00"), cny("2.00")));
}

#[test]
fn a_second_amount_makes_up_for_a_lower_penalty() {
    for terms in TERMS {
        let coupons = worked(TaxRemitter::Platform);
        let first = refund_legs(&all(&coupons, cny("190.00")), terms).unwrap();
        let more = supplement_legs(&all(&coupons, cny("190.00")), &first, terms, cny("95.00")).unwrap();
        let at_once = refund_legs(&all(&coupons, cny("95.00")), terms).unwrap();
        assert_eq!(first.airline.checked_add(more.airline).unwrap(), at_once.airline, "{terms:?}");
        assert_eq!(first.commission.checked_add(more.commission).unwrap(), at_once.commission, "{terms:?}");
        assert_eq!(first.fee.checked_add(more.fee).unwrap(), at_once.fee, "{terms:?}");
    }
}

prop_compose! {
    /// Coupons with a tax of an authority, a surcharge of the carrier, and commission and fee that leave the airline something.
    fn tickets()(
        coupons in prop::collection::vec((0i64..200_000, 0i64..9_000, 0i64..9_000), 1..=4), commission in 0i64..=1_000, fee in 0i64..=1_000,
    ) -> (Vec<SoldCoupon>, Money, Money) {
        let left: i64 = coupons.iter().map(|(base, _, own)| base + own).sum();
        let commission = left * commission / 1_000;
        let fee = (left - commission) * fee / 1_000;
        let coupon = |(number, (base, cn, yq)): (i64, (i64, i64, i64))| SoldCoupon {
            number,
            base: fen(base),
            taxes: vec![
                tax("CN", "CAAC", fen(cn), TaxRemitter::Platform),
                tax("YQ", "CA", fen(yq), TaxRemitter::Airline),
            ],
        };
        ((1i64..).zip(coupons).map(coupon).collect(), fen(commission), fen(fee))
    }
}

proptest! {
    #[test]
    fn all_coupons_in_any_order_are_the_ticket_exactly(
        (sold, commission, fee) in tickets(), order in Just((0..4usize).collect::<Vec<_>>()).prop_shuffle(), together in 1usize..=4,
    ) {
        let shares = coupon_shares(&sold, commission, fee).unwrap();
        let order: Vec<CouponShare> = order.into_iter().filter_map(|place| shares.get(place).cloned()).collect();
        let (mut airline, mut back, mut refund) = (0, (0, 0), 0);
        for part in order.chunks(together) {
            let legs = refund_legs(&all(part, fen(0)), TERMS[0]).unwrap();
            prop_assert!(legs.airline.minor >= 0);
            airline += legs.airline.minor;
            back = (back.0 + legs.commission.minor, back.1 + legs.fee.minor);
            refund += legs.refund.minor;
        }
        let own: i64 = sold.iter().map(|one| one.base.minor + one.taxes[1].tax.amount.minor).sum();
        let taxes: i64 = sold.iter().map(|one| one.taxes[0].tax.amount.minor).sum();
        prop_assert_eq!(back, (commission.minor, fee.minor));
        prop_assert_eq!(airline, own - commission.minor - fee.minor);
        prop_assert_eq!(refund, own + taxes);
    }

    #[test]
    fn the_legs_always_balance_and_none_is_negative(
        (sold, commission, fee) in tickets(), kept in 0i64..=100, row in 0usize..4, share in 0i64..=100,
    ) {
        let shares = coupon_shares(&sold, commission, fee).unwrap();
        let fare: i64 = shares.iter().map(|one| one.base.minor).sum();
        let returned = all(&shares, fen(fare * kept / 100));
        let legs = refund_legs(&returned, TERMS[row]).unwrap();
        let sum = legs.airline.minor + authority(&legs).minor + legs.commission.minor + legs.fee.minor;
        prop_assert_eq!(sum, legs.refund.minor);
        prop_assert!(legs.airline.minor >= 0 && legs.commission.minor >= 0 && legs.fee.minor >= 0);
        prop_assert!(legs.commission.minor <= commission.minor && legs.fee.minor <= fee.minor);

        let amount = fen(returned.penalty.minor * share / 100);
        let more = supplement_legs(&returned, &legs, TERMS[row], amount).unwrap();
        prop_assert_eq!(more.airline.minor + more.commission.minor + more.fee.minor, amount.minor);
        prop_assert!(more.airline.minor >= 0 && more.commission.minor >= 0 && more.fee.minor >= 0);
        prop_assert!(legs.commission.minor + more.commission.minor <= commission.minor && legs.fee.minor + more.fee.minor <= fee.minor);
        prop_assert!(legs.refund.minor + more.refund.minor <= fare + returned.taxes.iter().map(|one| one.tax.amount.minor).sum::<i64>());
    }
}
