//! Identity documents: which kinds there are and what a number of each looks like.

use super::personal::PersonDocument;
use chrono::NaiveDate;

/// At most so many, of a kind each.
pub const DOCUMENTS_AT_MOST: usize = 5;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DocumentKind {
    Passport,
    /// 居民身份证, of the Chinese mainland.
    NationalIdCard,
    /// 港澳居民来往内地通行证
    HomeReturnPermit,
    /// 台湾居民来往大陆通行证
    TaiwanPermit,
    TaxId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentFault {
    #[error("a document number is 1 to 40 letters, digits and hyphens")]
    Form,
    #[error("the number of a Chinese identity card has 17 digits and a check digit, 0 to 9 or X")]
    CardForm,
    #[error("the check digit of the identity card is wrong")]
    CardCheckDigit,
    #[error("the identity card is of somebody born on another day")]
    CardBirth,
    #[error("a home return permit is H or M and 8 or 10 digits")]
    HomeReturnPermit,
    #[error("a Taiwan permit is 8 or 10 digits")]
    TaiwanPermit,
}

impl DocumentKind {
    pub const ALL: [DocumentKind; 5] = [
        DocumentKind::Passport,
        DocumentKind::NationalIdCard,
        DocumentKind::HomeReturnPermit,
        DocumentKind::TaiwanPermit,
        DocumentKind::TaxId,
    ];

    pub fn text(self) -> &'static str {
        match self {
            DocumentKind::Passport => "passport",
            DocumentKind::NationalIdCard => "national_id_card",
            DocumentKind::HomeReturnPermit => "home_return_permit",
            DocumentKind::TaiwanPermit => "taiwan_permit",
            DocumentKind::TaxId => "tax_id",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        DocumentKind::ALL.into_iter().find(|kind| kind.text() == text)
    }

    /// Whether a number can be one of this kind, for somebody born on that day.
    pub fn check(self, number: &str, born_on: NaiveDate) -> Result<(), DocumentFault> {
        let plain = number.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !plain || !(1..=40).contains(&number.len()) {
            return Err(DocumentFault::Form);
        }
        let digits = |text: &str| matches!(text.len(), 8 | 10) && text.bytes().all(|byte| byte.is_ascii_digit());
        match self {
            DocumentKind::Passport | DocumentKind::TaxId => Ok(()),
            DocumentKind::NationalIdCard => check_card(number, born_on),
            DocumentKind::HomeReturnPermit if number.strip_prefix(['H', 'M']).is_some_and(digits) => Ok(()),
            DocumentKind::HomeReturnPermit => Err(DocumentFault::HomeReturnPermit),
            DocumentKind::TaiwanPermit if digits(number) => Ok(()),
            DocumentKind::TaiwanPermit => Err(DocumentFault::TaiwanPermit),
        }
    }
}

/// GB 11643: six digits of the place, eight of the birth date, three of the sequence, and the check digit of ISO 7064 MOD 11-2.
fn check_card(number: &str, born_on: NaiveDate) -> Result<(), DocumentFault> {
    let (body, check) = number.split_at_checked(17).ok_or(DocumentFault::CardForm)?;
    if !body.bytes().all(|byte| byte.is_ascii_digit()) || check.len() != 1 {
        return Err(DocumentFault::CardForm);
    }
    let sum = body.bytes().fold(0u32, |sum, digit| (sum + u32::from(digit - b'0')) * 2 % 11);
    // Sum and check digit leave 1 when divided by 11; X is ten.
    let expected = (12 - sum) % 11;
    let given = if check == "X" { Some(10) } else { check.parse().ok() };
    match given {
        None => return Err(DocumentFault::CardForm),
        Some(given) if given != expected => return Err(DocumentFault::CardCheckDigit),
        Some(_) => {}
    }
    if body.get(6..14) == Some(born_on.format("%Y%m%d").to_string().as_str()) { Ok(()) } else { Err(DocumentFault::CardBirth) }
}

impl PersonDocument {
    /// The number for people who need to recognise it and not to know it: its last four signs, at most half of it.
    pub fn masked(&self) -> String {
        let signs: Vec<char> = self.unique_identifier.chars().collect();
        let shown = (signs.len() / 2).min(4);
        let hidden = signs.len() - shown;
        signs.iter().enumerate().map(|(place, sign)| if place < hidden { '*' } else { *sign }).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn born(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_chinese_card_has_a_check_digit_and_a_birth_date() {
        let card = |number: &str, birth: &str| DocumentKind::NationalIdCard.check(number, born(birth));
        // The example of the standard.
        assert_eq!(card("11010519491231002X", "1949-12-31"), Ok(()));
        assert_eq!(card("440524188001010014", "1880-01-01"), Ok(()));
        assert_eq!(card("110105194912310021", "1949-12-31"), Err(DocumentFault::CardCheckDigit));
        assert_eq!(card("11010519491231002X", "1949-12-30"), Err(DocumentFault::CardBirth));
        for wrong in ["", "11010519491231002", "11010519491231002x", "1101051949123100-X", "11010519491231002XX"] {
            assert!(matches!(card(wrong, "1949-12-31"), Err(DocumentFault::CardForm | DocumentFault::Form)), "{wrong}");
        }
    }

    #[test]
    fn every_slip_of_one_digit_is_noticed() {
        let right = "440524188001010014";
        for place in 0..18 {
            for digit in '0'..='9' {
                let mut signs: Vec<char> = right.chars().collect();
                if signs[place] == digit {
                    continue;
                }
                signs[place] = digit;
                let wrong: String = signs.into_iter().collect();
                assert!(DocumentKind::NationalIdCard.check(&wrong, born("1880-01-01")).is_err(), "{wrong}");
            }
        }
    }

    #[test]
    fn permits_have_their_form() {
        let check = |kind: DocumentKind, number: &str| kind.check(number, born("1990-02-28"));
        assert_eq!(check(DocumentKind::HomeReturnPermit, "H12345678"), Ok(()));
        assert_eq!(check(DocumentKind::HomeReturnPermit, "12345678"), Err(DocumentFault::HomeReturnPermit));
        assert_eq!(check(DocumentKind::TaiwanPermit, "12345678"), Ok(()));
        assert_eq!(check(DocumentKind::TaiwanPermit, "1234567"), Err(DocumentFault::TaiwanPermit));
        assert_eq!(check(DocumentKind::Passport, "E12345678"), Ok(()));
        assert_eq!(check(DocumentKind::Passport, "E 1"), Err(DocumentFault::Form));
        assert!(DocumentKind::ALL.into_iter().all(|kind| DocumentKind::parse(kind.text()) == Some(kind)));
    }

    #[test]
    fn a_number_is_shown_by_its_end() {
        let document = |number: &str| PersonDocument {
            kind: "passport".into(),
            unique_identifier: number.into(),
            issuing_country_code: None,
            expires_on: None,
        };
        assert_eq!(document("11010519491231002X").masked(), "**************002X");
        assert_eq!(document("E123").masked(), "**23");
        assert_eq!(document("7").masked(), "*");
    }
}
