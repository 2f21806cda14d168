//! A value: a number, true or false, or what `quoted` and `list` read; and what is written in its place. Numbers may be
//! of other notations than TOML's: with a decimal comma, with commas between thousands, with degrees.

use std::ops::Range;

use toml::de::DeValue;

use super::{
    entry::shown,
    scan::{Scan, is_bare, is_header, text_before},
    signs,
    slip::Slip,
};

impl Scan<'_> {
    /// A value; `top` when its line may hold nothing else.
    pub(super) fn value(&mut self, top: bool) {
        /// The parser goes no deeper either.
        const DEEPEST: usize = 80;
        if self.open.len() > DEEPEST {
            let span = self.at..self.at;
            let slip = Slip::new(span, "brackets are nested too deeply", "no value is nested so deeply");
            self.slip(slip.remedy("close those in front of this"));
            (self.broken, self.given_up) = (true, true);
            self.at = self.line_end();
            return;
        }
        if self.is_line_end() {
            return self.missing();
        }
        match self.peek() {
            Some(quote @ ('"' | '\'')) => self.text(quote),
            Some('[') if bracketed_address(self.rest()).is_some() => self.address(),
            Some('[') => self.list(),
            Some('(') => self.parentheses(),
            Some('{') => self.braces(),
            Some(letter) if signs::is_quote(letter) => self.odd_text(),
            _ => match signs::ENTITIES.into_iter().find(|sign| self.rest().starts_with(sign)) {
                Some(sign) => self.entity_text(sign),
                None => self.word(top),
            },
        }
    }

    /// An IPv6 address in brackets, with or without a port, which is no list.
    fn address(&mut self) {
        let start = self.at;
        let length = bracketed_address(self.rest()).unwrap_or(1);
        self.at += length;
        let run = &self.text[start..self.at];
        self.judge(start..self.at, run, false);
    }

    fn parentheses(&mut self) {
        let (start, end) = (self.at, self.line_end());
        let line = &self.text[start..end];
        let length = line.find(')').map_or(line.trim_end().len(), |at| at + 1);
        let inside = line[1..length].trim_end_matches(')').trim();
        let slip = if let Some(table) = location(text_before(self.text, start), inside).or_else(|| pairs(inside)) {
            Slip::new(start..start + length, "a table stands in braces", "not in parentheses")
                .remedy(format!("write `{{ {table} }}`"))
        } else if inside.contains('=') {
            Slip::new(start..start + length, "a table stands in braces", "not in parentheses")
                .remedy("write `{ key = value }`")
        } else if inside.contains(',') || inside.is_empty() {
            Slip::new(start..start + length, "a list stands in brackets", "not in parentheses")
                .remedy(format!("write `[{inside}]`"))
        } else {
            Slip::new(start..start + length, "a value stands in no parentheses", "they are of another language")
                .remedy(format!("write {}, or `[{0}]` where a list is wanted", shown(inside)))
        };
        self.slip(slip);
        self.broken = true;
        self.at = start + length;
    }

    fn missing(&mut self) {
        let at = self.at;
        let before = self.text[..at].trim_end_matches([' ', '\t']).len();
        let slip = Slip::new(before..before, "a value is missing", "a value is expected here");
        self.gap();
        let goes_on = matches!(self.peek(), Some('[' | '{' | '"' | '\'')) && !self.is_header() && !self.is_entry();
        if goes_on {
            self.slip(slip.remedy("begin the value on the line of its key"));
            self.edits.remove(at..self.at);
            return self.value(true);
        }
        self.slip(slip.remedy("write it, or take the key out"));
        self.at = at;
        self.broken = true;
    }

    /// What stands without quotes.
    fn word(&mut self, top: bool) {
        let (start, end) = (self.at, self.line_end());
        let line = &self.text[start..end];
        let in_braces = matches!(self.open.last(), Some(('{', _)));
        let stop = match line.find([',', ']', '}', '#', ';']).unwrap_or(line.len()) {
            _ if top => line.len(),
            stop if in_braces => stop.max(commas(line)),
            stop => stop,
        };
        let stop = [" #", "\t#", " //"].iter().filter_map(|sign| line.find(sign)).fold(stop, usize::min);
        let mut run = line[..stop].trim_end();
        if run.is_empty() {
            let slip = Slip::new(start..start, "a value is missing", "a value is expected here");
            self.slip(slip.remedy("write it, or take the sign behind it out"));
            self.broken = true;
            self.at = start + if top { line.trim_end().len() } else { 0 };
            return;
        }
        if let Some(at) = run.find(" [").filter(|at| top && is_header(&run[at + 1..])) {
            run = run[..at].trim_end();
        } else if let Some(eq) = run.find('=').filter(|_| top || matches!(self.open.last(), Some(('{', _)))) {
            let key = run[..eq].trim_end();
            let length = key.len() - key.trim_end_matches(|letter: char| is_bare(letter) || letter == '.').len();
            let value = key[..key.len() - length].trim_end();
            let whole = run.trim_end_matches(['}', ' ']);
            if top
                && value.is_empty()
                && whole.len() < run.len()
                && !run.contains('{')
                && let Some(table) = pairs(whole)
            {
                let slip = Slip::new(start..start, "`{` is missing", "in front of this");
                self.slip(slip.remedy(format!("write `{{ {table} }}`")));
                self.edits.insert(start, "{ ");
                self.at = start + run.len();
                return;
            }
            if value.is_empty() || length == 0 {
                let slip = Slip::new(start + eq..start + eq + 1, "a line has two `=`", "the second");
                self.slip(slip.remedy(match pairs(run).filter(|_| top) {
                    Some(table) => format!("write `{{ {table} }}` for a table, or put text that holds `=` in quotes"),
                    None => "put text that holds `=` in quotes, and each key on a line of its own".to_owned(),
                }));
                self.broken = true;
                self.at = if top { end } else { start + run.len() };
                return;
            }
            run = value;
        } else if let Some(eq) = run.find('=') {
            let slip = Slip::new(start..start + run.len(), "a list holds no keys", "`key = value` stands in braces");
            let list = self.open.last().map_or(start, |(_, open)| *open);
            let inside = self.text[list + 1..end].split(']').next().unwrap_or_default().trim();
            self.slip(slip.remedy(format!("write `{{ {inside} }}`")));
            self.broken = true;
            self.at = start + eq + 1;
            self.blanks();
            if !self.is_line_end() && !matches!(self.peek(), Some(',' | ']' | '}')) {
                self.value(false);
            }
            return;
        }
        // Two values side by side lack a comma, which is told where the second begins.
        let word = run.split_whitespace().next().unwrap_or(run);
        let run = if !top && word.len() < run.len() && DeValue::parse(word).is_ok() { word } else { run };
        let run = if top { run.trim_end_matches([',', ';']).trim_end() } else { run };
        let run = if top && !run.contains(['[', '{']) { run.trim_end_matches([']', '}', ' ']) } else { run };
        self.at = start + run.len();
        self.judge(start..start + run.len(), run, top);
    }

    /// What a run of characters without quotes may be.
    fn judge(&mut self, span: Range<usize>, run: &str, top: bool) {
        let rest = &self.text[span.end..];
        if DeValue::parse(run).is_ok() {
            return;
        }
        // A number and a comment that lacks its blank.
        let truth = match run.to_lowercase().as_str() {
            "true" | "yes" | "on" => Some("true"),
            "false" | "no" | "off" => Some("false"),
            _ => None,
        };
        if let Some(truth) = truth {
            let slip = Slip::new(span.clone(), format!("`{run}` is not understood"), "without quotes this is no value");
            self.slip(slip.remedy(format!("write `{truth}`, or \"{run}\" where a text is wanted")));
            return self.edits.replace(span, truth);
        }
        if matches!(run.to_lowercase().as_str(), "null" | "nil" | "none" | "undefined" | "~") {
            let slip = Slip::new(span, format!("`{run}` is no value"), "there is no value for nothing");
            self.slip(slip.remedy("take the key out: then its default holds"));
            self.broken = true;
            return;
        }
        let before = text_before(self.text, span.start);
        if let Some(number) = meant_number(run).or_else(|| on_axis(before, run)) {
            let slip = Slip::new(span.clone(), format!("`{run}` is no number"), "a number is not written so");
            self.slip(slip.remedy(match with_point(run) {
                Some(point) if top && point != number => {
                    format!("write {number}, or {point} for a fraction, or [{}] for a list", run.replace(',', ", "))
                }
                Some(point) if point != number => format!("write {number}, or {point} for a fraction"),
                Some(point) if top => format!("write {point}, or [{}] for a list", run.replace(',', ", ")),
                _ => format!("write {number}"),
            }));
            return self.edits.replace(span, number);
        }
        if top && run.contains(',')
            || top && rest.starts_with(',') && !rest[1..].split('\n').next().unwrap_or_default().trim().is_empty()
        {
            let items: Vec<String> = run.split(',').map(|item| shown(item.trim())).collect();
            let slip = Slip::new(span, "several values are no list", "a list stands in brackets");
            self.slip(slip.remedy(match location(before, run) {
                Some(table) => format!("write `{{ {table} }}`"),
                None => format!("write `[{}]`", items.join(", ")),
            }));
            self.broken = true;
            return;
        }
        let bare = run.replace('"', "");
        let expands = run.starts_with(['$', '~']) || run.contains("${");
        let slip = if run.ends_with('"') && run.matches('"').count() == 1 {
            Slip::new(span.clone(), "a text is not opened", "a `\"` is missing in front of it")
        } else {
            Slip::new(span.clone(), "text must be in quotes", "without quotes it is no value")
        };
        self.slip(slip.remedy(if expands {
            "write it in quotes and in full: variables and `~` are not expanded".to_owned()
        } else {
            format!("write \"{bare}\"")
        }));
        if bare == run && !run.contains('\\') {
            self.edits.insert(span.start, "\"");
            self.edits.insert(span.end, "\"");
        } else {
            self.edits.replace(span, format!("{bare:?}"));
        }
    }

    /// What stands behind the value of a key, up to the end of its line.
    pub(super) fn tail(&mut self) {
        self.blanks();
        if self.is_line_end() {
            return;
        }
        let (start, end) = (self.at, self.line_end());
        let rest = self.text[start..end].trim_end();
        let signs = rest.len() - rest.trim_start_matches([',', ';']).len();
        let behind = rest[signs..].trim_start();
        let more = start + rest.len() - behind.len();
        if signs > 0 && (behind.is_empty() || behind.starts_with('#')) {
            let slip = Slip::new(
                start..start + signs,
                format!("a line does not end with `{}`", &rest[..1]),
                "one sign too many",
            );
            self.slip(slip.remedy("take it out"));
            self.edits.remove(start..start + signs);
            self.at = start + signs;
            return;
        }
        if self.foreign_comment() {
            return;
        }
        self.at = more;
        if self.is_entry() || self.is_header() {
            let what =
                if self.is_entry() { "two keys stand on one line" } else { "a table begins on the line of a key" };
            self.slip(Slip::new(more..more, what, "a line of its own begins here").remedy("put it on the next line"));
            self.edits.remove(start..more);
            self.edits.insert(more, "\n");
            return;
        }
        let slip = if rest.starts_with([']', '}', ')']) {
            let length = rest.len() - rest.trim_start_matches([']', '}', ')', ' ', ',']).len();
            let slip =
                Slip::new(start..start + 1, format!("`{}` closes nothing", &rest[..1]), "no bracket is open here");
            self.slip(slip.remedy("take it out"));
            self.edits.remove(start..start + length.max(1));
            self.at = start + length.max(1);
            return self.tail();
        } else if signs > 0 {
            Slip::new(start..start + rest.len(), "several values are no list", "a list stands in brackets")
                .remedy("write `key = [\"one\", \"two\"]`")
        } else {
            Slip::new(start..start + rest.len(), "something stands behind a value", "the line should end here").remedy(
                "a quote within text is written `\\\"`, a comment begins with `#`, several values stand in brackets",
            )
        };
        self.slip(slip);
        self.broken = true;
        self.at = end;
    }
}

/// The keys and values of a table in braces that lacks them, if it is nothing else.
fn pairs(inside: &str) -> Option<String> {
    let inside = inside.trim();
    let sound = inside.contains('=') && DeValue::parse(&format!("{{ {inside} }}")).is_ok();
    sound.then(|| inside.to_owned())
}

/// How long an IPv6 address in brackets is that a text begins with, with its port.
fn bracketed_address(text: &str) -> Option<usize> {
    let inside = text.strip_prefix('[')?;
    let close = inside.find(']')?;
    inside[..close].parse::<std::net::Ipv6Addr>().ok()?;
    let port = inside[close + 1..].strip_prefix(':').unwrap_or_default();
    let digits = port.len() - port.trim_start_matches(|digit: char| digit.is_ascii_digit()).len();
    Some(close + 2 + if digits > 0 { digits + 1 } else { 0 })
}

/// A number whose fraction stands behind a comma, with the point that it has in TOML.
fn with_point(run: &str) -> Option<String> {
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
fn on_axis(before: &str, run: &str) -> Option<String> {
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
fn location(before: &str, inside: &str) -> Option<String> {
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
fn commas(text: &str) -> usize {
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
fn meant_number(run: &str) -> Option<String> {
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
