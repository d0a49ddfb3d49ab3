//! The e-mail that a closed statement goes with, to the agency's billing contact. A closed statement never changes, so what it says is written when it leaves.

use super::StatementRow;
use crate::agencies::agency;
use crate::db::{Db, DbError};
use crate::ids::{AgencyId, BillingStatementId, Id};
use crate::notify::{Block, Language, Page, one_line};
use crate::settlement::dunning::billing_contact_of;
use crate::settlement::obligation::obligations_of;

/// Send the statement `subject_id`.
pub const SEND_STATEMENT: &str = "send_statement";

#[derive(Debug)]
pub struct StatementLetter {
    pub to: String,
    pub subject: String,
    pub page: Page,
}

/// None where the agency has nobody to write to any more.
pub fn statement_letter(db: &mut Db, of: &StatementRow) -> Result<Option<StatementLetter>, DbError> {
    let (agency_id, currency) = (AgencyId::of(of.agency_id), of.money_currency()?);
    let Some(contact) = billing_contact_of(db, agency_id)? else { return Ok(None) };
    let language = Language::parse(&contact.language).ok_or_else(|| DbError::Corrupt(format!("contact {}", contact.id)))?;
    let name = agency(db, agency_id)?.map_or_else(String::new, |agency| agency.name);
    let billed = obligations_of(db, agency_id, currency)?.into_iter().find(|one| one.statement_id == of.id);
    let due = billed.map_or_else(String::new, |billed| billed.due_on.to_string());
    Ok(Some(StatementLetter { to: contact.email, ..worded(language, of, &name, &due)? }))
}

fn worded(language: Language, of: &StatementRow, agency: &str, due: &str) -> Result<StatementLetter, DbError> {
    let (cycle, owed) = (of.cycle()?, of.to_remit()?);
    let amount = format!("{owed} {}", owed.currency);
    let days = format!("{} – {}", cycle.first_day(), cycle.last_day());
    let (title, greeting, opening, names) = match language {
        Language::Chinese => (
            "结算周期对账单",
            format!("{agency}："),
            "贵司本结算周期已关账，对账单见附件；文件过大时请登录平台下载。",
            ["结算周期", "起止日期", "笔数", "应付净额", "到期日", "对账单编号"],
        ),
        Language::English => (
            "Statement of a closed cycle",
            format!("Dear {agency},"),
            "your cycle is closed. The statement is attached; one that is too large for e-mail is read on the platform.",
            ["Cycle", "Days", "Lines", "To remit", "Due on", "Statement"],
        ),
    };
    let id = BillingStatementId::of(of.id).to_string();
    let values = [of.cycle.clone(), days, of.line_count.to_string(), amount.clone(), due.to_owned(), id];
    let facts = names.into_iter().map(str::to_owned).zip(values).collect();
    let subject = match language {
        Language::Chinese => format!("对账单：结算周期 {}，{amount}", of.cycle),
        Language::English => format!("Statement: cycle {}, {amount}", of.cycle),
    };
    let blocks = vec![Block::Paragraph(greeting), Block::Paragraph(opening.to_owned()), Block::Facts(facts)];
    Ok(StatementLetter {
        to: String::new(),
        subject: one_line(&subject),
        page: Page { language, title: title.to_owned(), blocks },
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use chrono::NaiveDate;

    fn letter(language: Language) -> StatementLetter {
        let of = StatementRow {
            id: 1,
            agency_id: 2,
            currency: "CNY".into(),
            cycle: "2026-11-H1".into(),
            place: "done".into(),
            place_id: 0,
            line_count: 12,
            gross_minor: 100_000,
            commission_minor: 3_000,
            byte_count: Some(1),
            sha256: None,
            created_at: NaiveDate::from_ymd_opt(2026, 11, 16).unwrap().and_hms_opt(0, 1, 0).unwrap(),
            closed_at: None,
        };
        worded(language, &of, "<Harbour> =1+1 😀", "2026-11-20").unwrap()
    }

    #[test]
    fn it_says_in_both_languages_what_is_to_be_paid_and_when() {
        let english = letter(Language::English);
        assert_eq!(english.subject, "Statement: cycle 2026-11-H1, 970.00 CNY");
        let id = BillingStatementId::of(1);
        assert_eq!(
            english.page.text(),
            format!(
                "Statement of a closed cycle\n\nDear <Harbour> =1+1 😀,\n\nyour cycle is closed. The statement is attached; one that is too large for \
                 e-mail is read on the platform.\n\nCycle: 2026-11-H1\nDays: 2026-11-01 – 2026-11-15\nLines: 12\nTo remit: 970.00 CNY\nDue on: \
                 2026-11-20\nStatement: {id}\n\nAirsettle\n"
            )
        );
        assert!(english.page.html().contains("&lt;Harbour&gt; =1+1 😀"));
        let chinese = letter(Language::Chinese);
        assert_eq!(chinese.subject, "对账单：结算周期 2026-11-H1，970.00 CNY");
        assert_eq!(
            chinese.page.text(),
            format!(
                "结算周期对账单\n\n<Harbour> =1+1 😀：\n\n贵司本结算周期已关账，对账单见附件；文件过大时请登录平台下载。\n\n结算周期：2026-11-H1\n起止日期：\
                 2026-11-01 – 2026-11-15\n笔数：12\n应付净额：970.00 CNY\n到期日：2026-11-20\n对账单编号：{id}\n\nAirsettle\n"
            )
        );
    }
}
