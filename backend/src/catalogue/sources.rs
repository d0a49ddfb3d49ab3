//! The texts that a catalogue is read from: those of `fixtures/`, unless somebody brings others.

use super::records::Table;

macro_rules! sources {
    ($($name:ident = $file:literal,)+) => {
        /// One text per table, in the form of its file in `fixtures/`.
        #[derive(Clone, Copy, Debug)]
        pub struct Sources<'t> {
            $(pub $name: &'t str,)+
        }

        pub(super) struct Tables<'t> {
            $(pub $name: Table<'t>,)+
        }

        impl Sources<'static> {
            /// What is compiled into the program.
            pub fn embedded() -> Self {
                Sources { $($name: include_str!(concat!("../../../fixtures/", $file)),)+ }
            }
        }

        impl<'t> Sources<'t> {
            pub(super) fn tables(&self) -> Tables<'t> {
                Tables { $($name: Table { file: $file, text: self.$name },)+ }
            }
        }
    };
}

sources! {
    aircraft = "aircraft.csv",
    airport_names = "airport_names.csv",
    airports = "airports.csv",
    blackouts = "blackouts.csv",
    carriers = "carriers.csv",
    change_ladders = "change_ladders.csv",
    city_pairs = "city_pairs.csv",
    connecting_times = "connecting_times.csv",
    dunning_steps = "dunning_steps.csv",
    fare_ladder = "fare_ladder.csv",
    fare_rules = "fare_rules.csv",
    flights = "flights.csv",
    holidays = "holidays.csv",
    hold_rules = "hold_rules.csv",
    memo_reasons = "memo_reasons.csv",
    memo_rules = "memo_rules.csv",
    name_corrections = "name_corrections.csv",
    passenger_conditions = "passenger_conditions.csv",
    passenger_rates = "passenger_rates.csv",
    refund_ladders = "refund_ladders.csv",
    taxes = "taxes_cn.csv",
    void_windows = "void_windows.csv",
}
