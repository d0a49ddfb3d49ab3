//! A receipt on paper: a page for each ticket, and more where it has many flights.

use super::facts::{FlightFacts, Named, Receipt, ReceiptError, SliceFacts, Stop, TicketFacts};
use super::layout::{Cell, Flow, WIDTH};
use super::words::{self, Both, both};
use crate::interchange::pdf::{Face, Ink, Style};
use crate::money::Money;
use crate::shopping::conditions::{Ladder, Penalty};
use chrono::{NaiveDateTime, TimeZone};
use chrono_tz::Tz;

const BODY: f32 = 9.0;
const SMALL: f32 = 7.5;
/// Of the table of flights: flight, from, to, class, fare basis, bags, status.
const COLUMNS: [f32; 7] = [58.0, 132.0, 132.0, 52.0, 50.0, 34.0, 53.0];

/// The file.
pub fn print(receipt: &Receipt, face: &Face) -> Result<Vec<u8>, ReceiptError> {
    let mut flow = Flow::new(face);
    for ticket in &receipt.tickets {
        flow.new_page();
        head(&mut flow, receipt, ticket);
        flights(&mut flow, ticket);
        price(&mut flow, ticket);
        conditions(&mut flow, ticket);
        notes(&mut flow);
    }
    flow.feet(&format!("{} · {} · {}", words::NO_INVOICE, receipt.booking_reference, receipt.agency));
    let title = format!("{} {}", both(words::TITLE), receipt.booking_reference);
    Ok(flow.pages.written(face, &title)?)
}

fn head(flow: &mut Flow, receipt: &Receipt, ticket: &TicketFacts) {
    flow.ends(Style::bold(16.0), words::TITLE.0, words::TITLE.1);
    flow.gap(8.0);
    flow.framed(Style::bold(10.0).in_ink(Ink::Red), words::NO_INVOICE);
    if let Some(standing) = ticket.standing.words() {
        flow.gap(8.0);
        flow.framed(Style::bold(28.0).in_ink(Ink::Red), &both(standing));
    }
    flow.gap(8.0);
    let passenger = ticket.passenger.clone().unwrap_or_else(|| both(words::ERASED));
    let mut facts = vec![
        (words::PASSENGER, vec![passenger, words::kind(&ticket.kind).to_owned()]),
        (words::TICKET, ticket.numbers.iter().map(|number| hyphened(number)).collect()),
        (words::REFERENCE, vec![receipt.booking_reference.clone()]),
        (words::AIRLINE, named(&ticket.carrier)),
        (words::ISSUED, vec![moment(ticket.issued_at.utc().with_timezone(&ticket.zone).naive_local(), Some(ticket.zone))]),
        (words::ISSUER, vec![receipt.agency.clone(), format!("IATA {}", receipt.agency_code)]),
    ];
    if !ticket.documents.is_empty() {
        let shown = ticket.documents.iter().map(|(kind, number)| format!("{} {number}", words::document(kind)));
        facts.insert(1, (words::DOCUMENT, shown.collect()));
    }
    if let Some(earlier) = &ticket.in_exchange_for {
        facts.push((words::EXCHANGE, vec![hyphened(earlier)]));
    }
    for pair in facts.chunks(2) {
        let cells: Vec<Cell> = pair.iter().map(|(label, lines)| fact(*label, lines)).collect();
        flow.row(&cells);
        flow.gap(4.0);
    }
}

fn fact(label: Both, lines: &[String]) -> Cell {
    let name = std::iter::once((Style::small(SMALL), both(label)));
    Cell { width: WIDTH / 2.0, lines: name.chain(lines.iter().map(|line| (Style::plain(BODY + 1.0), line.clone()))).collect() }
}

fn flights(flow: &mut Flow, ticket: &TicketFacts) {
    flow.rule();
    let labels = [words::FLIGHT, words::FROM, words::TO, words::CLASS, words::BASIS, words::BAGS, words::STATUS]
        .map(|(zh, en)| vec![(Style::small(SMALL), zh.to_owned()), (Style::small(SMALL), en.to_owned())]);
    table_row(flow, labels);
    flow.rule();
    for flight in &ticket.flights {
        table_row(flow, flight_cells(flight));
        flow.rule();
    }
}

fn table_row(flow: &mut Flow, cells: [Vec<(Style, String)>; 7]) {
    let cells: Vec<Cell> = COLUMNS.iter().zip(cells).map(|(width, lines)| Cell { width: *width, lines }).collect();
    flow.row(&cells);
}

fn flight_cells(flight: &FlightFacts) -> [Vec<(Style, String)>; 7] {
    let plain = |text: String| (Style::plain(BODY), text);
    let small = |text: String| (Style::small(SMALL), text);
    let (zh, en) = words::status(flight.status);
    let airline = named(&flight.carrier).into_iter().map(small);
    let (_, coupon) = flight.coupon.rsplit_once('/').unwrap_or_default();
    [
        std::iter::once((Style::bold(BODY), flight.flight.clone())).chain(airline).collect(),
        stop(&flight.from),
        stop(&flight.to),
        vec![(Style::bold(BODY), flight.booking_class.clone()), small(words::cabin(&flight.cabin).to_owned())],
        vec![plain(flight.fare_basis.clone()), small(format!("#{coupon}"))],
        vec![plain(if flight.checked_bag_kg == 0 { "—".to_owned() } else { format!("{} kg", flight.checked_bag_kg) })],
        vec![plain(zh.to_owned()), small(en.to_owned())],
    ]
}

fn stop(stop: &Stop) -> Vec<(Style, String)> {
    let mut lines = vec![
        (Style::bold(BODY), format!("{} {}", stop.code, stop.local.format("%Y-%m-%d %H:%M"))),
        (Style::small(SMALL), offset(stop.local, stop.zone)),
    ];
    lines.extend(named(&stop.name).into_iter().map(|name| (Style::plain(SMALL), name)));
    lines
}

fn price(flow: &mut Flow, ticket: &TicketFacts) {
    let amount = |money: Money| format!("{} {money}", money.currency);
    flow.gap(4.0);
    flow.ends(Style::plain(BODY), &both(words::FARE), &amount(ticket.fare));
    for (code, money) in &ticket.taxes {
        let name = words::tax(code).map_or_else(|| code.clone(), |known| format!("{code} {}", both(known)));
        flow.ends(Style::plain(BODY), &name, &amount(*money));
    }
    flow.ends(Style::bold(BODY + 1.0), &both(words::TOTAL), &amount(ticket.total));
    flow.ends(Style::plain(BODY), &both(words::PAYMENT), words::CASH);
    flow.gap(2.0);
    flow.paragraph(Style::small(SMALL), &format!("{}  {}", both(words::CALCULATION), ticket.fare_calculation));
    flow.rule();
}

fn conditions(flow: &mut Flow, ticket: &TicketFacts) {
    if ticket.conditions.is_empty() {
        return;
    }
    flow.heading(words::CONDITIONS);
    for slice in &ticket.conditions {
        flow.paragraph(Style::plain(SMALL + 0.5), &steps(slice, words::REFUND, slice.conditions.refund.as_ref()));
        flow.paragraph(Style::plain(SMALL + 0.5), &steps(slice, words::CHANGE, slice.conditions.change.as_ref()));
    }
}

/// `PEK–SHA 退票费 Refund fee: 2026-12-01 06:00 前 until CNY 47.50; 其后 then CNY 95.00`
fn steps(slice: &SliceFacts, label: Both, ladder: Option<&Ladder>) -> String {
    let begins = format!("{} {}: ", slice.route, both(label));
    let Some(ladder) = ladder else { return begins + words::BY_AIRLINE };
    let count = ladder.steps().len();
    let shown = ladder.steps().iter().map(|step| {
        let costs = match step.penalty {
            Penalty::Fee(fee) => format!("{} {fee}", fee.currency),
            Penalty::NotAllowed => words::NOT_ALLOWED.to_owned(),
        };
        match (step.until, slice.zone) {
            (Some(until), zone) => {
                let zone = zone.unwrap_or(Tz::UTC);
                let local = until.utc().with_timezone(&zone).naive_local();
                format!("{} {} {costs}", moment(local, Some(zone)), words::UNTIL)
            }
            (None, _) if count > 1 => format!("{} {costs}", words::THEN),
            (None, _) => costs,
        }
    });
    begins + &shown.collect::<Vec<_>>().join("; ")
}

fn notes(flow: &mut Flow) {
    flow.gap(8.0);
    for note in words::NOTES {
        flow.paragraph(Style::small(SMALL), note);
    }
}

fn named(name: &Named) -> Vec<String> {
    name.zh.iter().chain([&name.en]).cloned().collect()
}

/// `781-2100000001`
fn hyphened(number: &str) -> String {
    match number.split_at_checked(3) {
        Some((code, document)) if number.len() == 13 => format!("{code}-{document}"),
        _ => number.to_owned(),
    }
}

fn moment(local: NaiveDateTime, zone: Option<Tz>) -> String {
    format!("{} ({})", local.format("%Y-%m-%d %H:%M"), offset(local, zone))
}

/// `UTC+08:00`, as it is at that moment there.
fn offset(local: NaiveDateTime, zone: Option<Tz>) -> String {
    let known = zone.and_then(|zone| zone.from_local_datetime(&local).earliest());
    known.map_or_else(|| "当地 local".to_owned(), |time| format!("UTC{}", time.format("%:z")))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::facts::Standing;
    use super::super::sample::receipt;
    use super::*;

    fn faces() -> [Face; 2] {
        [Face::built_in().unwrap(), Face::Viewers]
    }

    #[test]
    fn the_same_state_is_the_same_file() {
        for face in faces() {
            let of = |standing| print(&receipt("Blue Sky", "ZHANG/WEI", standing, 1), &face).unwrap();
            assert_eq!(of(Standing::Valid), of(Standing::Valid));
            assert_ne!(of(Standing::Valid), of(Standing::Void));
        }
    }

    #[test]
    fn whatever_somebody_is_called_is_printed() {
        for face in faces() {
            for odd in
                ["", "שלום/عبد", "👩‍✈️/🇨🇳", "<script>", "=1+1", "\u{202e}gpj.exe\r\n", "𠮷/𪚥", &"W".repeat(400), &"长".repeat(400)]
            {
                let file = print(&receipt(odd, odd, Standing::Valid, 1), &face).unwrap();
                assert!(file.starts_with(b"%PDF-1.7") && file.ends_with(b"%%EOF"), "{odd}");
            }
        }
    }

    /// Sixteen coupons, as many as a ticket has at most.
    #[test]
    fn a_long_journey_goes_on_to_the_next_page() {
        for face in faces() {
            let text = String::from_utf8_lossy(&print(&receipt("Blue Sky", "ZHANG/WEI", Standing::Valid, 16), &face).unwrap())
                .into_owned();
            assert!(text.contains("/Count 2") || text.contains("/Count 3"), "pages");
            assert_eq!(text.matches("/Type /Page\n").count(), text.matches("/Contents").count());
        }
    }
}
