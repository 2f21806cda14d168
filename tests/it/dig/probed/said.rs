//! Monitors whose answer another program gives: by a command, and by a file.

use std::fs;

use super::{SPARE, comes_back, config, goes_down, start, www};

#[test]
fn a_command_decides_and_its_last_words_are_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = folder.path().join("check.sh");
    let text = "cd \"${0%/*}\" || exit 9\n[ -e \"sick-$1\" ] || exit 0\necho looking\necho \"the disk of $1 is full\"\nexit 3\n";
    fs::write(&script, text).expect("written");
    let monitor =
        format!("[monitors.m]\nexec.command = [\"/bin/sh\", {:?}, \"{{address}}\"]", script.display().to_string());
    let mut server = start(&config(&monitor, "address = \"192.0.2.1\""), &[]);
    assert_eq!(www(&server), "192.0.2.1");
    for _ in 0..2 {
        let sick = folder.path().join("sick-192.0.2.1");
        fs::write(&sick, "").expect("written");
        goes_down(&mut server, "exit code 3: the disk of 192.0.2.1 is full;");
        fs::remove_file(&sick).expect("removed");
        comes_back(&mut server, "192.0.2.1");
    }
}

const FILE: &str = "[monitors.m]\nfile.path = \"health.csv\"";

#[test]
fn a_file_decides_and_who_is_not_in_it_is_up() {
    let mut server = start(&config(FILE, "address = \"192.0.2.1\""), &[("health.csv", "192.0.2.7,down\n")]);
    assert_eq!(www(&server), "192.0.2.1", "not in the file");
    server.put("health.csv", "192.0.2.1,down,moved to the new rack\n");
    goes_down(&mut server, "moved to the new rack;");
    server.put("health.csv", "# nothing\n");
    comes_back(&mut server, "192.0.2.1");
    server.put("health.csv", "192.0.2.1,down\n");
    goes_down(&mut server, "down in the file;");
    server.put("health.csv", "192.0.2.1,up\n");
    comes_back(&mut server, "192.0.2.1");
}

#[test]
fn a_malformed_file_and_none_leave_the_states_and_are_told() {
    let mut server = start(&config(FILE, "address = \"192.0.2.1\""), &[("health.csv", "192.0.2.1,down,disk\n")]);
    assert_eq!(www(&server), SPARE);
    server.put("health.csv", "192.0.2.1,up\n192.0.2.2,upp\n");
    let line = server.wait_for("states stay as they were");
    let fault = "health.csv: line 2 says neither \"up\" nor \"down\" nor \"down,REASON\" of 192.0.2.2";
    assert!(line.contains("WARN") && line.contains(fault), "{line}");
    server.remove("health.csv");
    // That it is looked at again shows that the outcome before has been folded.
    let line = server.wait_for("states stay as they were");
    assert!(line.contains("WARN") && line.contains("health.csv: there is no such file"), "{line}");
    assert_eq!(www(&server), SPARE, "half of what the malformed file says is not believed");
    server.put("health.csv", "192.0.2.1,up\n");
    let before = server.lines_up_to("health.csv can be read again");
    assert!(!before.iter().any(|line| line.contains("web/eu")), "{before:?}");
    comes_back(&mut server, "192.0.2.1");
}

#[test]
fn a_file_that_comes_later_decides_from_then_on() {
    let config = format!("startup_wait = \"0s\"\n{}", config(FILE, "address = \"192.0.2.1\""));
    let mut server = super::Server::start("[\"127.0.0.1:0\"]", &config, &[("p.zone", super::ZONE)]);
    let line = server.wait_for("there is no such file");
    assert!(line.contains("WARN") && line.contains("health.csv"), "{line}");
    server.put("health.csv", "192.0.2.1,down,not yet\n");
    goes_down(&mut server, "not yet;");
}
