//! `/air/webhooks` and `/v1/webhook_deliveries` against a real receiver, with everything that receivers do.

use crate::platform::{Answer, BANK, BEIJING, OPERATOR, SHANGHAI, World};
use crate::receiver::{Received, Reply, WebhookReceiver};
use crate::v1::{sold, text};
use chrono::Duration;
use reqwest::Method;
use serde_json::{Value, json};

struct Listening {
    id: String,
    secret: String,
    receiver: WebhookReceiver,
}

fn made(world: &World, key: &str, url: &str, events: &[&str]) -> Answer {
    world.post(key, "/air/webhooks", &json!({ "url": url, "events": events }))
}

fn listening(world: &World, key: &str, receiver: WebhookReceiver, events: &[&str]) -> Listening {
    let webhook = made(world, key, &receiver.url, events).expect(201);
    Listening { id: text(&webhook.data()["id"]), secret: text(&webhook.data()["secret"]), receiver }
}

impl Listening {
    fn ping(&self, world: &World, key: &str) {
        world.post(key, &format!("/air/webhooks/{}/actions/ping", self.id), &json!({})).expect(200);
    }

    #[track_caller]
    fn hears(&self, world: &World, count: usize) -> Vec<Received> {
        world.await_that("the deliveries", || self.receiver.count() >= count);
        self.receiver.received()
    }

    fn log(&self, world: &World, key: &str) -> Vec<Value> {
        let path = format!("/v1/webhook_deliveries?limit=200&webhook_id={}", self.id);
        world.get(key, &path).expect(200).data().as_array().unwrap().clone()
    }

    /// The only delivery, once it has so many attempts.
    #[track_caller]
    fn attempted(&self, world: &World, key: &str, attempts: usize) -> Value {
        let so_many = || self.log(world, key).first().is_some_and(|one| one["attempts"].as_array().unwrap().len() >= attempts);
        world.await_that("the attempt is in the log", so_many);
        self.log(world, key).remove(0)
    }
}

fn send(world: &World, key: &str, method: Method, path: &str, data: &Value) -> Answer {
    world.block_on(world.send(key, method, path, &[], Some(json!({ "data": data }).to_string())))
}

fn test_time_passes(world: &World, by: Duration) {
    let app = &world.platform.test;
    app.set_clock(app.now().plus(by)).unwrap().unwrap();
}

on_both_engines! {
    fn a_sale_is_delivered_signed_both_ways(world) {
        let key = world.key(BEIJING);
        let heard = listening(world, &key, WebhookReceiver::start(), &["order.created"]);
        let order = sold(world, &key, "Zhang", "arc_bsp_cash");
        let delivery = heard.hears(world, 1).remove(0);
        let body = delivery.json();
        assert_eq!((&body["type"], &body["data"]["object"]["id"]), (&json!("order.created"), &order["id"]));
        assert_eq!((delivery.id(), &body["sequence"]), (body["id"].as_str().unwrap(), &json!(1)));
        assert!(delivery.is_signed_by(&heard.secret) && delivery.is_signed_for_duffel_by(&heard.secret));
        assert!(!delivery.body.contains("Zhang"), "references only");
        let pulled = world.get(&key, &format!("/v1/events/{}", delivery.id())).expect(200);
        assert_eq!(pulled.data(), &body, "what is pulled is what is delivered");
        let logged = heard.attempted(world, &key, 1);
        assert_eq!((&logged["state"], &logged["attempts"][0]["response_status"]), (&json!("delivered"), &json!(200)));
        assert_eq!(logged["attempts"][0]["response_excerpt"], "seen");
        for stranger in [SHANGHAI, OPERATOR] {
            let stranger = world.key(stranger);
            assert!(heard.log(world, &stranger).is_empty());
            world.get(&stranger, &format!("/air/webhooks/{}", heard.id)).expect_error(404, "not_found");
            let path = format!("/v1/webhook_deliveries/{}/actions/redeliver", text(&logged["id"]));
            world.post(&stranger, &path, &json!({})).expect_error(404, "not_found");
        }
    }

    fn a_receiver_that_fails_is_tried_again_until_it_accepts(world) {
        let key = world.key_in("test", BEIJING);
        let faults = [Reply::Status(500), Reply::HangUp, Reply::Redirect("http://127.0.0.1:9/elsewhere".into()), Reply::Huge];
        let heard = listening(world, &key, WebhookReceiver::start().behaves(faults), &["order.created"]);
        heard.ping(world, &key);
        for attempts in 1..=3 {
            heard.hears(world, attempts);
            let logged = heard.attempted(world, &key, attempts);
            assert_eq!(logged["state"], "pending");
            test_time_passes(world, Duration::hours(3));
        }
        heard.hears(world, 4);
        let logged = heard.attempted(world, &key, 4);
        let attempts = logged["attempts"].as_array().unwrap();
        let statuses: Vec<&Value> = attempts.iter().map(|one| &one["response_status"]).collect();
        assert_eq!(statuses, [&json!(500), &Value::Null, &json!(302), &json!(200)], "a redirect is not followed");
        assert!(attempts[1]["error"].is_string());
        assert_eq!(attempts[3]["response_excerpt"].as_str().unwrap().len(), 1_024, "no more than that is read");
        assert_eq!(logged["state"], "delivered");
        let ids: Vec<String> = heard.receiver.received().iter().map(|one| one.id().to_owned()).collect();
        assert!(ids.iter().all(|id| *id == ids[0]), "the same id, so that the receiver can tell");
    }

    fn one_slow_receiver_holds_up_nobody_else(world) {
        let key = world.key(BEIJING);
        let slow = WebhookReceiver::start().behaves((0..50).map(|_| Reply::Never));
        let slow = listening(world, &key, slow, &["order.created"]);
        let quick = listening(world, &key, WebhookReceiver::start(), &["order.created"]);
        for name in ["Zhang", "Wang", "Li", "Zhao", "Chen", "Yang"] {
            sold(world, &key, name, "arc_bsp_cash");
        }
        let begun = std::time::Instant::now();
        quick.hears(world, 6);
        assert!(begun.elapsed() < std::time::Duration::from_secs(8), "before the slow one is given up");
        assert!(slow.receiver.count() <= 4, "{} at once to one receiver", slow.receiver.count());
    }

    fn a_secret_is_replaced_without_a_gap(world) {
        let key = world.key_in("test", BEIJING);
        let heard = listening(world, &key, WebhookReceiver::start(), &["order.created"]);
        let rotate = |overlap: i64| {
            let path = format!("/air/webhooks/{}/actions/rotate_secret", heard.id);
            world.post(&key, &path, &json!({ "overlap_secs": overlap }))
        };
        rotate(-1).expect_error(422, "invalid_value");
        let new = text(&rotate(3_600).expect(200).data()["secret"]);
        heard.ping(world, &key);
        let both = heard.hears(world, 1).remove(0);
        assert!([&heard.secret, &new].iter().all(|secret| both.is_signed_by(secret) && both.is_signed_for_duffel_by(secret)));
        test_time_passes(world, Duration::hours(1));
        heard.ping(world, &key);
        let alone = heard.hears(world, 2).remove(1);
        assert!(alone.is_signed_by(&new) && !alone.is_signed_by(&heard.secret));
        let read = world.get(&key, &format!("/air/webhooks/{}", heard.id)).expect(200);
        assert!(read.data().get("secret").is_none() && !read.body.to_string().contains("whsec_"));
    }

    fn what_was_delivered_or_failed_is_sent_again_on_request(world) {
        let key = world.key_in("test", BEIJING);
        let heard = listening(world, &key, WebhookReceiver::start().behaves([Reply::Status(500)]), &["order.created"]);
        heard.ping(world, &key);
        heard.attempted(world, &key, 1);
        test_time_passes(world, Duration::hours(80));
        let logged = heard.attempted(world, &key, 2);
        assert_eq!(logged["state"], "delivered");
        let one = format!("/v1/webhook_deliveries/{}/actions/redeliver", text(&logged["id"]));
        assert_eq!(world.post(&key, &one, &json!({})).expect(200).data()["state"], "pending");
        heard.attempted(world, &key, 3);
        let many = |body: Value| world.post(&key, "/v1/webhook_deliveries/actions/redeliver", &body);
        assert_eq!(many(json!({ "webhook_id": heard.id })).expect(200).data()["count"], 0, "nothing failed");
        let delivered = json!({ "webhook_id": heard.id, "state": "delivered", "from": "2020-01-01T00:00:00Z" });
        world.await_that("it is settled", || many(delivered.clone()).expect(200).data()["count"] == 1);
        assert_eq!(heard.hears(world, 4).len(), 4);
        let before = json!({ "webhook_id": heard.id, "state": "delivered", "to": "2020-01-01T00:00:00Z" });
        assert_eq!(many(before).expect(200).data()["count"], 0);
        many(json!({ "webhook_id": heard.id, "state": "eaten" })).expect_error(422, "invalid_value");
        let event = format!("/air/webhooks/events/{}/actions/redeliver", text(&logged["event_id"]));
        world.post(&key, &event, &json!({})).expect(200);
        world.post(&world.key_in("test", SHANGHAI), &event, &json!({})).expect_error(404, "not_found");
    }

    fn a_webhook_is_changed_paused_and_deleted(world) {
        let key = world.key(BEIJING);
        let heard = listening(world, &key, WebhookReceiver::start(), &["order.created"]);
        let path = format!("/air/webhooks/{}", heard.id);
        let paused = send(world, &key, Method::PATCH, &path, &json!({ "active": false })).expect(200);
        assert_eq!((&paused.data()["active"], &paused.data()["url"]), (&json!(false), &json!(heard.receiver.url)));
        sold(world, &key, "Zhang", "arc_bsp_cash");
        let told = send(world, &key, Method::PATCH, &path, &json!({ "events": ["ticket.voided", "order.created"] })).expect(200);
        assert_eq!(told.data()["events"], json!(["order.created", "ticket.voided"]));
        send(world, &key, Method::PATCH, &path, &json!({ "events": [] })).expect_error(422, "invalid_value");
        let wrong = send(world, &key, Method::PATCH, &path, &json!({ "events": ["order.created", "order.eaten"], "url": "ftp://a/" }));
        assert_eq!(wrong.body["errors"].as_array().unwrap().len(), 2, "{}", wrong.body);
        world.block_on(world.send(&key, Method::DELETE, &path, &[], None)).expect(200);
        world.get(&key, &path).expect_error(404, "not_found");
        world.block_on(world.send(&key, Method::DELETE, &path, &[], None)).expect_error(404, "not_found");
        assert_eq!(heard.receiver.count(), 0, "nothing was sent while it was paused");
    }

    fn a_receiver_in_a_private_network_is_refused(world) {
        for (mode, url) in [
            ("test", "http://10.0.0.1/hook"),
            ("test", "http://169.254.169.254/latest/meta-data"),
            ("test", "http://[::ffff:192.168.0.1]/"),
            ("test", "http://[fd00::1]/"),
            ("live", "http://example.com/hook"),
            ("live", "https://100.64.0.1/"),
            ("live", "https://user:pw@example.com/"),
        ] {
            let answer = made(world, &world.key_in(mode, BEIJING), url, &["order.created"]).expect_error(422, "invalid_value");
            assert_eq!(answer.pointer(), "/data/url", "{url}");
        }
        let bank = world.key(BANK);
        for _ in 0..20 {
            made(world, &bank, "http://127.0.0.1:9/", &["facility.closed"]).expect(201);
        }
        made(world, &bank, "http://127.0.0.1:9/", &["facility.closed"]).expect_error(409, "invalid_state");
    }
}

/// The one fault that takes its ten seconds.
#[test]
fn a_receiver_that_takes_the_delivery_and_never_answers_is_asked_again() {
    let world = &World::new(crate::platform::Engine::Sqlite);
    let key = world.key_in("test", BEIJING);
    let heard = listening(world, &key, WebhookReceiver::start().behaves([Reply::Never]), &["order.created"]);
    heard.ping(world, &key);
    let logged = heard.attempted(world, &key, 1);
    assert_eq!(logged["attempts"][0]["error"], "no answer within 10 seconds");
    test_time_passes(world, Duration::minutes(1));
    assert_eq!(heard.hears(world, 2).len(), 2, "at least once");
}

/// Nobody listens at the port any more.
#[test]
fn a_closed_port_stands_in_the_log() {
    let world = &World::new(crate::platform::Engine::Sqlite);
    let key = world.key(BEIJING);
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let webhook = made(world, &key, &format!("http://{closed}/"), &["order.created"]).expect(201);
    let id = text(&webhook.data()["id"]);
    world.post(&key, &format!("/air/webhooks/{id}/actions/ping"), &json!({})).expect(200);
    let log = || world.get(&key, &format!("/v1/webhook_deliveries?webhook_id={id}")).expect(200).data().clone();
    world.await_that("the attempt", || log()[0]["attempts"][0]["error"].is_string());
    assert_eq!(log()[0]["state"], "pending");
    let failing = world.get(&key, &format!("/air/webhooks/{id}")).expect(200);
    assert!(failing.data()["failing_since"].is_string());
}
