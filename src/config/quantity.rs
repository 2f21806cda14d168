//! Quantities as text: durations, sizes, distances, shares, prefixes. One strict grammar for each: whole numbers with a unit,
//! no spaces, no signs, so that a value has one reading. Must not know which key it is for.

use std::net::{AddrParseError, IpAddr};

use crate::engine::types::{Millis, Prefix};

/// Which rule of its grammar a quantity breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// A duration without anything in it.
    #[error("it is empty")]
    Empty,
    /// A duration, or a part of it, that does not begin with digits.
    #[error("a whole number with a unit is expected")]
    NoNumber,
    /// The number, or what it comes to in the smallest unit, does not fit.
    #[error("the number is too large")]
    TooLarge,
    /// A duration that ends behind a number.
    #[error("the unit is missing")]
    NoUnit,
    /// A duration with a decimal.
    #[error("the number must be whole")]
    NotWhole,
    /// What stands in a duration in the place of a unit.
    #[error("{0:?} has no place in a duration")]
    Stray(char),
    /// A duration with a unit that there is not.
    #[error("\"{0}\" is not a unit: d, h, m, s, ms or us")]
    UnknownUnit(Box<str>),
    /// A duration with a unit twice, or in another order.
    #[error("larger units come first, each once")]
    UnitOrder,
    /// A size or a distance that does not begin with digits.
    #[error("a whole number with a unit is expected: {units}")]
    NoNumberOf {
        /// Those that there are.
        units: Box<str>,
    },
    /// A size or a distance that is a number alone.
    #[error("the unit is missing: {units}")]
    NoUnitOf {
        /// Those that there are.
        units: Box<str>,
    },
    /// A size or a distance with a unit that there is not.
    #[error("\"{unit}\" is not a unit: {units}")]
    UnknownUnitOf {
        /// What was written.
        unit: Box<str>,
        /// Those that there are.
        units: Box<str>,
    },
    /// A share without its sign.
    #[error("the `%` is missing")]
    NoPercent,
    /// A share whose number is none.
    #[error("a number with `%` is expected")]
    NoShare,
    /// A share with more than one decimal.
    #[error("one decimal at most")]
    Decimals,
    /// A share that does not fit.
    #[error("too large")]
    LargeShare,
}

/// Why a text is neither an address nor a prefix.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PrefixError {
    #[error("neither an address nor a prefix")]
    Neither,
    #[error("\"{text}\" is not an address")]
    Address { text: Box<str>, source: AddrParseError },
    #[error("\"{text}\" is not a length from 0 to {most}")]
    Length { text: Box<str>, most: u8 },
    #[error("there are bits beyond the length: {meant} is meant")]
    Beyond { meant: Prefix },
}

/// Reads a duration to microseconds: whole numbers with the units `d`, `h`, `m`, `s`, `ms`, `us`, larger units first,
/// each at most once: "250ms", "1m30s", "14d".
///
/// # Errors
/// Says which rule the text breaks.
pub(crate) fn duration(text: &str) -> Result<u64, QuantityError> {
    const UNITS: [(&str, u64); 6] =
        [("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000), ("ms", 1000), ("us", 1)];
    let mut rest = text;
    let mut total: u64 = 0;
    let mut last = u64::MAX;
    if rest.is_empty() {
        return Err(QuantityError::Empty);
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = rest.split_at(digits);
        let letters = tail.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, tail) = tail.split_at(letters);
        if number.is_empty() {
            return Err(QuantityError::NoNumber);
        }
        let number: u64 = number.parse().map_err(|_| QuantityError::TooLarge)?;
        if unit.is_empty() {
            return Err(match tail.chars().next() {
                None => QuantityError::NoUnit,
                Some('.') => QuantityError::NotWhole,
                Some(other) => QuantityError::Stray(other),
            });
        }
        let Some(&(_, length)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(QuantityError::UnknownUnit(unit.into()));
        };
        if length >= last {
            return Err(QuantityError::UnitOrder);
        }
        last = length;
        let part = number.checked_mul(length).ok_or(QuantityError::TooLarge)?;
        total = total.checked_add(part).ok_or(QuantityError::TooLarge)?;
        rest = tail;
    }
    Ok(total)
}

/// Writes milliseconds as [`duration`] reads them.
pub(crate) fn show_millis(length: Millis) -> String {
    show_duration(length.0 * 1000)
}

/// Writes microseconds as [`duration`] reads them.
pub(crate) fn show_duration(micros: u64) -> String {
    let unit = [("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000), ("ms", 1000)];
    match unit.into_iter().find(|(_, length)| micros >= *length && micros.is_multiple_of(*length)) {
        Some((name, length)) => format!("{}{name}", micros / length),
        None if micros == 0 => "0s".into(),
        None => format!("{micros}us"),
    }
}

/// Reads a size to octets: a whole number with `B`, `KiB`, `MiB` or `GiB`.
///
/// # Errors
/// Says which rule the text breaks.
pub(crate) fn size(text: &str) -> Result<u64, QuantityError> {
    with_unit(text, &[("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)])
}

/// Writes octets as [`size`] reads them.
pub(crate) fn show_size(octets: u64) -> String {
    let unit = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    match unit.into_iter().find(|(_, length)| octets >= *length && octets.is_multiple_of(*length)) {
        Some((name, length)) => format!("{}{name}", octets / length),
        None => format!("{octets}B"),
    }
}

/// Reads a distance to kilometres: a whole number with `km`.
///
/// # Errors
/// Says which rule the text breaks.
pub(crate) fn distance(text: &str) -> Result<u64, QuantityError> {
    with_unit(text, &[("km", 1)])
}

/// Reads a share to parts of a thousand: a number with at most one decimal, and `%`.
///
/// # Errors
/// Says which rule the text breaks.
pub(crate) fn share(text: &str) -> Result<u64, QuantityError> {
    let Some(number) = text.strip_suffix('%') else {
        return Err(QuantityError::NoPercent);
    };
    let (whole, tenths) = number.split_once('.').unwrap_or((number, "0"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit());
    if !is_number(whole) || !is_number(tenths) {
        return Err(QuantityError::NoShare);
    }
    if tenths.len() > 1 {
        return Err(QuantityError::Decimals);
    }
    let parts = whole.parse::<u64>().ok().and_then(|whole| whole.checked_mul(10));
    parts
        .zip(tenths.parse().ok())
        .and_then(|(whole, tenths)| whole.checked_add(tenths))
        .ok_or(QuantityError::LargeShare)
}

/// Writes parts of a thousand as [`share`] reads them.
pub(crate) fn show_share(parts: u64) -> String {
    if parts.is_multiple_of(10) { format!("{}%", parts / 10) } else { format!("{}.{}%", parts / 10, parts % 10) }
}

fn with_unit(text: &str, units: &[(&str, u64)]) -> Result<u64, QuantityError> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let names = || Box::from(units.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", "));
    if number.is_empty() {
        return Err(QuantityError::NoNumberOf { units: names() });
    }
    let Some(&(_, length)) = units.iter().find(|(name, _)| *name == unit) else {
        return Err(match unit {
            "" => QuantityError::NoUnitOf { units: names() },
            _ => QuantityError::UnknownUnitOf { unit: unit.into(), units: names() },
        });
    };
    number.parse::<u64>().ok().and_then(|number| number.checked_mul(length)).ok_or(QuantityError::TooLarge)
}

/// Reads an address or a prefix. What lies beyond the length must be zero.
///
/// # Errors
/// Says which rule the text breaks, and which prefix was meant.
pub(crate) fn prefix(text: &str) -> Result<Prefix, PrefixError> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(Prefix::host(address));
    }
    let Some((address, len)) = text.split_once('/') else {
        return Err(PrefixError::Neither);
    };
    let address: IpAddr = address.parse().map_err(|source| PrefixError::Address { text: address.into(), source })?;
    let bits = if address.is_ipv4() { 32 } else { 128 };
    let length = len.parse::<u8>().ok().filter(|length| *length <= bits && len.bytes().all(|o| o.is_ascii_digit()));
    let Some(length) = length else {
        return Err(PrefixError::Length { text: len.into(), most: bits });
    };
    let prefix = Prefix::new(address, length);
    if prefix.address() == address { Ok(prefix) } else { Err(PrefixError::Beyond { meant: prefix }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_one_reading() {
        assert_eq!(duration("250ms"), Ok(250_000));
        assert_eq!(duration("1m30s"), Ok(90_000_000));
        assert_eq!(duration("14d"), Ok(1_209_600_000_000));
        assert_eq!(duration("0s"), Ok(0));
        for bad in ["", "5", "5x", "-1s", "1.5s", "1 s", "1s1m", "1s1s", "s", "99999999999999999999s", "999999999999d"]
        {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_shown_reads_back() {
        for micros in [0, 1, 999, 1000, 250_000, 90_000_000, 3_600_000_000, 86_400_000_000] {
            assert_eq!(duration(&show_duration(micros)), Ok(micros));
        }
        for octets in [0, 1, 1023, 1024, 4 << 20, 1 << 30] {
            assert_eq!(size(&show_size(octets)), Ok(octets));
        }
    }

    #[test]
    fn shares_are_parts_of_a_thousand() {
        assert_eq!(share("50%"), Ok(500));
        assert_eq!(share("0.1%"), Ok(1));
        assert_eq!(share("100%"), Ok(1000));
        for bad in ["", "%", "50", "-1%", "0.01%", "1.%", ".5%", "1 %", "0.5", "99999999999999999999%"] {
            assert!(share(bad).is_err(), "{bad}");
        }
        for parts in [0, 1, 125, 500, 1000] {
            assert_eq!(share(&show_share(parts)), Ok(parts));
        }
    }

    #[test]
    fn prefixes_are_exact() {
        assert_eq!(prefix("192.0.2.0/24").map(|p| p.to_string()), Ok("192.0.2.0/24".into()));
        assert_eq!(prefix("192.0.2.7").map(|p| p.len()), Ok(32));
        assert_eq!(prefix("::/0").map(|p| p.len()), Ok(0));
        for bad in ["192.0.2.1/24", "192.0.2.0/33", "192.0.2.0/", "192.0.2.0/+4", "/8", "any", "::/129"] {
            assert!(prefix(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sizes_and_distances_name_their_units() {
        assert_eq!(size("4MiB"), Ok(4 << 20));
        assert_eq!(distance("500km"), Ok(500));
        for bad in ["4MB", "4", "MiB", "4 MiB", "18446744073709551615GiB"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }
}
