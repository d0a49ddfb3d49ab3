//! ISO 4217 active currencies and their minor-unit exponents (list one, as amended in 2025; funds codes, precious
//! metals and the codes without a minor unit are left out, because nothing is ever sold in them).

/// Codes with two decimals, in alphabetical order.
const TWO: &str = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY \
COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR \
JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO \
NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB \
TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG";
/// Codes without decimals.
const ZERO: &str = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF";
/// Codes with three decimals.
const THREE: &str = "BHD IQD JOD KWD LYD OMR TND";
/// Codes with four decimals: units of account that do appear in fare filings.
const FOUR: &str = "CLF UYW";

/// The number of decimals of a currency, or `None` where the code is not an active one.
pub(super) fn exponent(code: &str) -> Option<u8> {
    let lists = [(TWO, 2), (ZERO, 0), (THREE, 3), (FOUR, 4)];
    lists.into_iter().find(|(codes, _)| codes.split(' ').any(|listed| listed == code)).map(|(_, exponent)| exponent)
}

/// Every active code, for tests that must hold for all of them.
#[cfg(test)]
pub(super) fn all() -> impl Iterator<Item = &'static str> {
    [TWO, ZERO, THREE, FOUR].into_iter().flat_map(|codes| codes.split(' '))
}
