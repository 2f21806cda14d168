//! Numbers of other notations than TOML's: with a decimal comma, with commas between thousands, with degrees.

use toml::de::DeValue;

/// A number whose fraction stands behind a comma, with the point that it has in TOML.
pub(super) fn with_point(run: &str) -> Option<String> {
    let (whole, fraction) = run.split_once(',')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit());
    let bare = whole.strip_prefix(['-', '+']).unwrap_or(whole);
    let is_number = digits(bare) && digits(fraction) && (bare == "0" || !bare.starts_with('0'));
    is_number.then(|| format!("{whole}.{fraction}"))
}

/// Degrees with a fraction and the side of the equator or of Greenwich behind them.
fn with_side(run: &str) -> Option<(&str, char)> {
    let side = run.chars().last().filter(|last| matches!(last, 'N' | 'E' | 'S' | 'W'))?;
    let degrees = run[..run.len() - 1].trim_end().trim_end_matches('°').trim_end();
    let is_number = degrees.contains('.') && degrees.bytes().all(|octet| octet.is_ascii_digit() || octet == b'.');
    (is_number && degrees.parse::<f64>().is_ok()).then_some((degrees, side))
}

/// Degrees with their side in front of them or behind, where a place has them: `N50.11`, `50N`.
pub(super) fn on_axis(before: &str, run: &str) -> Option<String> {
    let key = before.strip_suffix('=')?.trim_end().rsplit(|letter: char| !letter.is_ascii_alphabetic()).next()?;
    let is_side = |letter: char| matches!(letter.to_ascii_uppercase(), 'N' | 'E' | 'S' | 'W');
    let (side, rest) = match (run.chars().next()?, run.chars().last()?) {
        (first, _) if is_side(first) => (first, &run[1..]),
        (_, last) if is_side(last) => (last, &run[..run.len() - 1]),
        _ => return None,
    };
    let degrees = rest.trim().trim_end_matches('°').trim_end();
    let is_number =
        degrees.bytes().all(|octet| octet.is_ascii_digit() || octet == b'.') && DeValue::parse(degrees).is_ok();
    let sign = if matches!(side.to_ascii_uppercase(), 'S' | 'W') { "-" } else { "" };
    (matches!(key, "lat" | "lon") && is_number).then(|| format!("{sign}{degrees}"))
}

/// The keys and values of a place for which two numbers stand.
pub(super) fn place(before: &str, inside: &str) -> Option<String> {
    let key = before.strip_suffix('=')?.trim_end();
    let (lat, lon) = inside.split_once(',')?;
    let number = |text: &str| {
        let text = text.trim();
        let is_number =
            matches!(DeValue::parse(text).map(toml::Spanned::into_inner), Ok(DeValue::Integer(_) | DeValue::Float(_)));
        is_number.then(|| text.to_owned()).or_else(|| meant_number(text))
    };
    let (lat, lon) = (number(lat)?, number(lon)?);
    key.ends_with("location").then(|| format!("lat = {lat}, lon = {lon}"))
}

/// How long a number is that a text begins with, with digits behind commas; none when what is behind a comma is a key.
pub(super) fn commas(text: &str) -> usize {
    let whole = text.strip_prefix(['-', '+']).unwrap_or(text);
    let rest = whole.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == ',');
    let run = &text[..text.len() - rest.len()];
    let number = run.trim_end_matches(',');
    let is_number =
        number.contains(',') && !number.contains(",,") && number.ends_with(|last: char| last.is_ascii_digit());
    let ends = run.len() > number.len() || matches!(rest.trim_start().chars().next(), None | Some('}' | '#'));
    if is_number && ends && meant_number(number).is_some() { number.len() } else { 0 }
}

/// The number that was meant by one of another notation.
pub(super) fn meant_number(run: &str) -> Option<String> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit());
    let (sign, bare) = run.strip_prefix(['-', '+']).map_or(("", run), |bare| (&run[..1], bare));
    let meant = if let Some(fraction) = bare.strip_prefix('.').filter(|rest| digits(rest)) {
        format!("0.{fraction}")
    } else if let Some(whole) = bare.strip_suffix('.').filter(|rest| digits(rest)) {
        whole.to_owned()
    } else if digits(bare) || bare.split_once('.').is_some_and(|(whole, fraction)| digits(whole) && digits(fraction)) {
        let cut = bare.trim_start_matches('0');
        if cut.is_empty() || cut.starts_with('.') { format!("0{cut}") } else { cut.to_owned() }
    } else if let Some(degrees) = bare.strip_suffix('°').filter(|rest| rest.parse::<f64>().is_ok()) {
        degrees.to_owned()
    } else if let Some((degrees, side)) = with_side(bare) {
        return Some(format!("{}{degrees}", if matches!(side, 'S' | 'W') { "-" } else { sign }));
    } else if bare.split(',').count() > 1
        && !(bare.starts_with('0') && with_point(bare).is_some())
        && bare.split(',').enumerate().all(|(at, part)| digits(part) && (part.len() == 3 || at == 0 && part.len() < 3))
    {
        bare.replace(',', "")
    } else {
        with_point(bare)?
    };
    let meant = format!("{sign}{meant}");
    DeValue::parse(&meant).is_ok().then_some(meant)
}
