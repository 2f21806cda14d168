//! Monitors that are made of others.

use super::{SPARE, config, start};

const MONITORS: &str = r#"
[monitors.a]
file.path = "a.csv"
[monitors.b]
file.path = "b.csv"
[monitors.c]
file.path = "c.csv"
[monitors.m]
any = ["a", "b", "c"]
[monitors.most]
at_least = { n = 2, of = ["a", "b", "c"] }
[monitors.every]
all = ["a", "b", "c"]
"#;

#[test]
fn one_most_and_all_of_three_decide() {
    let pools: String = ["most", "every"]
        .map(|name| {
            format!(
                "[pools.{name}]\nmonitor = \"{name}\"\npolicy = \"failover\"\norder = [\"eu\"]\n[pools.{name}.endpoints]\n\
                 eu = {{ region = \"eu\", address = \"192.0.2.1\" }}\n\
                 [services.\"{name}.p.test\"]\npools = [\"{name}\", \"spare\"]\n"
            )
        })
        .concat();
    let config = config(MONITORS, "address = \"192.0.2.1\"") + &pools;
    let mut server = start(&config, &[("a.csv", ""), ("b.csv", ""), ("c.csv", "")]);
    let down = "192.0.2.1,down\n";
    // Who says what, and how many of the three names the endpoint is left in: www needs one, most two, every three.
    for (file, text, told, [www, most, every]) in [
        (
            "b.csv",
            down,
            "every/eu 192.0.2.1 is down: a is up, b is down, c is up, and 3 of 3 must be up;",
            [true, true, false],
        ),
        (
            "c.csv",
            down,
            "most/eu 192.0.2.1 is down: a is up, b is down, c is down, and 2 of 3 must be up;",
            [true, false, false],
        ),
        (
            "a.csv",
            down,
            "web/eu 192.0.2.1 is down: a is down, b is down, c is down, and 1 of 3 must be up;",
            [false, false, false],
        ),
        ("c.csv", "", "web/eu 192.0.2.1 is up again: ", [true, false, false]),
        ("a.csv", "", "most/eu 192.0.2.1 is up again: ", [true, true, false]),
        ("b.csv", "", "every/eu 192.0.2.1 is up again: ", [true, true, true]),
    ] {
        server.put(file, text);
        server.wait_for(told);
        for (name, up) in [("www", www), ("most", most), ("every", every)] {
            let answer = server.dig(&format!("{name}.p.test a"));
            assert_eq!(answer.one(), if up { "192.0.2.1" } else { SPARE }, "{name} after {file} {text:?}");
        }
    }
}
