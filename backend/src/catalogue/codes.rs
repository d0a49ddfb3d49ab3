//! The codes that the trade uses as names. Each is a small copyable value that can only hold what its pattern allows, so that a key
//! packed from one can always be unpacked again.

use std::fmt;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident, $length:literal, $allowed:expr;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; $length]);

        impl $name {
            /// Capital letters (and digits where the trade has them) only; anything else is none.
            pub fn parse(text: &str) -> Option<Self> {
                let bytes: [u8; $length] = text.as_bytes().try_into().ok()?;
                let allowed: fn(u8) -> bool = $allowed;
                bytes.iter().all(|byte| allowed(*byte)).then_some($name(bytes))
            }

            pub fn as_str(&self) -> &str {
                std::str::from_utf8(&self.0).unwrap_or("")
            }
        }

        impl From<$name> for [u8; $length] {
            fn from(code: $name) -> Self {
                code.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    )+};
}

codes! {
    /// IATA airport code, `PEK`.
    AirportCode, 3, |byte| byte.is_ascii_uppercase();
    /// IATA metropolitan code, `BJS`. Often equal to the code of one of its airports.
    CityCode, 3, |byte| byte.is_ascii_uppercase();
    /// IATA airline designator, `CA`, `3U`.
    CarrierCode, 2, |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    /// IATA aircraft type code, `738`.
    AircraftCode, 3, |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit();
}

/// One letter: the price level a seat is booked in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BookingClass(u8);

impl BookingClass {
    pub fn parse(letter: char) -> Option<Self> {
        letter.is_ascii_uppercase().then(|| u8::try_from(letter).ok().map(BookingClass)).flatten()
    }

    pub fn letter(self) -> char {
        char::from(self.0)
    }
}

impl fmt::Display for BookingClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.letter())
    }
}

impl fmt::Debug for BookingClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.letter())
    }
}
