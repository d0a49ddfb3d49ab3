//! Money is a whole number of minor units in one currency; a rate is a decimal. Nothing here rounds silently: text with too many decimals
//! is an error, arithmetic is checked, and the three operations that must round (`portion`, `allocate`, `prorate`) say how.
//! Clippy denies unchecked arithmetic and `as` in this module.
#![deny(clippy::arithmetic_side_effects, clippy::as_conversions)]

mod iso4217;

use rust_decimal::{Decimal, RoundingStrategy, prelude::ToPrimitive};
use std::fmt;

/// An active ISO 4217 currency.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency {
    code: [u8; 3],
    exponent: u8,
}

/// An amount in minor units (fen, cent, fils) of its currency. May be negative.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    pub minor: i64,
    pub currency: Currency,
}

/// A dimensionless factor such as 0.005 for half a per cent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate(Decimal);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    #[error("{0:?} is not an active ISO 4217 currency code")]
    UnknownCurrency(String),
    #[error("{0:?} is not a decimal number")]
    NotANumber(String),
    #[error("{text:?} has more decimals than {currency} has ({allowed})")]
    TooManyDecimals { text: String, currency: Currency, allowed: u8 },
    #[error("the amount does not fit")]
    Overflow,
    #[error("{left} and {right} are different currencies")]
    CurrencyMismatch { left: Currency, right: Currency },
    #[error("nothing to allocate over")]
    NoWeights,
}

impl Currency {
    pub const CNY: Currency = Currency { code: *b"CNY", exponent: 2 };

    pub fn parse(code: &str) -> Result<Self, MoneyError> {
        let unknown = || MoneyError::UnknownCurrency(code.chars().take(16).collect());
        let exponent = iso4217::exponent(code).ok_or_else(unknown)?;
        let bytes = code.as_bytes().try_into().map_err(|_| unknown())?;
        Ok(Currency { code: bytes, exponent })
    }

    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.code).unwrap_or("")
    }

    /// This many minor units as the decimal string of the API. For sums over many amounts, which may not fit [`Money`].
    pub fn decimal(self, minor: i128) -> String {
        let exponent = usize::from(self.exponent);
        let sign = if minor < 0 { "-" } else { "" };
        let width = exponent.saturating_add(1);
        let digits = format!("{:0>width$}", minor.unsigned_abs());
        let (whole, decimals) = digits.split_at(digits.len().saturating_sub(exponent));
        if exponent == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{decimals}") }
    }

    /// The number of decimals of the minor unit.
    pub fn exponent(self) -> u8 {
        self.exponent
    }
}

impl Money {
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Money { minor, currency }
    }

    pub const fn zero(currency: Currency) -> Self {
        Money { minor: 0, currency }
    }

    /// Reads `"1000.00"`. Fewer decimals than the currency has are fine, more are an error even when they are zeros,
    /// because a client that sends them has the wrong exponent in mind.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let not_a_number = || MoneyError::NotANumber(text.chars().take(40).collect());
        let (sign, digits) = match text.strip_prefix('-') {
            Some(rest) => ("-", rest),
            None => ("", text),
        };
        let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let ends_in_point = digits.ends_with('.');
        if whole.is_empty() || !all_digits(whole) || !all_digits(decimals) || ends_in_point {
            return Err(not_a_number());
        }
        let exponent = usize::from(currency.exponent);
        if decimals.len() > exponent {
            let text = text.chars().take(40).collect();
            return Err(MoneyError::TooManyDecimals { text, currency, allowed: currency.exponent });
        }
        let minor = format!("{sign}{whole}{decimals:0<exponent$}").parse().map_err(|_| MoneyError::Overflow)?;
        Ok(Money { minor, currency })
    }

    pub fn checked_add(self, other: Money) -> Result<Money, MoneyError> {
        self.same_currency(other)?;
        let minor = self.minor.checked_add(other.minor).ok_or(MoneyError::Overflow)?;
        Ok(Money { minor, ..self })
    }

    pub fn checked_sub(self, other: Money) -> Result<Money, MoneyError> {
        self.same_currency(other)?;
        let minor = self.minor.checked_sub(other.minor).ok_or(MoneyError::Overflow)?;
        Ok(Money { minor, ..self })
    }

    pub fn checked_neg(self) -> Result<Money, MoneyError> {
        let minor = self.minor.checked_neg().ok_or(MoneyError::Overflow)?;
        Ok(Money { minor, ..self })
    }

    pub fn checked_mul(self, count: i64) -> Result<Money, MoneyError> {
        let minor = self.minor.checked_mul(count).ok_or(MoneyError::Overflow)?;
        Ok(Money { minor, ..self })
    }

    pub fn sum(currency: Currency, amounts: impl IntoIterator<Item = Money>) -> Result<Money, MoneyError> {
        amounts.into_iter().try_fold(Money::zero(currency), Money::checked_add)
    }

    pub fn is_negative(self) -> bool {
        self.minor < 0
    }

    /// This share of the amount, rounded half-even to the minor unit.
    pub fn portion(self, rate: Rate) -> Result<Money, MoneyError> {
        let minor = half_even(self.exact_portion(rate)?)?;
        Ok(Money { minor, ..self })
    }

    /// This share of the amount in minor units, not rounded.
    pub fn exact_portion(self, rate: Rate) -> Result<Decimal, MoneyError> {
        Decimal::from(self.minor).checked_mul(rate.0).ok_or(MoneyError::Overflow)
    }

    /// Rounds exact amounts of minor units so that they add up to their rounded sum: part k is the difference of the cumulative sums k and k-1,
    /// each rounded half-even.
    pub fn round_cumulatively(currency: Currency, exact: &[Decimal]) -> Result<Vec<Money>, MoneyError> {
        let (mut cumulative, mut given) = (Decimal::ZERO, 0i64);
        let mut parts = Vec::with_capacity(exact.len());
        for amount in exact {
            cumulative = cumulative.checked_add(*amount).ok_or(MoneyError::Overflow)?;
            let upto = half_even(cumulative)?;
            parts.push(Money { minor: upto.checked_sub(given).ok_or(MoneyError::Overflow)?, currency });
            given = upto;
        }
        Ok(parts)
    }

    /// Splits the amount over weights so that the parts add up to it exactly: part k is the difference of the rounded
    /// cumulative sums k and k-1. Giving back all parts, in any order, gives back the whole.
    pub fn allocate(self, weights: &[u64]) -> Result<Vec<Money>, MoneyError> {
        let total: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
        if total == 0 {
            return Err(MoneyError::NoWeights);
        }
        let mut parts = Vec::with_capacity(weights.len());
        let (mut cumulative, mut given) = (0u128, 0i64);
        for weight in weights {
            cumulative = cumulative.checked_add(u128::from(*weight)).ok_or(MoneyError::Overflow)?;
            let upto = rounded_fraction(self.minor, cumulative, total)?;
            let minor = upto.checked_sub(given).ok_or(MoneyError::Overflow)?;
            parts.push(Money { minor, ..self });
            given = upto;
        }
        Ok(parts)
    }

    fn same_currency(self, other: Money) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            return Ok(());
        }
        Err(MoneyError::CurrencyMismatch { left: self.currency, right: other.currency })
    }
}

impl Rate {
    pub const ZERO: Rate = Rate(Decimal::ZERO);

    pub fn parse(text: &str) -> Result<Self, MoneyError> {
        let not_a_number = || MoneyError::NotANumber(text.chars().take(40).collect());
        text.parse::<Decimal>().map(Rate).map_err(|_| not_a_number())
    }

    pub fn decimal(self) -> Decimal {
        self.0
    }

    pub fn is_negative(self) -> bool {
        self.0.is_sign_negative() && !self.0.is_zero()
    }
}

impl From<Decimal> for Rate {
    fn from(value: Decimal) -> Self {
        Rate(value)
    }
}

/// value x numerator / denominator, rounded half-even, in 128 bits.
fn rounded_fraction(value: i64, numerator: u128, denominator: u128) -> Result<i64, MoneyError> {
    let product = u128::from(value.unsigned_abs()).checked_mul(numerator).ok_or(MoneyError::Overflow)?;
    let quotient = product.checked_div(denominator).ok_or(MoneyError::NoWeights)?;
    let remainder = product.checked_rem(denominator).ok_or(MoneyError::NoWeights)?;
    let twice = remainder.checked_mul(2).ok_or(MoneyError::Overflow)?;
    let odd = quotient & 1 == 1;
    let up = twice > denominator || (twice == denominator && odd);
    let magnitude = quotient.checked_add(u128::from(up)).ok_or(MoneyError::Overflow)?;
    let magnitude = i64::try_from(magnitude).map_err(|_| MoneyError::Overflow)?;
    if value < 0 { magnitude.checked_neg().ok_or(MoneyError::Overflow) } else { Ok(magnitude) }
}

fn half_even(exact: Decimal) -> Result<i64, MoneyError> {
    let rounded = exact.round_dp_with_strategy(0, RoundingStrategy::MidpointNearestEven);
    rounded.to_i64().ok_or(MoneyError::Overflow)
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// The decimal string of the API: `1000.00`, without the currency.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.currency.decimal(i128::from(self.minor)))
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} {}", self.currency)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.normalize())
    }
}

impl fmt::Debug for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Half to even, for a positive divisor: what every division of money here ends with.
pub fn divide_half_even(dividend: i128, divisor: i128) -> Option<i128> {
    let (quotient, rest) = (dividend.checked_div_euclid(divisor)?, dividend.checked_rem_euclid(divisor)?);
    let up = match rest.checked_mul(2)?.cmp(&divisor) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => quotient.checked_rem(2)? != 0,
    };
    if up { quotient.checked_add(1) } else { Some(quotient) }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cny(text: &str) -> Money {
        Money::parse(text, Currency::CNY).unwrap()
    }

    #[test]
    fn every_currency_reads_back_what_it_printed() {
        for code in iso4217::all() {
            let currency = Currency::parse(code).unwrap();
            for minor in [0, 1, -1, 99, 100, 1_000, -1_234_567, i64::MAX, i64::MIN] {
                let money = Money::new(minor, currency);
                assert_eq!(Money::parse(&money.to_string(), currency), Ok(money), "{code} {minor}");
            }
        }
    }

    #[test]
    fn yen_have_no_decimals_and_dinars_have_three() {
        let yen = Currency::parse("JPY").unwrap();
        let dinar = Currency::parse("KWD").unwrap();
        assert_eq!(Money::parse("1000", yen).unwrap().minor, 1000);
        assert_eq!(Money::parse("1.005", dinar).unwrap().to_string(), "1.005");
        assert!(matches!(Money::parse("1000.0", yen), Err(MoneyError::TooManyDecimals { allowed: 0, .. })));
    }

    #[test]
    fn what_is_not_an_amount_is_refused() {
        for text in ["", "-", ".5", "1.", "1,000.00", "1e3", "+1", " 1", "1.0.0", "NaN", "٣"] {
            assert!(matches!(Money::parse(text, Currency::CNY), Err(MoneyError::NotANumber(_))), "{text:?}");
        }
        assert!(matches!(Money::parse("1.001", Currency::CNY), Err(MoneyError::TooManyDecimals { .. })));
        assert_eq!(Money::parse("92233720368547758.08", Currency::CNY), Err(MoneyError::Overflow));
        assert!(Currency::parse("cny").is_err() && Currency::parse("XXX").is_err() && Currency::parse("CNY USD").is_err());
    }

    #[test]
    fn a_share_rounds_half_to_even() {
        assert_eq!(cny("1.00").portion(Rate::parse("0.005").unwrap()).unwrap(), cny("0.00"));
        assert_eq!(cny("3.00").portion(Rate::parse("0.005").unwrap()).unwrap(), cny("0.02"));
        assert_eq!(cny("1000.00").portion(Rate::parse("0.03").unwrap()).unwrap(), cny("30.00"));
    }

    #[test]
    fn currencies_never_mix() {
        let dollars = Money::new(1, Currency::parse("USD").unwrap());
        assert!(matches!(cny("1").checked_add(dollars), Err(MoneyError::CurrencyMismatch { .. })));
    }

    proptest! {
        #[test]
        fn allocated_parts_add_up_exactly(minor in any::<i64>(), weights in prop::collection::vec(0u64..1_000_000_000, 1..17)) {
            prop_assume!(weights.iter().any(|weight| *weight > 0));
            let whole = Money::new(minor, Currency::CNY);
            let parts = whole.allocate(&weights).unwrap();
            let sum: i128 = parts.iter().map(|part| i128::from(part.minor)).sum();
            prop_assert_eq!(sum, i128::from(minor));
            let total: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
            for (part, weight) in parts.iter().zip(&weights) {
                let exact = i128::from(minor) * i128::from(*weight) / i128::try_from(total).unwrap();
                prop_assert!((i128::from(part.minor) - exact).abs() <= 2, "no part is off by more than the roundings beside it");
            }
        }

        #[test]
        fn money_prints_and_parses_round_trip(minor in any::<i64>()) {
            let money = Money::new(minor, Currency::CNY);
            prop_assert_eq!(Money::parse(&money.to_string(), Currency::CNY), Ok(money));
        }

        #[test]
        fn parsing_never_panics(text in ".{0,40}") {
            let _ = Money::parse(&text, Currency::CNY);
        }
    }
}
