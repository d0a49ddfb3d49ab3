//! The e-mail that a receipt goes with.

use super::facts::{Receipt, TicketFacts};
use super::words::Both;
use crate::ids::OrderId;
use crate::notify::{Block, Enclosure, Language, Letter, Page, one_line};

const KIND: &str = "order_receipt";

/// To whoever the agency names, in the language that it chooses; the file is made when it leaves.
pub fn receipt_letter(language: Language, to: &str, order: OrderId, receipt: &Receipt) -> Letter {
    let said = |(zh, en): Both| match language {
        Language::Chinese => zh.to_owned(),
        Language::English => en.to_owned(),
    };
    let reference = &receipt.booking_reference;
    let journey = receipt.tickets.iter().find(|ticket| ticket.standing.words().is_none()).or(receipt.tickets.first());
    let flights = journey.map_or(&[][..], |ticket| &ticket.flights);
    let mut facts = vec![(said(("订座记录编号", "Record locator")), reference.clone())];
    for flight in flights {
        let (from, to) = (&flight.from, &flight.to);
        let times = format!("{} – {}", from.local.format("%Y-%m-%d %H:%M"), to.local.format("%m-%d %H:%M"));
        facts.push((flight.flight.clone(), format!("{}–{} {times}", from.code, to.code)));
    }
    for ticket in &receipt.tickets {
        facts.push((traveller(ticket, said(("旅客", "Passenger"))), numbers(ticket, &said)));
    }
    let opening = match language {
        Language::Chinese => format!("{} 为您预订的行程如下，行程单见附件。", receipt.agency),
        Language::English => {
            format!("here is the journey that {} has booked for you. The itinerary receipt is attached.", receipt.agency)
        }
    };
    let closing = said((
        "航班时间均为当地时间。附件不是税务发票，不作报销凭证。",
        "Times are local times of the airports. The attachment is not a tax invoice.",
    ));
    let greeting = said(("您好：", "Hello,"));
    let page = Page {
        language,
        title: said(("您的行程单", "Your itinerary receipt")),
        blocks: vec![Block::Paragraph(greeting), Block::Paragraph(opening), Block::Facts(facts), Block::Paragraph(closing)],
    };
    let route = flights.first().zip(flights.last()).map(|(first, last)| format!("{}-{}", first.from.code, last.to.code));
    let day = flights.first().map(|flight| flight.from.local.date().to_string());
    let about: Vec<String> = route.into_iter().chain(day).chain([reference.clone()]).collect();
    let subject = match language {
        Language::Chinese => format!("行程单：{}", about.join("，")),
        Language::English => format!("Itinerary receipt: {}", about.join(", ")),
    };
    Letter { attachment: Some(Enclosure::OrderReceipt(order)), ..Letter::of(KIND, to, one_line(&subject), &page) }
}

fn traveller(ticket: &TicketFacts, unknown: String) -> String {
    ticket.passenger.clone().unwrap_or(unknown)
}

/// The numbers of a ticket, and what became of it.
fn numbers(ticket: &TicketFacts, said: &impl Fn(Both) -> String) -> String {
    let numbers = ticket.numbers.join(", ");
    ticket.standing.words().map_or(numbers.clone(), |standing| format!("{numbers} ({})", said(standing)))
}

#[cfg(test)]
mod tests {
    use super::super::facts::Standing;
    use super::super::sample::receipt;
    use super::*;
    use crate::ids::Id;

    fn letter(language: Language, standing: Standing) -> Letter {
        receipt_letter(language, "wei@example.com", OrderId::of(1), &receipt("<b>Blue Sky</b> =1+1 😀", "ZHANG/WEI", standing, 1))
    }

    #[test]
    fn it_says_in_english_what_was_booked() {
        let letter = letter(Language::English, Standing::Valid);
        assert_eq!(letter.subject, "Itinerary receipt: PEK-LHR, 2026-12-01, K7PQ2M");
        assert_eq!(
            letter.body,
            "Your itinerary receipt\n\nHello,\n\nhere is the journey that <b>Blue Sky</b> =1+1 😀 has booked for you. The itinerary receipt is \
             attached.\n\nRecord locator: K7PQ2M\nMU5101: PEK–LHR 2026-12-01 08:00 – 12-01 12:25\nZHANG/WEI: 7812100000001\n\nTimes are local \
             times of the airports. The attachment is not a tax invoice.\n\nAirsettle\n"
        );
        let html = letter.html.unwrap_or_default();
        assert!(html.contains("&lt;b&gt;Blue Sky&lt;/b&gt; =1+1 😀") && html.contains("lang=\"en\""), "{html}");
        assert_eq!(letter.attachment, Some(Enclosure::OrderReceipt(OrderId::of(1))));
    }

    #[test]
    fn it_says_in_chinese_what_was_booked_and_what_became_of_it() {
        let letter = letter(Language::Chinese, Standing::Void);
        assert_eq!(letter.subject, "行程单：PEK-LHR，2026-12-01，K7PQ2M");
        assert_eq!(
            letter.body,
            "您的行程单\n\n您好：\n\n<b>Blue Sky</b> =1+1 😀 为您预订的行程如下，行程单见附件。\n\n订座记录编号：K7PQ2M\nMU5101：PEK–LHR 2026-12-01 08:00 – \
             12-01 12:25\nZHANG/WEI：7812100000001 (已作废)\n\n航班时间均为当地时间。附件不是税务发票，不作报销凭证。\n\nAirsettle\n"
        );
        assert!(letter.html.unwrap_or_default().contains("lang=\"zh-CN\""));
    }
}
