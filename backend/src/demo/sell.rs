//! Sells a mixed batch over the API and shows what became of it.

use super::change::{exchange, hold};
use super::client::{Client, Failure, Side, list, text_of};
use super::people::SignIn;
use super::seed::read_demo;
use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

pub(super) struct Scene {
    pub what: &'static str,
    pub agency: &'static str,
    pub route: (&'static str, &'static str),
    is_return: bool,
    passengers: &'static [&'static str],
    cabin: Option<&'static str>,
    pub payment: &'static str,
}

pub(super) const BEIJING: &str = "Beijing Blue Sky Travel";
const SHANGHAI: &str = "Shanghai Harbour Travel";
const GUANGZHOU: &str = "Guangzhou Pearl Tours";
pub(super) const OPERATOR: &str = "Airsettle Operations";
const ADULT: &str = "adult";
const CHILD: &str = "child";
const INFANT: &str = "infant_without_seat";

const FAMILIES: [&str; 20] = [
    "Zhang", "Wang", "Li", "Liu", "Chen", "Yang", "Huang", "Zhao", "Wu", "Zhou", "Xu", "Sun", "Ma", "Zhu", "Hu", "Guo", "He",
    "Lin", "Gao", "Luo",
];
const GIVEN: [&str; 31] = [
    "Wei", "Min", "Lan", "Jun", "Fang", "Na", "Xiuying", "Jing", "Qiang", "Lei", "Yang", "Yong", "Yan", "Jie", "Juan", "Tao",
    "Ming", "Chao", "Xia", "Ping", "Gang", "Hui", "Ling", "Bo", "Ning", "Xin", "Yue", "Rui", "Kai", "Shan", "Hao",
];

const SCENES: [Scene; 6] = [
    scene("one adult, on credit", BEIJING, ("PEK", "SHA"), false, &[ADULT], None, "arc_bsp_cash"),
    scene("a family there and back, on credit", BEIJING, ("PEK", "CAN"), true, &[ADULT, CHILD, INFANT], None, "arc_bsp_cash"),
    scene("two adults, on credit", SHANGHAI, ("SHA", "CTU"), false, &[ADULT, ADULT], None, "arc_bsp_cash"),
    scene("one adult, from the wallet", GUANGZHOU, ("CAN", "PEK"), false, &[ADULT], None, "balance"),
    scene("business class, credit before wallet", BEIJING, ("PEK", "SHA"), false, &[ADULT], Some("business"), "balance"),
    scene("on credit without a deposit: must be refused", GUANGZHOU, ("CAN", "SHA"), false, &[ADULT], None, "arc_bsp_cash"),
];

pub(super) const fn scene(
    what: &'static str,
    agency: &'static str,
    route: (&'static str, &'static str),
    is_return: bool,
    passengers: &'static [&'static str],
    cabin: Option<&'static str>,
    payment: &'static str,
) -> Scene {
    Scene { what, agency, route, is_return, passengers, cabin, payment }
}

/// Sells `orders` orders over the API of the server that demo.json names.
pub fn run(data: &Path, orders: u32) -> Result<ExitCode, Failure> {
    let client = Client::from_file(data, Side::Live)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        println!("Selling {orders} orders at {}", client.url);
        let mut shown = None;
        for (number, scene) in (1..=orders).zip(SCENES.iter().cycle()) {
            let ticket = sell(&client, scene, number, orders).await?;
            shown = shown.or(ticket.filter(|_| scene.payment == "arc_bsp_cash"));
        }
        let Some(ticket) = shown else { return Err("no ticket was sold on credit".into()) };
        // A client that has used up what it may says so and goes on.
        for done in [hold(&client).await, exchange(&client).await] {
            println!("{}", done.unwrap_or_else(|refused| refused.to_string()));
        }
        show_ticket(&client, &ticket).await?;
        show_limit(&client).await?;
        show_trial_balance(&client).await?;
        show_sign_ins(data)?;
        Ok(ExitCode::SUCCESS)
    })
}

/// Who can be signed in as.
fn show_sign_ins(data: &Path) -> Result<(), Failure> {
    let Some(file) = read_demo(data)? else { return Ok(()) };
    println!("\nSign-ins at {}", file.url);
    for SignIn { email, password, organisation, roles } in file.sign_ins {
        println!("  {email:<48} {password}  {organisation}: {}", roles.join(" "));
    }
    Ok(())
}

pub(super) fn day(ahead: u64) -> String {
    (chrono::Utc::now().date_naive() + chrono::Days::new(ahead)).to_string()
}

/// Searches and orders; answers a ticket number, or nothing where the order was refused.
async fn sell(client: &Client, scene: &Scene, number: u32, orders: u32) -> Result<Option<String>, Failure> {
    let (origin, destination) = scene.route;
    let out = 20 + u64::from(number % 60);
    let mut slices = vec![json!({ "origin": origin, "destination": destination, "departure_date": day(out) })];
    if scene.is_return {
        slices.push(json!({ "origin": destination, "destination": origin, "departure_date": day(out + 7) }));
    }
    let passengers: Vec<Value> = scene.passengers.iter().map(|kind| json!({ "type": kind })).collect();
    let search = json!({ "slices": slices, "passengers": passengers, "cabin_class": scene.cabin });
    let (status, found) = client.send(scene.agency, reqwest::Method::POST, "/air/offer_requests", Some(&search)).await?;
    let offer = found["data"]["offers"][0].clone();
    if offer.is_null() {
        return Err(format!("no offer for {origin}-{destination}: {status} {found}").into());
    }
    let began = Instant::now();
    let order = order_of(&offer, scene, number);
    let (status, answer) = client.send(scene.agency, reqwest::Method::POST, "/air/orders", Some(&order)).await?;
    let millis = began.elapsed().as_secs_f64() * 1_000.0;
    let label = format!("{number:>3}/{orders} {:<24} {}-{}", scene.agency, origin, destination);
    if status != 201 && status != 200 {
        let error = &answer["errors"][0];
        println!("{label}  refused: {} ({})", text_of(&error["message"]), scene.what);
        println!("        {}", text_of(&error["remedy"]));
        return Ok(None);
    }
    let order = &answer["data"];
    let documents = order["documents"].as_array().cloned().unwrap_or_default();
    let numbers: Vec<String> = documents.iter().map(|document| text_of(&document["unique_identifier"])).collect();
    println!(
        "{label}  {} {:>9} {}  {}  {millis:.1} ms ({})",
        text_of(&order["booking_reference"]),
        text_of(&order["total_amount"]),
        text_of(&order["total_currency"]),
        numbers.join(" "),
        scene.what
    );
    Ok(numbers.into_iter().next())
}

pub(super) fn order_of(offer: &Value, scene: &Scene, number: u32) -> Value {
    let payment = json!({ "type": scene.payment, "amount": offer["total_amount"], "currency": offer["total_currency"] });
    let people = people_for(offer, number.into());
    json!({ "type": "instant", "selected_offers": [offer["id"]], "passengers": people, "payments": [payment] })
}

/// Somebody for every seat of an offer.
pub(super) fn people_for(offer: &Value, number: u64) -> Vec<Value> {
    let offered = offer["passengers"].as_array().cloned().unwrap_or_default();
    let infant = offered.iter().find(|passenger| passenger["type"] == INFANT).map(|infant| infant["id"].clone());
    let mut laps = infant.into_iter();
    // Each order is of another family, so that nobody is booked twice on a flight.
    let own = usize::try_from(number).unwrap_or(0);
    let family = FAMILIES.iter().cycle().nth(own % FAMILIES.len()).copied().unwrap_or_default();
    let given = GIVEN.iter().cycle().skip(own / FAMILIES.len() % GIVEN.len());
    offered
        .iter()
        .zip(given)
        .map(|(passenger, given)| {
            let (years, adult) = match passenger["type"].as_str() {
                Some(CHILD) => (7, false),
                Some(INFANT) => (1, false),
                _ => (35, true),
            };
            let born = chrono::Utc::now().date_naive() - chrono::Months::new(12 * years);
            let mut person = json!({
                "id": passenger["id"], "title": "ms", "gender": "f", "given_name": given,
                "family_name": family, "born_on": born.to_string(),
            });
            if adult {
                person["email"] = json!(format!("traveller{number}@example.com"));
                person["phone_number"] = json!("+8613800138000");
                person["infant_passenger_id"] = laps.next().unwrap_or(Value::Null);
            }
            person
        })
        .collect()
}

/// One ticket's whole truth, once its airline has been paid.
async fn show_ticket(client: &Client, number: &str) -> Result<(), Failure> {
    let until = Instant::now() + Duration::from_secs(15);
    let ticket = loop {
        let ticket = client.get(BEIJING, &format!("/v1/tickets/{number}")).await?;
        if ticket["disbursement"]["state"] == "confirmed" || Instant::now() > until {
            break ticket;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let currency = text_of(&ticket["currency"]);
    println!("\nTicket {number}, check digit {}, sold on {}", text_of(&ticket["check_digit"]), text_of(&ticket["tender"]));
    println!("  fare calculation  {}", text_of(&ticket["fare_calculation"]));
    for coupon in list(&ticket["coupons"]) {
        let (from, to) = (text_of(&coupon["origin"]), text_of(&coupon["destination"]));
        println!(
            "  coupon {}          {} {from}-{to} {} class {} status {}",
            text_of(&coupon["number"]),
            text_of(&coupon["flight"]),
            text_of(&coupon["departing_at"]),
            text_of(&coupon["booking_class"]),
            text_of(&coupon["status"])
        );
    }
    println!(
        "  price             {:>12} {currency} = fare {} + taxes {}",
        text_of(&ticket["total_amount"]),
        text_of(&ticket["base_amount"]),
        text_of(&ticket["tax_amount"])
    );
    println!("  split");
    for leg in list(&ticket["split"]) {
        let what = match leg["kind"].as_str() {
            Some("fee") => "platform fee".to_owned(),
            Some("authority") => format!("tax {}", text_of(&leg["tax_code"])),
            other => other.unwrap_or_default().to_owned(),
        };
        println!("    {what:<14}  {:>12} {currency}  {}", text_of(&leg["amount"]), text_of(&leg["payee"]));
    }
    println!("  journal");
    for posting in list(&ticket["journal"]) {
        println!("    {} on {}", text_of(&posting["event"]), text_of(&posting["ledger_date"]));
        for entry in list(&posting["entries"]) {
            let (debit, credit) = (text_of(&entry["debit_amount"]), text_of(&entry["credit_amount"]));
            println!("      {:<22} {debit:>12} {credit:>12}", text_of(&entry["account_code"]));
        }
    }
    let advance = &ticket["disbursement"];
    println!(
        "  advance           {:>12} {currency} {} in attempt {}, {} ms after the sale, bank reference {}",
        text_of(&advance["amount"]),
        text_of(&advance["state"]),
        text_of(&advance["attempt"]),
        text_of(&advance["sale_to_credit_millis"]),
        text_of(&advance["bank_reference"])
    );
    Ok(())
}

async fn show_limit(client: &Client) -> Result<(), Failure> {
    let agencies = client.get(BEIJING, "/v1/agencies").await?;
    let id = text_of(&agencies[0]["id"]);
    let limit = client.get(BEIJING, &format!("/v1/limits/{id}")).await?;
    let currency = text_of(&limit["currency"]);
    println!("\n{BEIJING}");
    for (what, field) in
        [("sales limit", "limit_amount"), ("exposure", "exposure_amount"), ("remaining capacity", "available_amount")]
    {
        println!("  {what:<18}{:>14} {currency}", text_of(&limit[field]));
    }
    println!(
        "  {:<18}{:>14} {currency} (not deciding)",
        "RHC beside it",
        text_of(&limit["remittance_holding_capacity"]["amount"])
    );
    Ok(())
}

async fn show_trial_balance(client: &Client) -> Result<(), Failure> {
    let trial = client.get(OPERATOR, "/v1/ledger/trial_balance").await?;
    println!("\nTrial balance as of {}", text_of(&trial["as_of"]));
    for line in list(&trial["lines"]) {
        let (debit, credit) = (text_of(&line["debit_amount"]), text_of(&line["credit_amount"]));
        println!("  {:<28}{debit:>16}{credit:>16} {}", text_of(&line["account"]), text_of(&line["currency"]));
    }
    let balanced = if trial["balanced"] == true { "debits equal credits" } else { "DEBITS AND CREDITS DIFFER" };
    println!("  {balanced}");
    Ok(())
}
