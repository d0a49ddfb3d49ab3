//! Seals, and the anchor outside the database that notices a tail which was cut off.

use crate::database::Engine;
use crate::world::World;
use airsettle::ids::node_of;
use airsettle::ledger::{Anchor, AnchorError, Fault, Proof, Seal, seal_pending, verify};
use airsettle::settlement::Purpose;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

on_both_engines!(
    a_seal_covers_what_was_booked_since_the_last_one,
    only_the_anchor_notices_a_tail_that_was_cut,
    an_anchor_with_another_head_is_noticed,
    every_node_has_a_chain_of_its_own,
    an_anchor_that_went_back_is_refused,
);

struct Anchored {
    world: World,
    _folder: tempfile::TempDir,
    file: PathBuf,
}

impl Anchored {
    fn on(engine: Engine) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("anchors.jsonl");
        Anchored { world: World::on(engine), _folder: folder, file }
    }

    fn books(&self, receipts: usize) {
        for _ in 0..receipts {
            self.world.receives(&self.world.receipt(Purpose::Capital, "1.00")).unwrap();
        }
    }

    /// Seals, and writes the seals to the anchor, as the job does.
    fn seals(&self) -> Vec<Seal> {
        let seals = self.world.write(|tx| Ok(seal_pending(tx)?));
        let anchors: Vec<Anchor> = seals.iter().map(|seal| Anchor::of("live", seal)).collect();
        Anchor::append(&self.file, &anchors).unwrap();
        seals
    }

    fn proof(&self) -> Result<Proof, Fault> {
        let anchors = Anchor::read_last(&self.file, "live").unwrap();
        self.world.read(|db| verify(db, &anchors))
    }

    /// Takes the end of the ledger away so cleanly that what is left is a ledger.
    fn cuts_everything_after(&self, posting: i64) {
        let cut = |table: &str, what: String| self.world.database.tamper(table, &format!("DELETE FROM {table} WHERE {what}"));
        cut("entry", format!("posting_id > {posting}"));
        cut("posting", format!("id > {posting}"));
        cut("seal", format!("last_posting_id > {posting}"));
        let fold = "UPDATE account SET
            balance_minor = COALESCE((SELECT SUM(e.amount_minor) FROM entry e WHERE e.account_id = account.id), 0),
            version = COALESCE((SELECT MAX(e.version) FROM entry e WHERE e.account_id = account.id), 0),
            last_entry_id = COALESCE((SELECT MAX(e.id) FROM entry e WHERE e.account_id = account.id), 0)";
        self.world.database.as_owner(fold).unwrap();
    }
}

fn a_seal_covers_what_was_booked_since_the_last_one(engine: Engine) {
    let anchored = Anchored::on(engine);
    assert!(anchored.seals().is_empty(), "nothing is sealed over nothing");
    anchored.books(3);
    assert_eq!(anchored.proof().unwrap().unsealed, 3);
    let first = anchored.seals();
    assert_eq!(first.iter().map(|seal| (seal.height, seal.count)).collect::<Vec<_>>(), [(1, 3)]);
    assert!(anchored.seals().is_empty(), "everything is sealed");
    anchored.books(2);
    let second = anchored.seals();
    assert_eq!(second.iter().map(|seal| (seal.height, seal.count)).collect::<Vec<_>>(), [(2, 2)]);
    assert_ne!(first[0].head, second[0].head);
    anchored.books(1);
    let proof = anchored.proof().unwrap();
    assert_eq!((proof.seals, proof.unsealed, proof.postings), (2, 1, 6));
}

fn only_the_anchor_notices_a_tail_that_was_cut(engine: Engine) {
    let anchored = Anchored::on(engine);
    anchored.books(3);
    anchored.seals();
    let last = anchored.world.number("SELECT MAX(id) AS value FROM posting");
    anchored.books(2);
    anchored.seals();
    anchored.proof().unwrap();
    anchored.cuts_everything_after(last);
    let proof = anchored.world.ledger_proof().unwrap();
    assert_eq!((proof.postings, proof.seals), (3, 1), "by itself what is left is a ledger");
    match anchored.proof() {
        Err(Fault::Chain { height: 2, what, .. }) => assert!(what.ends_with("its tail was cut"), "{what}"),
        other => panic!("{other:?}"),
    }
}

fn an_anchor_with_another_head_is_noticed(engine: Engine) {
    let anchored = Anchored::on(engine);
    anchored.books(1);
    let seals = anchored.seals();
    let node = seals[0].node;
    let forged = Anchor { head: hex::encode([7u8; 32]), ..Anchor::of("live", &seals[0]) };
    let anchors = BTreeMap::from([(node, forged)]);
    match anchored.world.read(|db| verify(db, &anchors)) {
        Err(Fault::Chain { height: 1, what, .. }) => assert!(what.contains("another head"), "{what}"),
        other => panic!("{other:?}"),
    }
    // A chain that the database does not know at all.
    let stranger = Anchor { node: 77, ..Anchor::of("live", &seals[0]) };
    let fault = anchored.world.read(|db| verify(db, &BTreeMap::from([(77, stranger)])));
    assert!(matches!(fault, Err(Fault::Chain { node: 77, height: 1, .. })), "{fault:?}");
}

fn every_node_has_a_chain_of_its_own(engine: Engine) {
    let anchored = Anchored::on(engine);
    let world = &anchored.world;
    let other = world.database.open(world.clock.clone());
    let books_there = |count: usize| {
        for _ in 0..count {
            let new = world.receipt(Purpose::Capital, "1.00");
            let actor = airsettle::audit::Actor::platform();
            other.write(|tx| airsettle::settlement::record_receipt(tx, actor, &new)).unwrap();
        }
    };
    anchored.books(2);
    books_there(3);
    let (here, there) = (i64::from(world.store.node()), i64::from(other.node()));
    let seals_there = || {
        let seals = other.write(seal_pending).unwrap();
        let anchors: Vec<Anchor> = seals.iter().map(|seal| Anchor::of("live", seal)).collect();
        Anchor::append(&anchored.file, &anchors).unwrap();
        seals
    };
    let what = |seals: Vec<Seal>| seals.iter().map(|seal| (seal.node, seal.height, seal.count)).collect::<Vec<_>>();
    assert_eq!(what(anchored.seals()), [(here, 1, 2)], "a node that is running seals itself");
    assert_eq!(what(seals_there()), [(there, 1, 3)]);
    books_there(1);
    // One that has stopped is sealed by another.
    other.release();
    assert_eq!(what(anchored.seals()), [(there, 2, 1)]);
    let proof = anchored.proof().unwrap();
    assert_eq!((proof.seals, proof.unsealed), (3, 0));
    let nodes = world.numbers("SELECT id AS value FROM posting");
    assert_eq!(nodes.iter().filter(|id| i64::from(node_of(**id)) == there).count(), 4);
}

fn an_anchor_that_went_back_is_refused(engine: Engine) {
    let anchored = Anchored::on(engine);
    let mut heads = Vec::new();
    for _ in 0..3 {
        anchored.books(1);
        heads.extend(anchored.seals());
    }
    let file = &anchored.file;
    let line = |seal: &Seal, database: &str| vec![Anchor::of(database, seal)];
    // The anchors of another database in the same file are not ours.
    Anchor::append(file, &line(&heads[0], "test")).unwrap();
    let last = Anchor::read_last(file, "live").unwrap();
    assert_eq!(last.values().map(|anchor| anchor.height).collect::<Vec<_>>(), [3]);
    assert_eq!(Anchor::read_last(file, "test").unwrap().len(), 1);
    for repeated in [&heads[2], &heads[1]] {
        let copy = file.with_extension("copy");
        std::fs::copy(file, &copy).unwrap();
        Anchor::append(&copy, &line(repeated, "live")).unwrap();
        let error = Anchor::read_last(&copy, "live").unwrap_err();
        assert!(matches!(error, AnchorError::WentBack { from: 3, line: 5, .. }), "{error}");
    }
    std::fs::write(file.with_extension("half"), "{\"database\":\"live\",").unwrap();
    let half = Anchor::read_last(&file.with_extension("half"), "live").unwrap_err();
    assert!(matches!(half, AnchorError::Unreadable { line: 1, .. }), "{half}");
    assert!(matches!(Anchor::read_last(Path::new("/nowhere/anchors"), "live"), Err(AnchorError::File { .. })));
}
