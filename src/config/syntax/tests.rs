//! What is said of a text that is no TOML, and what is read of it all the same.

use toml::de::DeTable;

use super::*;

/// Each fault as `line: message`; a mark `‹` in the text stands in front of the place of the first.
fn told(text: &str) -> Vec<String> {
    let Some(mended) = mend(text) else { return Vec::new() };
    let (_, errors) = DeTable::parse_recoverable(&mended.text);
    assert!(errors.is_empty(), "what is read in its place is sound: {text:?} became {:?}", mended.text);
    let line = |at: usize| text[..at.min(text.len())].matches('\n').count() + 1;
    mended.slips.iter().map(|slip| format!("{}: {}", line(slip.span.start), slip.message)).collect()
}

/// What is read in its place.
fn read(text: &str) -> String {
    mend(text).expect("it is broken").text
}

#[test]
fn each_fault_has_its_own_line_and_nothing_follows() {
    let mut wrong = Vec::new();
    let tail = "\n[regions.eu]\nlocation = { lat = 50.11, lon = 8.68 }\n[tail.web]\npolicy = \"random\"\n";
    for (text, first) in [
        // Brackets that are not closed.
        ("a = 1\npools = [\"web\"", "2: `[` is never closed"),
        ("a = 1\npools = [\"web\",\n  \"app\"\nb = 2", "2: `[` is never closed"),
        ("a = 1\npools = [\n  \"web\",\n", "2: `[` is never closed"),
        ("a = 1\nttl = { max = \"10s\"", "2: `{` is never closed"),
        ("a = 1\nttl = { max = \"10s\",\nb = 2", "2: `{` is never closed"),
        ("fence = { only = [\"a\", \"b\" }", "1: `[` is not closed"),
        ("items = [{ a = 1, { b = 2 }]", "1: a value in braces has no key"),
        ("[services.www", "1: `[` is not closed"),
        ("[[health.canaries", "1: `[[` is not closed"),
        ("[[health.canaries]\nmonitor = \"m\"", "1: `[[` is not closed"),
        ("[services.www}\nttl = 1", "1: `[` is not closed"),
        // Brackets that close nothing, or something else.
        ("pools = [\"web\"}", "1: `[` is closed by `}`"),
        ("ttl = { max = \"10s\" ]", "1: `{` is closed by `]`"),
        ("pools = [\"web\"]]", "1: `]` closes nothing"),
        ("[services.www]]\nttl = 1", "1: `]` closes nothing"),
        ("a = 1\n]\nb = 2", "2: `]` closes nothing"),
        ("items = [\n { a = 1 },\n a = 2 },\n]", "3: `{` is missing"),
        ("a = 1 }\nb = 2", "1: `}` closes nothing"),
        ("services.\"www.example.com\"]\na = 1", "1: a table's name is not opened"),
        ("a = (1, 2)\nb = 2", "1: a list stands in brackets"),
        ("a = (1)\nb = 2", "1: a value stands in no parentheses"),
        ("http = { port = 80\n path = \"/x\" }\n", "1: a comma is missing"),
        ("a = {\n b = { c = 1\n d = { c = 2 },\n}\n", "2: `{` is never closed"),
        ("listen = [::]:53\nb = 2", "1: text must be in quotes"),
        // Quotes.
        ("a = \"one\ntwo\"\nb = 2", "1: a text is not closed"),
        ("a = \u{201c}web\u{201d}\nb = 2", "1: these quotes are not those of a keyboard"),
        ("a = [\u{201e}web\u{201c}, \u{201e}app\u{201c}]", "1: these quotes are not those of a keyboard"),
        ("a = \"web\u{201d}\nb = 2", "1: this quote is not one of a keyboard"),
        ("[services.\u{201c}www.example.com\u{201d}]\na = 1", "1: these quotes are not those of a keyboard"),
        ("a = `web`", "1: these quotes are not those of a keyboard"),
        ("a = \"web\nb = 2", "1: a text is not closed"),
        ("a = 'web\nb = 2", "1: a text is not closed"),
        ("a = [\"web, \"app\"]\nb = 2", "1: a text is not closed"),
        ("a = [\n \"web,\n \"app\",\n]\nb = 2", "2: a text is not closed"),
        ("a = web\"\nb = 2", "1: a text is not opened"),
        ("a = \"say \"hi\" now\"", "1: something stands behind a value"),
        ("a = \"\"\"text\nmore", "1: a text of several lines is not closed"),
        ("[services.\"www.example.com]\na = 1", "1: a quote in a table's name is not closed"),
        ("[s.\"x.y\"]\na = 1\n[s.z.y\"]\na = 2", "3: a quote in a table's name is not closed"),
        ("\"10.0.0.0/8 = 1\nb = 2", "1: a key's quote is not closed"),
        ("a = \"C:\\path\"", "1: `\\p` is no escape"),
        // Signs of other languages.
        ("a: 1\nb = 2", "1: a key and its value are separated by `=`"),
        ("a = { lat: 1, lon: 2 }", "1: a key and its value are separated by `=`"),
        ("a => 1\nb = 2", "1: a key and its value are separated by `=`"),
        ("a := 1\nb = 2", "1: a key and its value are separated by `=`"),
        ("// a comment\na = 1", "1: a comment begins with `#`"),
        ("a = 1 // one\nb = 2", "1: a comment begins with `#`"),
        ("/* a\n comment */\na = 1", "1: a comment begins with `#`"),
        ("; a comment\na = 1", "1: a comment begins with `#`"),
        ("-- a comment\na = 1", "1: a comment begins with `#`"),
        ("a = 1;\nb = 2", "1: a line does not end with `;`"),
        ("a = 1,\nb = 2", "1: a line does not end with `,`"),
        ("a = [1; 2]", "1: items are parted by `,`"),
        ("server {\n  listen = \"x\";\n}\na = 1", "1: a table begins with its name in brackets"),
        ("- a\nb = 2", "1: a list stands in brackets"),
        // Two on a line.
        ("a = 1 b = 2", "1: two keys stand on one line"),
        ("a = \"x\" b = \"y\"", "1: two keys stand on one line"),
        ("a = \"x\", b = \"y\"", "1: two keys stand on one line"),
        ("a = true b = \"y\"", "1: two keys stand on one line"),
        ("[server] a = 1", "1: a key stands on the line of its table"),
        ("a = 1 [server]", "1: a table begins on the line of a key"),
        // Something is missing.
        ("a =\nb = 2", "1: a value is missing"),
        ("a = # later\nb = 2", "1: a value is missing"),
        ("a = { b = }", "1: `b` has no value"),
        ("a\nb = 2", "1: `a` has no value"),
        ("a \"x\"\nb = 2", "1: `=` is missing behind `a`"),
        ("a 5\nb = 2", "1: `=` is missing behind `a`"),
        ("= 5\nb = 2", "1: a value has no key"),
        ("a = [\"x\" \"y\"]", "1: a comma is missing"),
        ("a = [\n \"x\"\n \"y\"\n]", "2: a comma is missing"),
        ("a = {\n b = 1\n c = 2\n}", "2: a comma is missing"),
        ("a = { b = 1 c = 2 }", "1: a comma is missing"),
        ("a = [1 2]", "1: a comma is missing"),
        ("a = [\"x\",, \"y\"]", "1: a value is missing"),
        ("a =\n [\"x\"]\nb = 2", "1: a value is missing"),
        ("[]\na = 1", "1: a table has no name"),
        ("[a..b]\nc = 1", "1: the table's name `a..b` has an empty part"),
        // Values that are none.
        ("a = web\nb = 2", "1: text must be in quotes"),
        ("a = 192.0.2.1\nb = 2", "1: text must be in quotes"),
        ("a = 5s\nb = 2", "1: text must be in quotes"),
        ("a = [eu, us]\nb = 2", "1: text must be in quotes"),
        ("a = ${HOME}/x\nb = 2", "1: text must be in quotes"),
        ("a = True\nb = 2", "1: `True` is not understood"),
        ("a = yes\nb = 2", "1: `yes` is not understood"),
        ("a = null\nb = 2", "1: `null` is no value"),
        ("a = .5\nb = 2", "1: `.5` is no number"),
        ("a = 007\nb = 2", "1: `007` is no number"),
        ("a = 10,000\nb = 2", "1: `10,000` is no number"),
        ("a = \"x\", \"y\"\nb = 2", "1: several values are no list"),
        ("a = x, y\nb = 2", "1: several values are no list"),
        ("a = [lat = 1, lon = 2]", "1: a list holds no keys"),
        ("a = {\"x\", \"y\"}", "1: a value in braces has no key"),
        ("a = b = 2", "1: a line has two `=`"),
        // Keys and names that must be in quotes.
        ("10.0.0.0/8 = 1\nb = 2", "1: the key `10.0.0.0/8` must be in quotes"),
        ("2001:db8::/32 = 1\nb = 2", "1: the key `2001:db8::/32` must be in quotes"),
        ("*.example.com = 1\nb = 2", "1: the key `*.example.com` must be in quotes"),
        ("b\u{fc}cher = 1\nb = 2", "1: the key `b\u{fc}cher` must be in quotes"),
        ("[services.*.example.com]\na = 1", "1: the table's name `services.*.example.com` must be in quotes"),
        ("[pools web]\na = 1", "1: the table's name is not understood"),
        // Characters that are not what they look like.
        ("a\u{a0}= 1\nb = 2", "1: a character looks like a blank and is none"),
        ("a = 1\n\u{feff}b = 2", "2: a character looks like a blank and is none"),
        ("a = 1\nb = \"\0\"\nc = 2", "2: the file holds a NUL octet"),
        ("a = 1\rb = 2\r", "1: a line ends with CR alone"),
        ("<<<<<<< HEAD\na = 1\n=======\na = 2\n>>>>>>> other\nb = 3", "1: a merge was not finished"),
        // A broken header keeps its keys to itself.
        ("[s.a]\nb = 1\n[s.\"c\\dc\"]\nb = 2", "3: `\\d` is no escape"),
        ("[s.a]\nb = 1\n[s.\"c\\u12\"]\nb = 2", "3: `\\u` lacks its digits"),
        ("[s.a]\nb = 1\n[[s.c\"]]\nb = 2\n[[s.c]]\nb = 3", "3: a quote in a table's name is not closed"),
        ("[s.a]\nb = 1\n[\"s.c]\nb = 2", "3: a quote in a table's name is not closed"),
        ("[s.a]\nb = 1\n(s.c)\nb = 2", "3: a table's name stands in square brackets"),
        ("[s.a]\nb = 1\n{s.c}\nb = 2", "3: a table's name stands in square brackets"),
        ("[s.a]\nb = 1\n<s.c> # it\nb = 2", "3: a table's name stands in square brackets"),
        ("[s.a]\nb = 1\n{{s.c}}\nb = 2", "3: a table's name stands in square brackets"),
        ("[s.a]\nb = 1\ns.c:\nb = 2", "3: a table begins with its name in brackets"),
        (
            "[s.a]\nb = 1\ns.c:\nb: 2",
            "3: a table begins with its name in brackets\n4: a key and its value are separated by `=`",
        ),
        ("[s.a]\nb = 1\nc:\nb = 2", "3: a table begins with its name in brackets"),
        ("[s.a]\nb = 1\ns.c\nb = 2", "3: `s.c` has no value"),
        ("[s.a]\nb = 1\nc\nb = 2", "3: `c` has no value"),
        ("[s.a]\nb = 1\n[s][c]\nb = 2", "3: a table's name stands in one pair of brackets"),
        ("[s.a]\nb = 1\n[s].c\nb = 2", "3: a table's name stands in one pair of brackets"),
        ("[s.a]\nb = 1\n[s].[c]\nb = 2", "3: a table's name stands in one pair of brackets"),
        ("[s.a]\nb = 1\n[s] [c]\nb = 2", "3: something stands behind a table's header"),
        ("[s.a]\nb = 1\n[s]c\nb = 2", "3: something stands behind a table's header"),
        ("[s.a]\nb = 1\n[s c]\nb = 2", "3: the table's name is not understood"),
        ("[s.a]\nb = 1\n[s/c]\nb = 2", "3: the table's name is not understood"),
        ("[s.a]\nb = 1\n[.s.c]\nb = 2", "3: the table's name `.s.c` has an empty part"),
        ("[s.a]\nb = 1\n\u{ff3b}s.c\u{ff3d}\nb = 2", "3: a table's name stands in square brackets"),
        ("[s]\na { b = 1, c = 2 }\nd = 3", "2: `=` is missing behind `a`"),
        ("[s.a]\nb = 1\n**[s.c]**\nb = 2", "3: a table's name stands in square brackets"),
        ("[s.a]\nb = 1\n\"[s.c]\"\nb = 2", "3: a table's name stands in square brackets"),
        ("[s.a]\nb = 1\n\\[s.c\\]\nb = 2", "3: a table's name stands in square brackets"),
        ("[s.a]\nb = 1\n- s.c:\nb = 2", "3: a table begins with its name in brackets"),
        ("[s.a]\nb = 1\ns.c =\nb = 2", "3: a value is missing"),
        ("[s.a]\nb = 1\nc =\nb = 2", "3: a value is missing"),
        ("[s.a]\nb = 1\ns.c = {\nb = 2", "3: `{` is never closed"),
        ("[s.a]\nb = 1\ns.c = [\nb = 2\nd = 3", "3: `[` is never closed"),
        // Numbers of other notations, and other quotes.
        ("a = 50,1\nb = 2", "1: `50,1` is no number"),
        ("a = -8,6\nb = 2", "1: `-8,6` is no number"),
        ("a = { lat = 50,1, lon = -8,6 }", "1: `50,1` is no number"),
        ("a = { port = 8,080 }", "1: `8,080` is no number"),
        ("a = { port = 8,080, path = \"/\" }", "1: `8,080` is no number"),
        ("a = { lat = 50.1N, lon = 8.6W }", "1: `50.1N` is no number"),
        ("a = 50.1\u{b0}\nb = 2", "1: `50.1\u{b0}` is no number"),
        ("a = \u{2033}web\u{2033}\nb = 2", "1: these quotes are not those of a keyboard"),
        ("a = \u{2032}web\u{2032}\nb = 2", "1: these quotes are not those of a keyboard"),
        ("a = [\u{2033}web\u{2033}, \u{2033}app\u{2033}]", "1: these quotes are not those of a keyboard"),
        ("a = \"web\u{2033}\nb = 2", "1: this quote is not one of a keyboard"),
        ("a = { port = 80, host = \u{201c}www\" }", "1: these quotes are not those of a keyboard"),
        ("a = { path = \"/h\", host = \u{201c}www\", b = \"c\" }", "1: these quotes are not those of a keyboard"),
        ("a = &quot;web&quot;\nb = 2", "1: these quotes are not those of a keyboard"),
        ("a = { host = &#34;web&#34;, b = 1 }", "1: these quotes are not those of a keyboard"),
        ("a = \"x\\ud800y\"\nb = 2", "1: `\\ud800` stands for no character"),
        ("a = \"x\\U00110000y\"\nb = 2", "1: `\\U00110000` stands for no character"),
        ("[s.\"a\\udfff\"]\nb = 2", "1: `\\udfff` stands for no character"),
        ("```toml\na = 1\n```\n", "1: a mark of Markdown stands in the file"),
        ("a = 1232.\nb = 2", "1: `1232.` is no number"),
        ("a = { lat = 50N, lon = W8.6 }", "1: `50N` is no number"),
        ("a = { group = 50N }", "1: text must be in quotes"),
        ("location = (50.11, 8.68)\nb = 2", "1: a table stands in braces"),
        ("a = (lat = 50.11, lon = 8.68)\nb = 2", "1: a table stands in braces"),
        ("a = lat = 1, lon = 2 }\nb = 2", "1: `{` is missing"),
        ("[s.a]\nb = 1\n[s->c]\nb = 2", "3: the table's name is not understood"),
        ("[s.a]\nb = 1\n[s.p\u{f6}rt]\nb = 2", "3: the table's name is not understood"),
        ("[s.a]\ntcp = {\nport = 443", "2: `{` is never closed"),
        // Lines of a diff.
        ("[s]\n+a = 1\nb = 2", "2: a line begins with `+`"),
        ("[s]\n-a = 1\n+a = 2\n+c = [\n+  1,\n+]\nb = 2", "2: a line begins with `-`"),
        ("-[s]\n-a = 1\n+[t]\n+a = 1\nb = 2", "1: a line begins with `-`"),
        ("> a = 1\nb = 2", "1: a line begins with `>`"),
        ("> # A text: one, two, three\n>\n> a = 1\n> b = 2\n", "1: a line begins with `>`"),
        ("+# A text: one, two, three\n+\n+a = 1\n+b = 2\n", "1: a line begins with `+`"),
        ("a = \"\"\"\n+b = 1\n+c = 2\n\"\"\"\nd = 5s\n", "5: text must be in quotes"),
    ] {
        for tail in ["", tail] {
            let text = format!("{text}{tail}");
            let told = told(&text);
            if told.join("\n") != first {
                wrong.push(format!("{text}\nis told {told:#?}, not {first}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn numbers_of_lines_are_told_once() {
    for text in [
        "     1\t# A text: one, two, three\n     2\t\n     3\ta = 1\n     4\tb = 2\n",
        "1: a = 1\n2: b = 2\n\n4: [c]\n5: d = 1\n",
        " 9 | a = [\n10 |   1,\n11 | ]\n",
    ] {
        assert_eq!(told(text), ["1: the lines begin with their numbers"], "{text}");
    }
}

#[test]
fn what_is_meant_is_read() {
    for (text, meant) in [
        ("a = [1, 2\nb = 3", "a = [1, 2]\nb = 3"),
        ("[a\nb = 3", "[a]\nb = 3"),
        ("a: 1\n", "a= 1\n"),
        ("a = 5s # five\n", "a = \"5s\" # five\n"),
        ("a = 1 b = 2", "a = 1 \nb = 2"),
        ("a = \u{201c}x\u{201d}", "a = \"x\""),
        ("// x\na = 1", "# x\na = 1"),
        ("a = True", "a = true"),
        ("a = 1;", "a = 1"),
        ("a = { lat = 50,1, port = 8,080 }", "a = { lat = 50.1, port = 8080 }"),
        ("a = -8,6", "a = -8.6"),
        ("a = 0,125", "a = 0.125"),
        ("a = 50.1S", "a = -50.1"),
        ("(s.c)\nb = 2", "[s.c]\nb = 2"),
        ("s.c:\nb = 2", "[s.c]\nb = 2"),
        ("[s][\"c.d\"]\nb = 2", "[s.\"c.d\"]\nb = 2"),
        ("[s]\n-a = 1\n+a = 2\n", "[s]\n      \n a = 2\n"),
        ("[[s.c\"]]\nb = 2", "[[s.\"c\"]]\nb = 2"),
        ("a = { lat = N50, lon = 8.6W }", "a = { lat = 50, lon = -8.6 }"),
        ("a = 5.", "a = 5"),
        ("a = { host = &quot;web&quot; }", "a = { host = \"web\" }"),
        ("a = lat = 1, lon = 2 }", "a = { lat = 1, lon = 2 }"),
        ("a = \"\"\"\n+b = 1\n\"\"\"\nc = 5s\n", "a = \"\"\"\n+b = 1\n\"\"\"\nc = \"5s\"\n"),
        ("+a = \"\"\"\n+b\n+\"\"\"\n", " a = \"\"\"\n b\n \"\"\"\n"),
        ("1\ta = 1\n2\tb = 2\n3\tc = 3\n", "  a = 1\n  b = 2\n  c = 3\n"),
    ] {
        assert_eq!(read(text), meant);
    }
}

#[test]
fn no_text_takes_long() {
    for text in [
        format!("a = [{}", ",".repeat(60_000)),
        format!("a = {}", "[".repeat(60_000)),
        format!("a = {}", "{a=".repeat(20_000)),
        "[".repeat(60_000),
        format!("a = [{}]", "\"x\" ".repeat(100_000)),
        (0..5000).map(|n| format!("a{n}: {{ b = 1\n")).collect(),
    ] {
        assert!(!told(&text).is_empty());
    }
}

#[test]
fn places_lead_back_to_what_was_written() {
    let text = "a: 1 # x\nb = web c = [1, 2\nd = \"z\"\n";
    let Mended { text: mended, offsets, .. } = mend(text).expect("it is broken");
    for word in ["a", "1", "web", "c", "2", "d", "\"z\""] {
        let at = mended.find(word).expect(word);
        assert_eq!(
            text.get(offsets.back(at)..).map(|rest| rest.starts_with(word.trim_matches('"')) || rest.starts_with(word)),
            Some(true),
            "{word} in {mended:?}"
        );
    }
}

#[test]
fn what_stands_twice_is_told_with_both_places() {
    for (text, message, first) in [
        ("[a]\nb = 1\nb = 2\n", "3: `a.b` stands twice", 2),
        ("[a.b]\nc = 1\n[d]\n[a.b]\nc = 2\ne = 3\n", "4: the table `[a.b]` stands twice", 1),
        ("a.b = 1\na.b = 2\n", "2: `a.b` stands twice", 1),
        ("a = { b = 1 }\na.c = 2\n", "2: `a.c` is a value and a table", 1),
        ("a = { b = 1 }\n[a]\nc = 2\n", "2: `a` is a value and a table", 1),
        ("[a.b]\n[a]\nb = 1\n", "3: `a.b` is a value and a table", 1),
        ("[a]\n[[a]]\n", "2: `a` is written as `[a]` and as `[[a]]`", 1),
        ("[[a]]\n[a]\n", "2: `a` is written as `[a]` and as `[[a]]`", 1),
        ("a = { b = 1, b = 2 }\n", "1: `b` stands twice in one table", 1),
        ("[s.\"x.y\"]\n[s.\"x.y\"]\n", "2: the table `[s.\"x.y\"]` stands twice", 1),
        ("[a.b]\n[a.b]\n[a.b.c]\nd = 1\n[a.b.c]\n[z]\nq = 1\n", "2: the table `[a.b]` stands twice", 1),
    ] {
        assert_eq!(told(text), [message], "{text}");
        let slip = &mend(text).expect("broken").slips[0];
        let (place, _) = slip.also.as_ref().expect("the first place");
        assert_eq!(text[..place.start].matches('\n').count() + 1, first, "{text}");
    }
    let many = "[a]\nb = 1\nb = 2\nb = 3\n[c]\n[c]\n";
    assert_eq!(told(many), ["3: `a.b` stands twice", "4: `a.b` stands twice", "6: the table `[c]` stands twice"]);
}

#[test]
fn another_language_is_named_and_nothing_else_told() {
    for (text, language) in [
        ("---\nserver:\n  listen:\n    - 0.0.0.0:53\n", "YAML"),
        ("server:\n  listen: [\"0.0.0.0:53\"]\n  identity: ns1\n", "YAML"),
        ("# Meridian\nversion: 1\nregions:\n  eu:\n    location: {lat: 1, lon: 2}\n", "YAML"),
        ("{\n  \"version\": 1,\n  \"server\": { \"listen\": [\"0.0.0.0:53\"] }\n}\n", "JSON"),
        ("{\"version\": 1}", "JSON"),
        ("// Meridian\n{\n  \"version\": 1, // one\n  \"server\": {}\n}\n", "JSON"),
        ("/* Meridian\n of two lines */\n{ version: 1 }\n", "JSON"),
        ("[1,2]\n", "JSON"),
        ("[\"a\", \"b\"]\n", "JSON"),
        ("[\n  { \"name\": \"eu\" }\n]\n", "JSON"),
        ("diff --git a/m.toml b/m.toml\n--- a/m.toml\n+++ b/m.toml\n@@ -1,2 +1,2 @@\n [s]\n-a = 1\n+a = 2\n", "a diff"),
        ("--- a/m.toml\n+++ b/m.toml\n@@ -1,2 +1,2 @@\n [s]\n-a = 1\n+a = 2\n", "a diff"),
        ("version = 1\n@@ -1,2 +1,2 @@ [s]\n-a = 1\n+a = 2\n", "a diff"),
        ("<!DOCTYPE html>\n<html></html>\n", "HTML or XML"),
        ("$ORIGIN example.com.\n@ IN SOA ns1 h 1 2 3 4 5\n", "a zone file"),
        ("; zone\n@ 3600 IN SOA ns1 h 1 2 3 4 5\nwww A 192.0.2.1\n", "a zone file"),
        ("options {\n  listen-on { any; };\n};\n", "a file of blocks in braces"),
        ("prefix,continent,country\n192.0.2.0/24,EU,DE\n", "a table of fields"),
        ("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", "a certificate or a key"),
        ("Meridian is a server.\n\nIt answers questions\nof DNS.\n", "some other text"),
    ] {
        let slips = mend(text).expect("no TOML").slips;
        let told: Vec<&str> = slips.iter().map(|slip| slip.message.as_str()).collect();
        assert_eq!(told, [format!("this is {language}, not TOML")], "{text}");
    }
}

#[test]
fn what_is_no_text_is_named() {
    let wide = |text: &str, mark: bool, little: bool| -> Vec<u8> {
        let units = mark.then_some(0xfeff).into_iter().chain(text.encode_utf16());
        units.flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() }).collect()
    };
    let text = "version = 1\n[server]\n";
    for (octets, what) in [
        (wide(text, true, true), "in UTF-16, not in UTF-8"),
        (wide(text, true, false), "in UTF-16, not in UTF-8"),
        (wide(text, false, true), "in UTF-16LE, not in UTF-8"),
        (wide(text, false, false), "in UTF-16BE, not in UTF-8"),
        (b"\xff\xfe\0\0v\0\0\0".to_vec(), "in UTF-32, not in UTF-8"),
        (b"\x1f\x8b\x08\0\0\0".to_vec(), "gzip data, not text"),
        (b"\x7fELF\x02\x01".to_vec(), "a program, not text"),
        ((0..=255).collect(), "binary, not text"),
        (b"a = \"caf\xe9\"\n".to_vec(), "not UTF-8"),
    ] {
        let Decoded::Other(_, slip) = decode(octets) else { panic!("{what} is taken for text") };
        assert_eq!(slip.message, what);
        assert!(!slip.remedy.is_empty());
    }
    assert!(matches!(decode(b"\xef\xbb\xbfa = 1\r\n".to_vec()), Decoded::Text(text) if text == "a = 1\r\n"));
    assert!(matches!(decode(Vec::new()), Decoded::Text(_)));
}

#[test]
fn sound_texts_are_left_alone() {
    for text in [
        "",
        "a = [\n  [\"x\"],\n  [\n    1,\n  ], # c\n]\n",
        "a = { b = 1,\n c = 2,\n}\n",
        "a = \"\"\"\n[x\nb: 1\n\"\"\"\n'q.r' = '''//'''\n[ a-b . \"c.d\" ] # x\nd = 1979-05-27T07:32:00Z\ne = +inf\n",
        "[[a]]\nb = 1\n[[a]]\nb = 2\n[a.c]\n[[a]]\n",
    ] {
        assert!(mend(text).is_none(), "{text}");
    }
}

proptest::proptest! {
    /// However broken a text is: the places are within it, on boundaries of characters, and something is told.
    #[test]
    fn no_text_is_too_broken(parts in proptest::collection::vec(proptest::sample::select(vec![
        "a", "b.c", " = ", "=", ":", "\n", "\r", " ", "[", "]", "[[", "]]", "{", "}", ",", ";", "\"", "'", "\"\"\"", "'''", "#",
        "//", "/*", "1", "true", "yes", "5s", "\\", "\u{201c}", "\u{201d}", "\u{a0}", "\0", "é", "[a]\n", "a = 1\n", "- ", "<<<<<<< x\n", "=======\n",
        "(a.b)\n", "a.b:\n", "[a][b]\n", "+", "**", "\\d", "a = {\n", "a = [\n", "a =\n", "-[a]\n", "+b = 1\n", "8,080", "50.1N", "\u{2033}",
    ]), 0..30)) {
        let text = parts.concat();
        if let Some(Mended { slips, offsets, text: mended, .. }) = mend(&text) {
            proptest::prop_assert!(!slips.is_empty());
            for slip in &slips {
                proptest::prop_assert!(text.get(slip.span.clone()).is_some(), "{:?} of {:?}", slip, text);
                proptest::prop_assert!(slip.also.iter().all(|(span, _)| text.get(span.clone()).is_some()));
            }
            for at in 0..=mended.len() {
                proptest::prop_assert!(offsets.back(at) <= text.len());
            }
        }
    }
}
