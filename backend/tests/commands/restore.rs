//! The drill: a backup while it runs, a loss of everything after it, a restore, and the bank asked what it did meanwhile.

use crate::client::{BEIJING, Client, GUANGZHOU, OPERATOR};
use crate::stack::{Stack, deploy, run};
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;

#[test]
fn nothing_is_paid_twice_and_no_number_is_issued_twice_after_a_restore_on_sqlite() {
    drill(&Stack::on_sqlite());
}

#[test]
fn nothing_is_paid_twice_and_no_number_is_issued_twice_after_a_restore_on_postgresql() {
    drill(&Stack::on_own_cluster());
}

fn drill(stack: &Stack) {
    assert_eq!(run(&mut stack.migrate()).0, 0);
    assert_eq!(run(stack.airsettle().args(["seed", "--demo", "--data"]).arg(stack.data())).0, 0);
    let server = stack.serve();
    let client = Client::of(stack.data(), stack.port());

    let mut kept = vec![client.sells(BEIJING), client.sells(GUANGZHOU)];
    client.await_paid(&kept);
    // The bank does not answer while the backup is made: these are on their way in it, and paid by the bank after it.
    client.tells_bank(
        &stack.bank_url(),
        json!({ "script": [{ "kind": "accept_then_callback", "ms": 4_000 }], "default": { "kind": "down" } }),
    );
    let open = [client.sells(BEIJING), client.sells(GUANGZHOU), client.sells(BEIJING)];
    let backup = stack.data().join("backups").join("first");
    let (code, output) = run(deploy("backup").arg(stack.data()).arg(&backup));
    assert_eq!(code, 0, "{output}");
    assert!(output.contains("backup of"), "{output}");
    let (code, output) = run(deploy("backup").arg(stack.data()).arg(&backup));
    assert!(code == 1 && output.contains("exists already"), "{output}");

    client.tells_bank(&stack.bank_url(), json!({}));
    client.await_paid(&open);
    let lost = [client.sells(BEIJING), client.sells(GUANGZHOU), client.sells(BEIJING)];
    client.await_paid(&lost);
    client.tells_bank(&stack.bank_url(), json!({ "default": { "kind": "down" } }));
    let lost_unseen = client.sells(GUANGZHOU);
    kept.extend(open);
    // Everything is gone but the backup, the key and the anchor.
    drop(server);
    client.tells_bank(&stack.bank_url(), json!({}));
    stack.stops_database();

    std::fs::write(stack.data().join("master.key"), "07".repeat(32)).unwrap();
    let (code, output) = run(deploy("restore").arg(&backup).arg(stack.data()));
    assert_eq!(code, 0, "{output}");
    stack.starts_database();
    let (code, output) = run(stack.airsettle().arg("serve"));
    assert!(code == 1 && output.contains("restored from the backup of") && output.contains("airsettle recover"), "{output}");

    let (code, output) = run(stack.airsettle().arg("recover"));
    assert_eq!(code, 0, "{output}");
    println!("{output}");
    assert!(output.contains("live: 3 advances were open: the bank had paid 3"), "{output}");
    for number in &lost {
        assert!(output.contains(&format!("ticket {number}")), "{number} is not named: {output}");
    }
    assert!(!output.contains(&lost_unseen), "the bank never heard of it: {output}");
    let (code, output) = run(stack.airsettle().arg("recover"));
    assert!(code == 0 && output.contains("live: nothing to recover"), "{output}");

    let server = stack.serve();
    for number in &kept {
        assert_eq!(client.state_of(number), "confirmed", "{number}");
    }
    // Two payments of the line are not in its ledger: it stays closed until a person has settled that with the bank.
    let line = client.get(OPERATOR, "/v1/facilities")[0].clone();
    assert!(line["gate"]["open"] == false && line["gate"].to_string().contains("2 payments from"), "{line}");
    let path = format!("/v1/facilities/{}/actions/reopen", line["id"].as_str().unwrap());
    let (status, answer) = client.post(OPERATOR, &path, json!({}));
    assert_eq!(status, 200, "{answer}");
    let after = [client.sells(BEIJING), client.sells(GUANGZHOU)];
    client.await_paid(&after);

    let numbers: BTreeSet<&String> = kept.iter().chain(&lost).chain([&lost_unseen]).chain(&after).collect();
    assert_eq!(numbers.len(), kept.len() + lost.len() + 1 + after.len(), "no number was issued twice");
    let paid = client.paid_by(&stack.bank_url());
    let of_tickets: BTreeSet<&String> = paid.iter().map(|(_, number)| number).collect();
    assert_eq!(of_tickets.len(), paid.len(), "nothing was paid twice: {paid:?}");
    assert_eq!(paid.len(), numbers.len() - 1, "all but the one that the bank never heard of: {paid:?}");
    stack.await_seal(Duration::from_secs(10));
    drop(server);
    let (code, output) = run(stack.airsettle().arg("verify").arg("--anchor").arg(stack.data().join("live.anchor")));
    assert_eq!(code, 0, "{output}");
}

#[test]
fn a_database_that_is_older_than_its_anchor_is_not_served() {
    let stack = Stack::on_sqlite();
    assert_eq!(run(&mut stack.migrate()).0, 0);
    assert_eq!(run(stack.airsettle().args(["seed", "--demo", "--data"]).arg(stack.data())).0, 0);
    let server = stack.serve();
    let client = Client::of(stack.data(), stack.port());
    client.await_paid(&[client.sells(BEIJING)]);
    stack.await_seal(Duration::from_secs(10));
    drop(server);
    // A copy put back by hand, without the scripts.
    let (live, copy) = (stack.data().join("live.sqlite"), stack.data().join("copy.sqlite"));
    let _ = std::fs::remove_file(stack.data().join("live.sqlite-shm"));
    std::fs::copy(&live, &copy).unwrap();
    let wal = stack.data().join("live.sqlite-wal");
    if wal.exists() {
        std::fs::copy(&wal, stack.data().join("copy.sqlite-wal")).unwrap();
    }
    let server = stack.serve();
    client.await_paid(&[client.sells(BEIJING)]);
    stack.await_seal(Duration::from_secs(10));
    drop(server);
    for name in ["live.sqlite-wal", "live.sqlite-shm"] {
        let _ = std::fs::remove_file(stack.data().join(name));
    }
    std::fs::rename(&copy, &live).unwrap();
    let _ = std::fs::rename(stack.data().join("copy.sqlite-wal"), wal);
    let (code, output) = run(stack.airsettle().arg("serve"));
    assert!(code == 1 && output.contains("older than its anchor"), "{output}");
    let (code, output) = run(stack.airsettle().arg("recover"));
    assert!(code == 0 && output.contains("1 payments for sales"), "{output}");
    drop(stack.serve());
}

#[test]
fn a_backup_that_was_altered_is_not_restored() {
    let stack = Stack::on_sqlite();
    assert_eq!(run(&mut stack.migrate()).0, 0);
    let backup = stack.data().join("backup");
    let (code, output) = run(deploy("backup").arg(stack.data()).arg(&backup));
    assert_eq!(code, 0, "{output}");
    std::fs::write(stack.data().join("master.key"), "07".repeat(32)).unwrap();
    let file = backup.join("live.sqlite");
    let mut bytes = std::fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let before = std::fs::read(stack.data().join("live.sqlite")).unwrap();
    let (code, output) = run(deploy("restore").arg(&backup).arg(stack.data()));
    assert!(code == 1 && output.contains("not as it was made"), "{output}");
    assert_eq!(std::fs::read(stack.data().join("live.sqlite")).unwrap(), before);
}
