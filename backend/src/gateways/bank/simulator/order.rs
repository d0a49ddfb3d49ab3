//! What the bank checks before it looks at a reference at all. An order that fails is refused for good and leaves no trace. The
//! lengths keep every journal line within its bound.

use crate::gateways::bank::PaymentOrder;

const MAX_REFERENCE_BYTES: usize = 64;
const MAX_ACCOUNT_BYTES: usize = 64;
const MAX_NAME_BYTES: usize = 560;
const MAX_TEXT_BYTES: usize = 1_120;
const MAX_URL_BYTES: usize = 512;

/// Gives the order back, or says what is wrong with it.
pub fn check(order: PaymentOrder) -> Result<PaymentOrder, String> {
    let token = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
    let printable = |text: &str| !text.chars().any(char::is_control);
    let within = |text: &str, most: usize| (1..=most).contains(&text.len());
    let url = order.callback_url.as_deref();
    let rules = [
        ("reference", within(&order.reference, MAX_REFERENCE_BYTES) && token(&order.reference)),
        ("debit_account", within(&order.debit_account, MAX_ACCOUNT_BYTES) && token(&order.debit_account)),
        ("payee_account", within(&order.payee_account, MAX_ACCOUNT_BYTES) && token(&order.payee_account)),
        ("payee_account", order.payee_account != order.debit_account),
        ("payee_name", within(&order.payee_name, MAX_NAME_BYTES) && printable(&order.payee_name)),
        ("remittance_text", order.remittance_text.len() <= MAX_TEXT_BYTES && printable(&order.remittance_text)),
        ("amount", order.amount.minor > 0),
        ("callback_url", url.is_none_or(|url| within(url, MAX_URL_BYTES) && printable(url) && url.starts_with("http://"))),
    ];
    match rules.into_iter().find(|(_, kept)| !kept) {
        Some((field, _)) => Err(format!("{field} is not acceptable")),
        None => Ok(order),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::money::{Currency, Money};

    #[test]
    fn every_field_has_its_bounds() {
        let good = PaymentOrder {
            reference: "adv_0d3k8w2m5q7ha-1".into(),
            debit_account: "FAC-1".into(),
            payee_account: "AIR-1".into(),
            payee_name: "示例航空".into(),
            amount: Money::new(1, Currency::CNY),
            remittance_text: String::new(),
            callback_url: Some("http://127.0.0.1:1/x".into()),
        };
        assert_eq!(check(good.clone()), Ok(good.clone()));
        let bad = |field: &str, spoil: &dyn Fn(&mut PaymentOrder)| {
            let mut order = good.clone();
            spoil(&mut order);
            assert_eq!(check(order).unwrap_err(), format!("{field} is not acceptable"));
        };
        bad("reference", &|order| order.reference = "a/b".into());
        bad("reference", &|order| order.reference = "x".repeat(65));
        bad("debit_account", &|order| order.debit_account.clear());
        bad("payee_account", &|order| order.payee_account = order.debit_account.clone());
        bad("payee_name", &|order| order.payee_name = "a\nb".into());
        bad("remittance_text", &|order| order.remittance_text = "x".repeat(1_121));
        bad("amount", &|order| order.amount.minor = 0);
        bad("callback_url", &|order| order.callback_url = Some("file:///etc/passwd".into()));
    }
}
