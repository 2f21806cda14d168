//! A scenario as text: lines to what they say. Must not know what comes of it.

use meridian::engine::types::Prefix;

/// What a line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    Config(String),
    Places(String),
    Reload(String),
    /// Time goes on to this moment, in milliseconds.
    At(u64),
    /// Time goes on by this.
    Pass(u64),
    /// The targets of a name, of one family or both, behave so from now on.
    Becomes {
        who: String,
        family: Option<&'static str>,
        how: Behaviour,
    },
    Ask {
        name: String,
        rtype: u16,
        from: Option<Prefix>,
        by: Option<String>,
    },
    Expect(Expected),
}

/// How what is probed behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Behaviour {
    Works,
    Fails(String),
    /// No answer until the timeout.
    Hangs,
    /// The prober has no route there.
    NoRoute,
}

/// What an answer is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    pub outcome: Outcome,
    pub ttl: Option<u32>,
    pub scope: Option<u8>,
    pub because: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// These, in any order.
    Addresses(Vec<String>),
    NoData,
    ServFail,
    /// No reply yet.
    Silence,
    /// What was answered to the same question before.
    Same,
    Other,
}

/// The lines with their numbers, each read or told why not.
pub fn read(text: &str) -> Vec<(usize, Result<Line, String>)> {
    let mut found = Vec::new();
    let mut lines = text.lines().enumerate().map(|(n, line)| (n + 1, line));
    while let Some((number, line)) = lines.next() {
        let line = line.split('#').next().unwrap_or("").trim();
        if let Some(word) = line.strip_suffix('{').map(str::trim) {
            let (mut block, mut closed) = (String::new(), false);
            for (_, inner) in lines.by_ref() {
                closed = inner == "}";
                if closed {
                    break;
                }
                block.push_str(inner);
                block.push('\n');
            }
            found.push((number, block_of(word, block, closed)));
        } else if !line.is_empty() {
            found.extend(statement(line).into_iter().map(|said| (number, said)));
        }
    }
    found
}

fn block_of(word: &str, block: String, closed: bool) -> Result<Line, String> {
    if !closed {
        return Err(format!("`{word} {{` is not closed by a line `}}`"));
    }
    match word {
        "config" => Ok(Line::Config(block)),
        "places" => Ok(Line::Places(block)),
        "reload" => Ok(Line::Reload(block)),
        other => Err(format!("no block is called {other}")),
    }
}

/// A line of several things: a moment, and what becomes different then.
fn statement(line: &str) -> Vec<Result<Line, String>> {
    let words = words(line);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["at", moment] => vec![millis(moment).map(Line::At)],
        ["at", moment, ref rest @ ..] => vec![millis(moment).map(Line::At), becomes(rest)],
        ["pass", long] => vec![millis(long).map(Line::Pass)],
        ["ask", name, rtype, ref rest @ ..] => vec![ask(name, rtype, rest)],
        ["expect", ref rest @ ..] => vec![expect(rest)],
        ref rest => vec![becomes(rest)],
    }
}

/// Words, and texts in quotes; commas are words of their own.
fn words(line: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (n, part) in line.split('"').enumerate() {
        if n % 2 == 1 {
            found.push(part.to_owned());
        } else {
            found.extend(part.replace(',', " , ").split_whitespace().map(str::to_owned));
        }
    }
    found
}

fn millis(text: &str) -> Result<u64, String> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..split].parse().map_err(|_| format!("{text} is no time"))?;
    match &text[split..] {
        "ms" => Ok(number),
        "s" => Ok(number * 1000),
        "m" => Ok(number * 60_000),
        _ => Err(format!("{text} is no time")),
    }
}

fn becomes(words: &[&str]) -> Result<Line, String> {
    let (who, rest) = words.split_first().ok_or("nothing is said")?;
    let (family, rest) = match rest {
        ["v4", rest @ ..] => (Some("v4"), rest),
        ["v6", rest @ ..] => (Some("v6"), rest),
        rest => (None, rest),
    };
    let how = match rest {
        ["heals"] => Behaviour::Works,
        ["fails"] => Behaviour::Fails("connection refused".into()),
        ["fails", why] => Behaviour::Fails((*why).into()),
        ["hangs"] => Behaviour::Hangs,
        ["loses", "its", "route"] => Behaviour::NoRoute,
        _ => return Err(format!("`{}` says nothing", words.join(" "))),
    };
    Ok(Line::Becomes { who: (*who).into(), family, how })
}

fn ask(name: &str, rtype: &str, rest: &[&str]) -> Result<Line, String> {
    let rtype = match rtype {
        "A" => 1,
        "AAAA" => 28,
        other => return Err(format!("no type {other} is asked for")),
    };
    let (mut from, mut by) = (None, None);
    for pair in rest.chunks(2) {
        match pair {
            ["from", text] => from = Some(prefix(text)?),
            ["by", text] => by = Some((*text).to_owned()),
            _ => return Err(format!("`{}` is not of a question", pair.join(" "))),
        }
    }
    Ok(Line::Ask { name: name.into(), rtype, from, by })
}

fn prefix(text: &str) -> Result<Prefix, String> {
    let (address, len) = text.split_once('/').ok_or_else(|| format!("{text} is no prefix"))?;
    let address = address.parse().map_err(|_| format!("{text} is no prefix"))?;
    Ok(Prefix::new(address, len.parse().map_err(|_| format!("{text} is no prefix"))?))
}

fn expect(words: &[&str]) -> Result<Line, String> {
    let mut addresses: Vec<String> = Vec::new();
    let mut expected =
        Expected { outcome: Outcome::Addresses(Vec::new()), ttl: None, scope: None, because: Vec::new() };
    let mut rest = words;
    while let Some((word, tail)) = rest.split_first() {
        rest = tail;
        match (*word, tail) {
            ("nodata", _) => expected.outcome = Outcome::NoData,
            ("servfail", _) => expected.outcome = Outcome::ServFail,
            ("silence", _) => expected.outcome = Outcome::Silence,
            ("same", _) => expected.outcome = Outcome::Same,
            ("other", _) => expected.outcome = Outcome::Other,
            ("ttl", [number, tail @ ..]) => {
                expected.ttl = Some(number.parse().map_err(|_| format!("{number} is no TTL"))?);
                rest = tail;
            }
            ("scope", [number, tail @ ..]) => {
                expected.scope = Some(number.parse().map_err(|_| format!("{number} is no scope"))?);
                rest = tail;
            }
            ("because", _) => {
                expected.because = tail.split(|word| *word == ",").map(|reason| reason.join(" ")).collect();
                break;
            }
            (word, _) if word.parse::<std::net::IpAddr>().is_ok() => addresses.push(word.into()),
            (word, _) => return Err(format!("nothing is expected as `{word}`")),
        }
    }
    if matches!(expected.outcome, Outcome::Addresses(_)) {
        if addresses.is_empty() {
            return Err("nothing is expected".into());
        }
        addresses.sort();
        expected.outcome = Outcome::Addresses(addresses);
    } else if !addresses.is_empty() {
        return Err("both addresses and none are expected".into());
    }
    Ok(Line::Expect(expected))
}
