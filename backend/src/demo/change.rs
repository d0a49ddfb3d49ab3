//! What becomes of orders in the demo: one that is held, and one that is exchanged for a later day.

use super::client::{Client, Failure, Refused, list, minor, text_of};
use super::sell::{BEIJING, Scene, day, order_of, scene};
use serde_json::{Value, json};

const HELD: Scene = scene("held until its deadline", BEIJING, ("PEK", "CAN"), false, &["adult"], None, "balance");
const CHANGED: Scene = scene("exchanged for a later day", BEIJING, ("PEK", "SHA"), false, &["adult"], None, "arc_bsp_cash");

/// Offers of a scene, so many days ahead.
async fn offers(client: &Client, scene: &Scene, ahead: u64) -> Result<Vec<Value>, Failure> {
    let (origin, destination) = scene.route;
    let slice = json!({ "origin": origin, "destination": destination, "departure_date": day(ahead) });
    let search = json!({ "slices": [slice], "passengers": [{ "type": "adult" }] });
    let found = client.post(scene.agency, "/air/offer_requests", search).await?;
    Ok(list(&found["offers"]).to_vec())
}

/// Seats and a record locator, to be paid later.
pub(super) async fn hold(client: &Client) -> Result<String, Failure> {
    let found = offers(client, &HELD, 45).await?;
    let holdable = found.iter().find(|offer| offer["payment_requirements"]["requires_instant_payment"] == false);
    let offer = holdable.ok_or("no offer can be held")?;
    let mut order = order_of(offer, &HELD, 1);
    order["type"] = json!("hold");
    if let Some(fields) = order.as_object_mut() {
        fields.remove("payments");
    }
    let held = client.post(HELD.agency, "/air/orders", order).await?;
    let by = text_of(&held["payment_status"]["payment_required_by"]);
    let [reference, amount, currency] =
        ["booking_reference", "total_amount", "total_currency"].map(|field| text_of(&held[field]));
    Ok(format!("Held {reference}  {amount} {currency}, to be paid by {by} ({})", HELD.what))
}

/// What it takes to fly an order's first slice on another day; nothing where no such flight is offered.
pub(super) async fn change_to(
    client: &Client,
    of: &str,
    (order, (origin, destination)): (&Value, (&str, &str)),
    day: &str,
) -> Result<Result<Option<Value>, Refused>, Failure> {
    let wanted = json!({ "order_id": order["id"], "slices": {
        "remove": [{ "slice_id": order["slices"][0]["id"] }],
        "add": [{ "origin": origin, "destination": destination, "departure_date": day }],
    } });
    let found = match client.ask(of, "/air/order_change_requests", &wanted).await? {
        Ok(found) => found,
        Err(refused) => return Ok(Err(refused)),
    };
    let Some(offer) = list(&found["order_change_offers"]).first() else { return Ok(Ok(None)) };
    let change = json!({ "selected_order_change_offer": offer["id"] });
    Ok(Ok(Some(client.post(of, "/air/order_changes", change).await?)))
}

/// Pays what is due, if anything is.
pub(super) async fn confirm_change(
    client: &Client,
    of: &str,
    change: &Value,
    tender: &str,
) -> Result<Result<Value, Refused>, Failure> {
    let due = &change["change_total_amount"];
    let payment = json!({ "type": tender, "amount": due, "currency": change["change_total_currency"] });
    let body = if minor(due)? > 0 { json!({ "payment": payment }) } else { json!({}) };
    client.ask(of, &format!("/air/order_changes/{}/actions/confirm", text_of(&change["id"])), &body).await
}

/// A ticket given in for one of another day: the agency pays the difference and the penalty.
pub(super) async fn exchange(client: &Client) -> Result<String, Failure> {
    let of = CHANGED.agency;
    let found = offers(client, &CHANGED, 50).await?;
    let offer = found.first().ok_or("no offer to exchange later")?;
    let order = client.post(of, "/air/orders", order_of(offer, &CHANGED, 2)).await?;
    let change = change_to(client, of, (&order, CHANGED.route), &day(53)).await??.ok_or("no offer to exchange for")?;
    confirm_change(client, of, &change, CHANGED.payment).await??;
    let now = client.get(of, &format!("/air/orders/{}", text_of(&order["id"]))).await?;
    let number = |order: &Value| list(&order["documents"]).last().map(|last| text_of(&last["unique_identifier"]));
    Ok(format!(
        "Exchanged {}  {} for {}: penalty {}, {} {} in all ({})",
        text_of(&now["booking_reference"]),
        number(&order).unwrap_or_default(),
        number(&now).unwrap_or_default(),
        text_of(&change["penalty_total_amount"]),
        text_of(&change["change_total_amount"]),
        text_of(&change["change_total_currency"]),
        CHANGED.what
    ))
}
