//! Lines that say more than one thing, or one with words too many: what to write in their place.

use super::{super::words::millis, one, synonyms};

/// A longer line is not looked at: each part of it may be read again.
const MOST: usize = 16;

/// What to write in the place of a line that says what happens, but not in one form alone.
pub(super) fn remedy(words: &[&str]) -> Option<String> {
    if words.len() > MOST {
        return None;
    }
    let joined = words.join(" ");
    if joined.contains(';') || words.contains(&"&&") {
        let joined = joined.replace("&&", ";");
        let parts: Vec<&str> = joined.split(';').map(str::trim).filter(|part| !part.is_empty()).collect();
        return match *parts {
            [] => None,
            [only] => reads(only).then(|| format!("take the `;` out: write `{only}`")),
            [..] => {
                let parts: Vec<String> = parts.iter().map(|part| format!("`{part}`")).collect();
                Some(format!("write each on a line of its own: {}", parts.join(", ")))
            }
        };
    }
    let parts: Vec<String> = words
        .split(|word| matches!(*word, "and" | "then" | ","))
        .filter(|part| !part.is_empty())
        .map(|part| part.join(" "))
        .collect();
    if parts.len() > 1 && parts.iter().all(|part| reads(part)) {
        let parts: Vec<String> = parts.iter().map(|part| format!("`{part}`")).collect();
        return Some(format!("write each on a line of its own: {}", parts.join(", ")));
    }
    let rest = synonyms::without_filling(words);
    let all = rest.join(" ");
    if rest.len() < words.len() && reads(&all) {
        return Some(format!("write `{all}`: lines happen one after the other"));
    }
    if let [first, time, rest @ ..] = rest
        && (synonyms::passes(first) || *first == "in")
        && let Some(time) = moment(time)
    {
        let rest = synonyms::without_filling(rest).join(" ");
        return (!rest.is_empty()).then(|| format!("write `pass {time}` on a line of its own, and `{rest}` below it"));
    }
    if let ["endpoint" | "server" | "backend" | "host" | "node", name, verb @ ..] = rest
        && !verb.is_empty()
    {
        let named = format!("{name} {}", verb.join(" "));
        if reads(&named) {
            return Some(format!("an endpoint stands without `{}`: write `{named}`", rest[0]));
        }
    }
    if let [before @ .., "for" | "after" | "during", time] = rest
        && let Some(time) = moment(time)
        && reads(&before.join(" "))
    {
        let line = before.join(" ");
        let order = if rest[before.len()] == "after" {
            format!("write `pass {time}` on a line of its own, and `{line}` below it")
        } else {
            format!("write `{line}`, below it `pass {time}`, and then what ends it, such as `WHO heals`")
        };
        return Some(order);
    }
    None
}

/// Whether a line is one of the forms.
fn reads(line: &str) -> bool {
    one(&line.split(' ').collect::<Vec<_>>()).is_ok()
}

/// A time, without the signs of a sentence.
fn moment(word: &str) -> Option<&str> {
    let time = word.trim_matches([',', ':']);
    millis(time).ok().map(|_| time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_that_happens_gets_its_own_line() {
        for (line, remedy) in [
            ("after 5s region eu fails", "write `pass 5s` on a line of its own, and `region eu fails` below it"),
            ("wait 5s then eu-1 fails", "write `pass 5s` on a line of its own, and `eu-1 fails` below it"),
            ("in 5s , region eu fails", "write `pass 5s` on a line of its own, and `region eu fails` below it"),
            ("region eu fails after 5s", "write `pass 5s` on a line of its own, and `region eu fails` below it"),
            (
                "region eu fails for 10s",
                "write `region eu fails`, below it `pass 10s`, and then what ends it, such as `WHO heals`",
            ),
            ("endpoint eu-1 fails", "an endpoint stands without `endpoint`: write `eu-1 fails`"),
            (
                "region eu fails; region us fails",
                "write each on a line of its own: `region eu fails`, `region us fails`",
            ),
            (
                "region eu fails and region us heals",
                "write each on a line of its own: `region eu fails`, `region us heals`",
            ),
            ("eu-1 fails , then pass 5s", "write each on a line of its own: `eu-1 fails`, `pass 5s`"),
            ("region eu fails;", "take the `;` out: write `region eu fails`"),
            ("and then region eu fails", "write `region eu fails`: lines happen one after the other"),
        ] {
            let words: Vec<&str> = line.split(' ').collect();
            let told = one(&words).expect_err(line);
            assert_eq!((told.cause, told.remedy), (format!("`{line}` says nothing"), remedy.to_owned()));
        }
    }
}
