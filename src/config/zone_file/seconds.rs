//! Spans of time as master files write them: plain seconds, or numbers with units as in `1h30m`. Must not know what
//! they time.

/// The largest TTL (RFC 2181 8).
pub(super) const MAX_TTL: u32 = i32::MAX as u32;

/// Why a text is no span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotSeconds {
    /// It does not have the form.
    Form,
    /// It is over 2³¹ − 1.
    Large,
}

/// Reads digits alone, or runs of digits each with one of `s m h d w` in any case behind it.
pub(super) fn seconds(text: &str) -> Result<u32, NotSeconds> {
    if !text.starts_with(|first: char| first.is_ascii_digit()) {
        return Err(NotSeconds::Form);
    }
    let (mut sum, mut number) = (0u64, None::<u64>);
    let mut units = false;
    for octet in text.bytes() {
        if octet.is_ascii_digit() {
            // Saturated far above the limit, so that a long number is large and not malformed.
            number = Some((number.unwrap_or(0) * 10 + u64::from(octet - b'0')).min(1 << 40));
            continue;
        }
        let unit = match octet.to_ascii_lowercase() {
            b's' => 1,
            b'm' => 60,
            b'h' => 3_600,
            b'd' => 86_400,
            b'w' => 604_800,
            _ => return Err(NotSeconds::Form),
        };
        sum = sum.saturating_add(number.take().ok_or(NotSeconds::Form)? * unit);
        units = true;
    }
    match number {
        Some(_) if units => return Err(NotSeconds::Form),
        Some(number) => sum = number,
        None => {}
    }
    u32::try_from(sum).ok().filter(|&seconds| seconds <= MAX_TTL).ok_or(NotSeconds::Large)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_add_up_and_the_limit_is_exact() {
        for (text, value) in [
            ("0", Ok(0)),
            ("3600", Ok(3600)),
            ("1h30m", Ok(5400)),
            ("1W2d3H4m5S", Ok(604_800 + 172_800 + 10_800 + 240 + 5)),
            ("2147483647", Ok(MAX_TTL)),
            ("2147483648", Err(NotSeconds::Large)),
            ("99999999999999999999999999", Err(NotSeconds::Large)),
            ("9999999999999999999w", Err(NotSeconds::Large)),
            ("1h30", Err(NotSeconds::Form)),
            ("h", Err(NotSeconds::Form)),
            ("1hh", Err(NotSeconds::Form)),
            ("-1", Err(NotSeconds::Form)),
            ("1.5h", Err(NotSeconds::Form)),
            ("", Err(NotSeconds::Form)),
        ] {
            assert_eq!(seconds(text), value, "{text}");
        }
    }
}
