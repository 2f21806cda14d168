//! Files that are no TOML at all: in another encoding, of another language, or not even text.

use std::ops::Range;

use super::{
    diff,
    scan::{is_bare, is_ours},
    slip::Slip,
};

/// What the octets of a file are.
#[derive(Debug)]
pub(crate) enum Decoded {
    /// Text.
    Text(String),
    /// Something else: what of it can be shown, and what it is.
    Other(String, Slip),
}

/// What other files begin with.
const MAGIC: [(&[u8], &str); 12] = [
    (b"\x1f\x8b", "gzip data"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x7fELF", "a program"),
    (b"BZh", "bzip2 data"),
    (b"\xfd7zXZ\0", "xz data"),
    (b"\x28\xb5\x2f\xfd", "zstd data"),
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"\xca\xfe\xba\xbe", "a program"),
];

/// How much of a file is looked at, to tell what it is.
const SAMPLE: usize = 8192;

/// The text of a file without a byte order mark, or what it is in its place. Messages go behind `PATH is `.
pub(crate) fn decode(octets: Vec<u8>) -> Decoded {
    let sample = &octets[..octets.len().min(SAMPLE)];
    let other = |shown: String, what: &str, remedy: &str| {
        let slip = Slip::new(0..0, what.to_owned(), "not text in UTF-8").remedy(remedy);
        Decoded::Other(shown, slip)
    };
    if let Some((encoding, little, skip)) = wide(sample) {
        let units = octets[skip.min(octets.len())..].chunks_exact(2);
        let units = units.map(|pair| {
            if little { u16::from_le_bytes([pair[0], pair[1]]) } else { u16::from_be_bytes([pair[0], pair[1]]) }
        });
        let shown = if encoding == "UTF-32" {
            String::new()
        } else {
            char::decode_utf16(units).map(|unit| unit.unwrap_or('\u{fffd}')).collect()
        };
        let remedy = format!("save it as UTF-8: iconv -f {encoding} -t UTF-8 FILE > NEW");
        return other(shown, &format!("in {encoding}, not in UTF-8"), &remedy);
    }
    let remedy = "name a configuration file, which is text";
    if let Some((_, what)) = MAGIC.iter().find(|(magic, _)| sample.starts_with(magic)) {
        return other(String::new(), &format!("{what}, not text"), remedy);
    }
    let tail = &octets[octets.len().saturating_sub(128 << 10)..];
    if tail.windows(14).any(|window| window == b"\xab\xcd\xefMaxMind.com") {
        return other(
            String::new(),
            "a geo database, not text",
            "name it in `geo.databases`, and a configuration file with -c",
        );
    }
    let controls = sample.iter().filter(|octet| matches!(octet, 0..=8 | 14..=26 | 28..=31)).count();
    if controls * 10 > sample.len() {
        return other(String::new(), "binary, not text", remedy);
    }
    match String::from_utf8(octets) {
        Ok(text) => Decoded::Text(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let octet = error.as_bytes().get(at).copied().unwrap_or_default();
            let shown = String::from_utf8_lossy(error.as_bytes()).into_owned();
            let cut = if shown.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
            let span = at.saturating_sub(cut)..at.saturating_sub(cut) + '\u{fffd}'.len_utf8();
            let label = format!("not UTF-8 from here on: octet 0x{octet:02x}");
            let slip = Slip::new(span, "not UTF-8", label);
            let slip = slip.remedy("save the file as UTF-8; of Latin-1: iconv -f ISO-8859-1 -t UTF-8 FILE > NEW");
            Decoded::Other(shown[cut..].to_owned(), slip)
        }
    }
}

/// Whether each character takes two octets or four: the encoding, whether the lower octet comes first, and how many
/// octets mark it.
fn wide(sample: &[u8]) -> Option<(&'static str, bool, usize)> {
    match sample {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => return Some(("UTF-32", true, 4)),
        [0xff, 0xfe, ..] => return Some(("UTF-16", true, 2)),
        [0xfe, 0xff, ..] => return Some(("UTF-16", false, 2)),
        _ => {}
    }
    let zeros = |at: usize| sample.iter().skip(at).step_by(2).filter(|octet| **octet == 0).count();
    let (even, odd, pairs) = (zeros(0), zeros(1), sample.len() / 2);
    if pairs < 4 {
        return None;
    }
    let mostly = |many: usize, few: usize| many * 10 > pairs * 7 && few * 20 < pairs;
    match (mostly(odd, even), mostly(even, odd)) {
        (true, _) => Some(("UTF-16LE", true, 0)),
        (_, true) => Some(("UTF-16BE", false, 0)),
        _ => None,
    }
}

/// Lines of a text that are looked at, to tell its language.
const LINES: usize = 300;

/// Which other language a text is written in, if it plainly is.
pub(super) fn other_format(text: &str) -> Option<Slip> {
    let mut at = 0;
    let lines: Vec<(usize, &str)> = text
        .split_inclusive('\n')
        .map(|line| {
            at += line.len();
            (at - line.len(), line.trim_end())
        })
        .filter(|(_, line)| !line.trim_start().is_empty() && !line.trim_start().starts_with('#'))
        .take(LINES)
        .collect();
    let (start, first) = *lines.first()?;
    let first_line = start..start + first.len();
    let ours = lines.iter().filter(|(_, line)| is_ours(line)).count();
    let count = |is: fn(&str) -> bool| lines.iter().filter(|(_, line)| is(line)).count();
    let none_of_ours = ours == 0;
    let told = |span: Range<usize>, what: &str, remedy: &str| {
        let slip = Slip::new(span, format!("this is {what}, not TOML"), "as its lines show");
        Some(slip.remedy(remedy.to_owned()))
    };
    let trimmed = first.trim_start();
    if let Some((at, line)) = lines.iter().find(|(_, line)| diff::is_mark(line)) {
        let remedy = "put the lines of the file itself in its place, without their `+` and `-`";
        return told(*at..at + line.len(), "a diff", remedy);
    }
    if let Some(span) = json(text, none_of_ours) {
        return told(span, "JSON", "write `[server]`, and below it `listen = [\"0.0.0.0:53\"]`");
    }
    if none_of_ours && trimmed.starts_with('<') {
        return told(first_line, "HTML or XML", "a page was saved in the place of the file: fetch the file itself");
    }
    if trimmed.starts_with("-----BEGIN ") {
        return told(first_line, "a certificate or a key", "name a configuration file");
    }
    let zone = |line: &str| {
        let mut words = line.split_whitespace();
        matches!(words.next(), Some("$ORIGIN" | "$TTL")) || line.split_whitespace().any(|word| word == "SOA")
    };
    if none_of_ours && lines.iter().filter(|(_, line)| !line.starts_with(';')).take(3).any(|(_, line)| zone(line)) {
        return told(first_line, "a zone file", "name it in the configuration: `[zones.\"NAME\"]` with `file = \"…\"`");
    }
    let yaml = count(is_yaml);
    let marked = trimmed == "---" || trimmed.starts_with("--- ") || trimmed.starts_with("%YAML");
    if marked || none_of_ours && yaml >= 2 || yaml >= 4 && yaml > 3 * ours {
        let span = lines.iter().find(|(_, line)| is_yaml(line)).map_or(first_line, |(at, line)| *at..at + line.len());
        return told(span, "YAML", "write `[server]`, and below it `listen = [\"0.0.0.0:53\"]`");
    }
    if none_of_ours && count(|line| line.ends_with('{')) > 0 {
        let remedy = "a table begins with `[name]` on a line of its own, and has no braces";
        return told(first_line, "a file of blocks in braces", remedy);
    }
    if none_of_ours && trimmed.matches(',').count() >= 2 && !trimmed.contains('=') {
        return told(first_line, "a table of fields", "name a configuration file; geo files are named in `[geo]`");
    }
    if none_of_ours && lines.len() >= 3 && count(|line| line.contains('=')) == 0 && yaml == 0 && !text.contains('[') {
        return told(first_line, "some other text", "name a configuration file");
    }
    None
}

/// The line on which JSON begins, if the text is that. Comments may stand in front, as some tools allow.
fn json(text: &str, none_of_ours: bool) -> Option<Range<usize>> {
    let mut body = text.trim_start();
    loop {
        let behind = if let Some(rest) = body.strip_prefix("/*") {
            rest.split_once("*/").map(|(_, behind)| behind)
        } else if body.starts_with("//") || body.starts_with('#') {
            body.split_once('\n').map(|(_, behind)| behind)
        } else {
            break;
        };
        body = behind?.trim_start();
    }
    let start = text.len() - body.len();
    let line = body.lines().next().unwrap_or_default().trim_end();
    let inside = body.strip_prefix('[').map(str::trim_start);
    let is_list = inside.is_some_and(|inside| {
        let begins =
            inside.starts_with(|first: char| matches!(first, '{' | '[' | '"' | '-' | ']') || first.is_ascii_digit());
        begins && body.trim_end().ends_with([']', ',']) && none_of_ours && !body.contains('=')
    });
    let is_table = body.starts_with('{') && (none_of_ours || text.contains("\":"))
        || matches!(line, "[" | "[{") && text.contains("\":");
    (is_table || is_list).then(|| start..start + line.len())
}

fn is_yaml(line: &str) -> bool {
    let line = line.trim_start();
    let inner = line.strip_prefix("- ").unwrap_or(line);
    let key = inner.trim_start_matches(['"', '\'']);
    let name = key.split(|letter: char| !(is_bare(letter) || letter == '.')).next().unwrap_or_default();
    let behind = key[name.len()..].trim_start_matches(['"', '\'']);
    !name.is_empty() && (behind == ":" || behind.starts_with(": ")) || line.starts_with("- ") || line == "-"
}
