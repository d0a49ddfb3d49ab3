//! Names as they are looked for: Hanzi or pinyin, with or without tones and spaces, either name first, their beginnings or their initials.
//!
//! A name is reduced to letters, `张伟` and `Zhāng Wěi` both to `zhangwei`, and kept under the beginnings of both orders. Of every beginning from 2 to
//! 10 letters there is a digest: one letter finds half a country, ten tell any two families of a page apart, and what is longer is compared when the
//! people are read. With initials and Hanzi that comes to about 16 digests of a name; never more than [`MOST`].

use super::personal::{Person, Vault};
use pinyin::{ToPinyin, ToPinyinMulti};
use std::collections::BTreeSet;

const SHORTEST: usize = 2;
const LONGEST: usize = 10;
const HANZI: usize = 4;
/// Digests of one person at most.
const MOST: usize = 64;
/// Readings of a family name, such as 单: shan, dan, chan.
const READINGS: usize = 4;

const LETTERS: &str = "letters";
const INITIALS: &str = "initials";
const CHARACTERS: &str = "hanzi";

/// How a person's name is like what was asked for; the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likeness {
    Whole,
    Beginning,
    Initials,
}

/// One name in the forms that it is known by.
struct Forms {
    /// Family name first and given name first, in every reading.
    letters: BTreeSet<String>,
    initials: BTreeSet<String>,
    hanzi: Option<String>,
}

/// What somebody typed for a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameQuery {
    letters: BTreeSet<String>,
    initials: Option<String>,
    hanzi: Option<String>,
}

fn is_hanzi(c: char) -> bool {
    c.to_pinyin().is_some()
}

/// A letter without its tone or accent; nothing of what only separates.
fn folded(c: char) -> String {
    let plain = match c.to_lowercase().next().unwrap_or(c) {
        'ā' | 'á' | 'ǎ' | 'à' | 'ä' | 'â' | 'ã' | 'å' => 'a',
        'ē' | 'é' | 'ě' | 'è' | 'ë' | 'ê' => 'e',
        'ī' | 'í' | 'ǐ' | 'ì' | 'ï' | 'î' => 'i',
        'ō' | 'ó' | 'ǒ' | 'ò' | 'ö' | 'ô' | 'õ' | 'ø' => 'o',
        'ū' | 'ú' | 'ǔ' | 'ù' | 'û' => 'u',
        'ü' | 'ǖ' | 'ǘ' | 'ǚ' | 'ǜ' => 'v',
        'ñ' | 'ń' | 'ň' => 'n',
        'ç' => 'c',
        'ß' => return "ss".to_owned(),
        plain => plain,
    };
    if plain.is_alphabetic() { plain.to_string() } else { String::new() }
}

fn letters(text: &str) -> String {
    let of = |c: char| c.to_pinyin().map_or_else(|| folded(c), |read| plain(read.plain()));
    text.chars().map(of).collect()
}

fn plain(syllable: &str) -> String {
    syllable.replace('ü', "v")
}

/// The same with every reading of its first character; `ü` also as passports write it.
fn readings(text: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::from([letters(text)]);
    let mut chars = text.chars();
    if let Some(first) = chars.next()
        && let Some(several) = first.to_pinyin_multi()
    {
        let rest = letters(chars.as_str());
        all.extend(several.into_iter().map(|read| format!("{}{rest}", plain(read.plain()))));
    }
    let passport: Vec<String> = all
        .iter()
        .filter(|one| one.starts_with("lv") || one.starts_with("nv"))
        .flat_map(|one| ["yu", "u"].map(|vowel| one.replacen('v', vowel, 1)))
        .collect();
    all.extend(passport);
    all.into_iter().filter(|one| !one.is_empty()).take(READINGS).collect()
}

/// The first letters of the syllables or words.
fn initials(text: &str) -> String {
    let mut found = String::new();
    let mut begins = true;
    for c in text.chars() {
        let letter = letters(&c.to_string());
        if begins || is_hanzi(c) {
            found.extend(letter.chars().next());
        }
        begins = letter.is_empty() || is_hanzi(c);
    }
    found
}

impl Forms {
    fn of(given: &str, family: &str) -> Self {
        let own = letters(given);
        let mut all = BTreeSet::new();
        let mut first_letters = BTreeSet::new();
        for family_letters in readings(family) {
            first_letters.extend(family_letters.chars().next().map(|first| {
                let rest: String = initials(family).chars().skip(1).collect();
                format!("{first}{rest}{}", initials(given))
            }));
            all.insert(format!("{own}{family_letters}"));
            all.insert(format!("{family_letters}{own}"));
        }
        let characters: String = family.chars().chain(given.chars()).filter(|c| is_hanzi(*c)).collect();
        Forms { letters: all, initials: first_letters, hanzi: (!characters.is_empty()).then_some(characters) }
    }

    fn tokens(&self, vault: &Vault) -> BTreeSet<i64> {
        let mut tokens = BTreeSet::new();
        for one in &self.letters {
            tokens
                .extend((SHORTEST..=LONGEST).filter_map(|length| beginning(one, length)).map(|word| vault.token(LETTERS, word)));
        }
        let several = self.initials.iter().filter(|one| one.len() >= SHORTEST);
        tokens.extend(several.map(|one| vault.token(INITIALS, one)));
        if let Some(one) = &self.hanzi {
            tokens.extend((1..=HANZI).filter_map(|length| beginning(one, length)).map(|word| vault.token(CHARACTERS, word)));
        }
        tokens
    }

    fn likeness(&self, asked: &NameQuery) -> Option<Likeness> {
        if let Some(asked) = &asked.hanzi
            && let Some(own) = self.hanzi.as_ref().filter(|own| own.starts_with(asked))
        {
            return Some(if own == asked { Likeness::Whole } else { Likeness::Beginning });
        }
        let whole = asked.letters.iter().any(|asked| self.letters.contains(asked));
        let begins = |asked: &String| self.letters.iter().any(|own| own.starts_with(asked.as_str()));
        match asked {
            _ if whole => Some(Likeness::Whole),
            asked if asked.letters.iter().any(begins) => Some(Likeness::Beginning),
            NameQuery { initials: Some(initials), .. } if self.initials.contains(initials) => Some(Likeness::Initials),
            _ => None,
        }
    }
}

/// As many characters from the front, where there are so many.
fn beginning(text: &str, length: usize) -> Option<&str> {
    let end = text.char_indices().map(|(at, _)| at).chain([text.len()]).nth(length)?;
    text.get(..end)
}

/// What a person is found by, also under the name on the ticket where it was corrected since.
pub(super) fn tokens_of(vault: &Vault, person: &Person) -> BTreeSet<i64> {
    forms_of(person).iter().flat_map(|forms| forms.tokens(vault)).take(MOST).collect()
}

fn forms_of(person: &Person) -> Vec<Forms> {
    let now = Forms::of(&person.given_name, &person.family_name);
    let before = person.ticketed.as_ref().map(|name| Forms::of(&name.given_name, &name.family_name));
    [now].into_iter().chain(before).collect()
}

impl NameQuery {
    /// `None` where it cannot be a name, or would be half of all names: one letter.
    pub fn parse(typed: &str) -> Option<Self> {
        let trimmed = without_title(typed.trim());
        let is_name =
            |c: char| c.is_alphabetic() || c.is_whitespace() || matches!(c, '/' | '-' | '\'' | '·' | ',' | '.' | '1'..='5');
        if trimmed.is_empty() || !trimmed.chars().all(is_name) {
            return None;
        }
        let hanzi: String = trimmed.chars().filter(|c| is_hanzi(*c)).collect();
        let read = if hanzi.is_empty() { BTreeSet::from([letters(trimmed)]) } else { readings(trimmed) };
        let own = letters(trimmed);
        if hanzi.is_empty() && own.chars().count() < SHORTEST {
            return None;
        }
        let is_short = hanzi.is_empty() && own.chars().count() <= HANZI;
        Some(NameQuery { letters: read, initials: is_short.then_some(own), hanzi: (!hanzi.is_empty()).then_some(hanzi) })
    }

    /// Under any of which a person that was meant is kept.
    pub(super) fn tokens(&self, vault: &Vault) -> Vec<i64> {
        let words = self.letters.iter().map(|one| beginning(one, LONGEST).unwrap_or(one));
        let mut tokens: Vec<i64> = words.map(|word| vault.token(LETTERS, word)).collect();
        tokens.extend(self.initials.iter().map(|one| vault.token(INITIALS, one)));
        tokens.extend(self.hanzi.iter().map(|one| vault.token(CHARACTERS, beginning(one, HANZI).unwrap_or(one))));
        tokens
    }

    pub(super) fn likeness(&self, person: &Person) -> Option<Likeness> {
        forms_of(person).iter().filter_map(|forms| forms.likeness(self)).min()
    }
}

/// `ZHANG/WEI MR` is somebody called Wei.
fn without_title(typed: &str) -> &str {
    let titles = ["MR", "MRS", "MS", "MISS", "DR", "MSTR", "CHD", "INF"];
    match typed.rsplit_once(' ') {
        Some((name, last)) if name.contains('/') && titles.contains(&last.to_uppercase().as_str()) => name.trim_end(),
        _ => typed,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::ordering::{Gender, PersonName, Title};

    fn person(family: &str, given: &str) -> Person {
        Person {
            title: Title::Ms,
            gender: Gender::F,
            given_name: given.into(),
            family_name: family.into(),
            born_on: chrono::NaiveDate::from_ymd_opt(1990, 2, 28).unwrap(),
            email: None,
            phone_number: None,
            infant: None,
            documents: Vec::new(),
            ticketed: None,
        }
    }

    /// Through digests and then by comparison, as a search goes.
    fn found(person: &Person, typed: &str) -> Option<Likeness> {
        let vault = Vault::from_hex(&"01".repeat(32)).unwrap();
        let (kept, asked) = (tokens_of(&vault, person), NameQuery::parse(typed)?);
        let is_met = asked.tokens(&vault).iter().any(|token| kept.contains(token));
        asked.likeness(person).filter(|_| is_met)
    }

    #[test]
    fn a_name_is_found_however_it_is_typed() {
        let (wei, written) = (person("Zhang", "Wei"), person("张", "伟"));
        for typed in ["zhang wei", "ZHANG/WEI", "Zhang/Wei MS", "wei zhang", "zhangwei", "Zhāng Wěi", "zhang1 wei3", "张伟"] {
            assert_eq!(found(&wei, typed), Some(Likeness::Whole), "{typed}");
            assert_eq!(found(&written, typed), Some(Likeness::Whole), "{typed}");
        }
        for typed in ["zh", "zhang", "ZHANG/W", "wei", "wei z", "张"] {
            assert_eq!(found(&wei, typed), Some(Likeness::Beginning), "{typed}");
            assert_eq!(found(&written, typed), Some(Likeness::Beginning), "{typed}");
        }
        assert_eq!((found(&wei, "zw"), found(&written, "ZW")), (Some(Likeness::Initials), Some(Likeness::Initials)));
        for typed in ["hang", "ang wei", "zhangweiguo", "李伟", "xx"] {
            assert_eq!((found(&wei, typed), found(&written, typed)), (None, None), "{typed}");
        }
        assert_eq!(
            found(&written, "章伟"),
            Some(Likeness::Whole),
            "a name that sounds the same, behind those that are written so"
        );
    }

    #[test]
    fn family_names_have_readings_of_their_own_and_passports_theirs() {
        for typed in ["shan xiaohong", "dan xiaohong", "单小红", "sxh"] {
            assert!(found(&person("单", "小红"), typed).is_some(), "{typed}");
        }
        for typed in ["lv min", "lyu min", "LU/MIN", "吕敏", "lü min"] {
            assert!(found(&person("吕", "敏"), typed).is_some(), "{typed}");
        }
        assert!(found(&person("Lyu", "Min"), "吕敏").is_some());
    }

    #[test]
    fn what_is_longer_than_its_longest_beginning_is_compared_in_full() {
        let long = person("Ouyang", "Xiaoming-Alexander");
        assert_eq!(found(&long, "ouyang xiaoming alexander"), Some(Likeness::Whole));
        assert_eq!(found(&long, "ouyang xiaoming al"), Some(Likeness::Beginning));
        assert_eq!(found(&long, "ouyang xiaomei"), None);
    }

    #[test]
    fn a_corrected_name_is_found_and_the_one_on_the_ticket_too() {
        let ticketed = Some(PersonName { given_name: "Wei".into(), family_name: "Zhang".into() });
        let corrected = Person { ticketed, ..person("Zhong", "Wei") };
        assert!(found(&corrected, "zhong wei").is_some() && found(&corrected, "zhang wei").is_some());
    }

    #[test]
    fn one_letter_a_number_and_nothing_are_no_names() {
        for typed in ["", " ", "z", "-", "123", "781-2100000001", "a@b"] {
            assert_eq!(NameQuery::parse(typed), None, "{typed}");
        }
        let vault = Vault::from_hex(&"01".repeat(32)).unwrap();
        assert!(tokens_of(&vault, &person("单", "小红")).len() <= MOST);
        assert_eq!(tokens_of(&vault, &person("Zhang", "Wei")).len(), 15);
    }
}
