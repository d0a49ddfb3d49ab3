//! `airsettle demo quarter`, with few agencies and for some weeks.

use crate::platform::BEIJING;
use crate::v1::worked_case::Desk;
use airsettle::demo::{Played, run_quarter};

on_both_engines! {
    fn some_weeks_end_with_everybody_square(world) {
        world.writes_keys();
        let all_holds = run_quarter(world.folder(), Played { seed: 7, agencies: 8, days: 18 }).unwrap();
        let report = std::fs::read_to_string(world.folder().join("quarter.md")).unwrap();
        assert!(all_holds, "{report}");
        for told in ["orders voided", "is in default", "are written off", "has paid everything", "its limit was used up", "`limit_exceeded`"] {
            assert!(report.contains(told), "{told}: {report}");
        }
        Desk::open(world, BEIJING).proves();
    }
}
