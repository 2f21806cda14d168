//! The written form of what happens to a node and of what became different. A history that was written by an earlier program
//! is read by a later one, so a name that is written here does not change.

use std::{collections::BTreeMap, fs};

use meridian::{
    engine::types::{At, Millis},
    node::{change::Change, input::Input, overrides::Scope, samples::Sample},
};

use super::{BEGINNING, Chance, history::Player, node};

const FOLDER: &str = "tests/golden/node";

/// One line of each variant: an example of its written form.
fn examples<T: serde::de::DeserializeOwned + serde::Serialize + PartialEq + std::fmt::Debug>(
    file: &str,
) -> Vec<String> {
    let text = fs::read_to_string(format!("{FOLDER}/{file}")).expect("the golden is there");
    let mut tags = Vec::new();
    for line in text.lines() {
        let read: T = serde_json::from_str(line).unwrap_or_else(|error| panic!("{file}: {line}: {error}"));
        assert_eq!(serde_json::to_string(&read).expect("written"), line, "{file}");
        tags.push(tag(line));
    }
    tags
}

/// The name of a variant.
fn tag(line: &str) -> String {
    line.chars().filter(|c| !matches!(c, '{' | '"')).take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

#[test]
fn inputs_are_read_and_written_as_they_were() {
    let mut tags = examples::<Input>("inputs.jsonl");
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), 14, "one example of each at the least: {tags:?}");
}

#[test]
fn changes_are_read_and_written_as_they_were() {
    let mut tags = examples::<Change>("changes.jsonl");
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), 18, "one example of each at the least: {tags:?}");
}

#[test]
fn every_change_of_a_history_is_read_back_as_it_was_written() {
    let (mut chance, mut player, mut now) = (Chance::new(23), Player::new(node()), BEGINNING);
    let mut first: BTreeMap<String, String> = BTreeMap::new();
    for _ in 0..3000 {
        now = At(now.0 + chance.wait());
        let input = player.next(&mut chance, now);
        let text = serde_json::to_string(&input).expect("written");
        first.entry(format!("input {}", tag(&text))).or_insert(text);
        for text in player.play(now, &input).changes {
            let read: Change = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(serde_json::to_string(&read).expect("written"), text);
            first.entry(format!("change {}", tag(&text))).or_insert(text);
        }
    }
    assert!(first.len() >= 28, "{:?}", first.keys());
}

#[test]
fn what_is_not_as_it_is_written_is_refused() {
    for (text, cause) in [
        (r#"{"samples":[{"prefix":"192.0.2.0/33","region":"eu","ms":1.0,"samples":1,"age":0}]}"#, "is no prefix"),
        (r#"{"samples":[{"prefix":"2001:db8::/129","region":"eu","ms":1.0,"samples":1,"age":0}]}"#, "is no prefix"),
        (r#"{"samples":[{"prefix":"eu","region":"eu","ms":1.0,"samples":1,"age":0}]}"#, "is no prefix"),
        (r#"{"outcome":{"probe":{"address":"192.0.2.1","check":"00"},"outcome":"no_route"}}"#, "is no digest"),
        (r#"{"latency_files":[[[{"country":"de"},"eu"],{"rtt":1,"samples":null,"age":0}]]}"#, "two capitals"),
        (r#"{"latency_files":[[[{"country":"é"},"eu"],{"rtt":1,"samples":null,"age":0}]]}"#, "two capitals"),
        (r#"{"release":7}"#, "invalid type"),
        (r#"{"restart":"eu"}"#, "unknown variant"),
    ] {
        let error = serde_json::from_str::<Input>(text).expect_err(text).to_string();
        assert!(error.contains(cause), "{text}: {error}");
    }
}

/// Numbers that are not finite have no word in JSON, and say nothing before and after.
#[test]
fn a_number_that_is_none_is_read_back_as_one_that_says_nothing() {
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let sample = Sample {
            prefix: "20.0.7.0/24".to_owned().try_into().expect("a prefix"),
            region: "eu".into(),
            ms: number,
            samples: 1,
            age: Millis(0),
        };
        let load = Input::Load { scope: Scope::Region("eu".into()), load: number };
        for input in [load, Input::Samples(vec![sample])] {
            let text = serde_json::to_string(&input).expect("written");
            let read: Input = serde_json::from_str(&text).expect("an input");
            let (mut one, mut other) = (node(), node());
            let (before, after) = (one.handle(BEGINNING, input), other.handle(BEGINNING, read));
            assert_eq!(before.refused, after.refused, "{text}");
            assert_eq!(super::rows(&one), super::rows(&other), "{text}");
        }
    }
}
