//! `[hooks]`: who is told what changes.

use std::{ops::Range, path::PathBuf};

use reqwest::Url;
use toml::Spanned;

use super::{
    monitor::{headers, trust},
    value::{items, millis, name, word},
};
use crate::{
    config::{
        diagnostics::{Notes, join},
        quantity,
        settings::{Hidden, Hook, Occasion, Rate, Tell},
        spec::{HookHttpSpec, HookSpec, Named, Text},
    },
    engine::types::Millis,
};

const TIMEOUT: Millis = Millis::seconds(5);
const MOST: u32 = 10_000;
const DAY: Millis = Millis::seconds(86_400);
const OCCASIONS: [(&str, Occasion); 4] = [
    ("endpoint", Occasion::Endpoint),
    ("region", Occasion::Region),
    ("governor", Occasion::Governor),
    ("reload", Occasion::Reload),
];

/// `[hooks]`, in name order.
pub(crate) fn hooks(spec: &Named<HookSpec>, files: &mut Vec<PathBuf>, notes: &mut Notes<'_>) -> Vec<Hook> {
    spec.iter().filter_map(|(key, hook)| one(key, hook, files, notes)).collect()
}

fn one(key: &Spanned<String>, spec: &HookSpec, files: &mut Vec<PathBuf>, notes: &mut Notes<'_>) -> Option<Hook> {
    name("hook", key, notes);
    let at = |field: &str| join(&["hooks", key.get_ref(), field]);
    let timeout = millis(spec.timeout.as_ref(), &at("timeout"), TIMEOUT, Millis(100)..=Millis::seconds(60), notes);
    let rate = rate(spec.rate.as_ref(), &at("rate"), notes);
    let on = occasions(key, spec, &at("on"), notes);
    let tell = tell(key, spec, files, notes);
    Some(Hook { name: key.get_ref().as_str().into(), on, tell: tell?, timeout, rate })
}

fn occasions(key: &Spanned<String>, spec: &HookSpec, at: &str, notes: &mut Notes<'_>) -> Vec<Occasion> {
    let mut found = Vec::new();
    let written = items(spec.on.as_ref());
    if written.is_empty() && notes.is_whole(&["hooks", key.get_ref()]) {
        let message = format!("hook \"{}\" is never told anything", key.get_ref());
        let span = spec.on.as_ref().map_or(key.span(), Spanned::span);
        let fault = notes.error(span, message, "`on` names no occasion");
        notes.push(fault.remedy("add `on = [\"endpoint\", \"region\", \"governor\", \"reload\"]`, or some of them"));
    }
    for item in &written {
        let text = Spanned::new(item.span(), item.get_ref().as_str());
        let Some(occasion) = word(text, at, &OCCASIONS, &[], notes) else { continue };
        if found.contains(&occasion) {
            let fault = notes.error(item.span(), format!("`{at}` has \"{}\" twice", item.get_ref()), "here again");
            notes.push(fault.remedy("take one of them out"));
            continue;
        }
        found.push(occasion);
    }
    found
}

fn tell(key: &Spanned<String>, spec: &HookSpec, files: &mut Vec<PathBuf>, notes: &mut Notes<'_>) -> Option<Tell> {
    let hook = key.get_ref().as_str();
    match (&spec.http, &spec.exec) {
        (Some(http), None) => post(http, hook, files, notes),
        (None, Some(exec)) => {
            let words = items(exec.get_ref().command.as_ref());
            if words.is_empty() {
                missing("command", "command = [\"/path/to/page\"]", exec.span(), &["hooks", hook, "exec"], notes);
                return None;
            }
            Some(Tell::Command(words.into_iter().map(Spanned::into_inner).collect()))
        }
        (Some(http), Some(exec)) => {
            let message = format!("hook \"{hook}\" tells in two ways");
            let fault = notes.twice(http.span(), exec.span(), message);
            notes.push(fault.remedy("make two hooks of it"));
            None
        }
        (None, None) => {
            if notes.is_whole(&["hooks", hook]) {
                let message = format!("hook \"{hook}\" does not say how to tell");
                let fault = notes.error(key.span(), message, "neither `http` nor `exec`");
                notes.push(fault.remedy("add `http = { url = \"https://…\" }` or `exec = { command = [\"…\"] }`"));
            }
            None
        }
    }
}

fn post(written: &Spanned<HookHttpSpec>, hook: &str, files: &mut Vec<PathBuf>, notes: &mut Notes<'_>) -> Option<Tell> {
    let (spec, path) = (written.get_ref(), ["hooks", hook, "http"]);
    let at = |key: &str| format!("{}.{key}", join(&path));
    let headers = headers(&spec.headers, &at("headers"), "the hook", notes);
    let trust = spec.ca_file.as_ref().and_then(|file| trust(file, &at("ca_file"), files, notes));
    let Some(url) = &spec.url else {
        missing("url", "url = \"https://pager.example.com/hook\"", written.span(), &path, notes);
        return None;
    };
    let url = self::url(url, &at("url"), notes)?;
    if let Some(file) = &spec.ca_file
        && url.scheme() == "http"
    {
        let fault = notes.error(file.span(), format!("`{}` has no effect", at("ca_file")), "the url is not https");
        notes.push(fault.remedy("write https, or take it out"));
    }
    Some(Tell::Post {
        url: url.as_str().into(),
        headers: headers.into_iter().map(|(name, text)| (name, Hidden::new(&text))).collect(),
        trust,
    })
}

fn missing(key: &str, example: &str, table: Range<usize>, path: &[&str], notes: &mut Notes<'_>) {
    if notes.is_whole(path) {
        let fault = notes.error(table, format!("`{}` has no {key}", join(path)), format!("`{key}` is missing"));
        notes.push(fault.remedy(format!("add `{example}`")));
    }
}

fn url(written: &Spanned<Text>, at: &str, notes: &mut Notes<'_>) -> Option<Url> {
    let text: &str = written.get_ref();
    let wrong = match Url::parse(text) {
        Ok(url) if !matches!(url.scheme(), "http" | "https") => "only http and https are spoken".to_owned(),
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            "put who you are into `headers`: an address is shown to people".to_owned()
        }
        Ok(url) if url.fragment().is_some() => "what stands behind # is never sent".to_owned(),
        Ok(url) if url.host().is_some() => return Some(url),
        Ok(_) => "it names no host".to_owned(),
        Err(error) => error.to_string(),
    };
    let fault = notes.error(written.span(), format!("`{at}` is no address to post to"), wrong);
    notes.push(fault.remedy("write \"https://pager.example.com/hook\""));
    None
}

/// `10/1m`: so many in so long.
fn rate(written: Option<&Spanned<Text>>, at: &str, notes: &mut Notes<'_>) -> Rate {
    let usual = Rate { count: 10, per: Millis::seconds(60) };
    let Some(written) = written else { return usual };
    let text: &str = written.get_ref();
    let read = text.split_once('/').and_then(|(count, per)| {
        let digits = !count.is_empty() && count.bytes().all(|digit| digit.is_ascii_digit());
        Some((
            count.parse::<u32>().ok().filter(|_| digits)?,
            quantity::duration(per).map(|micros| Millis(micros / 1000)).ok()?,
        ))
    });
    let fault = match read {
        Some((count, per)) if (1..=MOST).contains(&count) && (Millis::seconds(1)..=DAY).contains(&per) => {
            return Rate { count, per };
        }
        Some(_) => {
            let label = format!("from 1 to {MOST}, in 1s to 24h");
            notes.error(written.span(), format!("`{at}` is out of range"), label)
        }
        None => {
            let fault = notes.error(written.span(), format!("`{at}` is no rate"), "a number, a slash, a duration");
            fault.remedy("write it as \"10/1m\"")
        }
    };
    notes.push(fault);
    usual
}
