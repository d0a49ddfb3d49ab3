//! A window that slides over time in steps of a sixtieth of its length.

use crate::clock::Timestamp;
use std::collections::VecDeque;

/// Steps of a window.
const STEPS: i64 = 60;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Window {
    /// What was measured in each step that is not empty, oldest first.
    steps: VecDeque<(i64, i64)>,
    total: i64,
}

/// The step of a moment in a window of so many minutes: a window of an hour goes by minutes.
pub(super) fn step_of(at: Timestamp, window_minutes: i64) -> i64 {
    at.utc().timestamp().checked_div_euclid(window_minutes).unwrap_or(0)
}

impl Window {
    /// What is within the window that ends with this step.
    pub fn total_at(&self, step: i64) -> i64 {
        let past: i64 = self.steps.iter().take_while(|(of, _)| *of <= step - STEPS).map(|(_, measured)| *measured).sum();
        self.total - past
    }

    pub fn add(&mut self, step: i64, measured: i64) {
        while let Some((_, past)) = self.steps.pop_front_if(|(of, _)| *of <= step - STEPS) {
            self.total -= past;
        }
        self.total = self.total.saturating_add(measured);
        // What comes from another node may be a little older than the last.
        let place = self.steps.iter().rposition(|(of, _)| *of <= step);
        match place.and_then(|place| self.steps.get_mut(place)) {
            Some((of, sum)) if *of == step => *sum = sum.saturating_add(measured),
            _ => self.steps.insert(place.map_or(0, |place| place + 1), (step, measured)),
        }
    }

    /// Whether nothing is left in it.
    pub fn is_past(&self, step: i64) -> bool {
        self.steps.back().is_none_or(|(of, _)| *of <= step - STEPS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_an_hour_ago_has_left_a_window_of_an_hour() {
        let mut window = Window::default();
        window.add(0, 3);
        window.add(30, 2);
        assert_eq!([30, 59, 60, 89, 90].map(|step| window.total_at(step)), [5, 5, 2, 2, 0]);
        assert!(!window.is_past(89) && window.is_past(90));
    }

    proptest! {
        #[test]
        fn it_holds_what_was_added_within_it(mut added in proptest::collection::vec((0i64..300, 1i64..50), 1..60), late in 0usize..5) {
            added.sort_unstable();
            // A few come out of order, as from another node, but not by more than a window.
            if added.len() > late + 1 && added[added.len() - 1].0 - added[added.len() - 1 - late].0 < 30 {
                let last = added.len() - 1;
                added.swap(last, last - late);
            }
            let mut window = Window::default();
            for (step, measured) in &added {
                window.add(*step, *measured);
            }
            let end = added.iter().map(|(step, _)| *step).max().unwrap_or(0);
            for now in [end, end + 10, end + 59, end + 60] {
                let expected: i64 = added.iter().filter(|(step, _)| *step > now - STEPS).map(|(_, measured)| measured).sum();
                prop_assert_eq!(window.total_at(now), expected);
            }
        }
    }
}
