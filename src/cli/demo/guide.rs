//! What the demo tells a person to try.

use std::{env, fmt::Write, net::SocketAddr};

use super::regions::{LISTEN, REGION_PORT, REGIONS, Region};

/// The lines to copy, for the ports of this demo.
#[derive(Debug)]
pub(super) struct Guide {
    listen: SocketAddr,
    region_port: u16,
    /// How the program was called, so that what is printed can be typed.
    program: String,
}

impl Guide {
    pub(super) fn new(listen: SocketAddr, region_port: u16) -> Self {
        Self { listen, region_port, program: env::args().next().unwrap_or_else(|| "meridian".into()) }
    }

    /// The arguments that start a region.
    pub(super) fn region_args(&self, region: &Region) -> Vec<String> {
        let mut args: Vec<String> = ["demo", "--region", region.name].map(Into::into).into();
        if self.region_port != REGION_PORT {
            args.extend(["--region-port".into(), self.region_port.to_string()]);
        }
        args
    }

    /// The command that starts a region.
    pub(super) fn region_command(&self, region: &Region) -> String {
        format!("{} {}", self.program, self.region_args(region).join(" "))
    }

    /// The whole guide; `pids` are the processes of the regions, in their order.
    pub(super) fn text(&self, pids: &[u32]) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = self.write(&mut text, pids);
        text
    }

    fn write(&self, to: &mut String, pids: &[u32]) -> std::fmt::Result {
        let Self { listen, region_port: port, .. } = self;
        let dig = format!("dig @{} -p {}", listen.ip(), listen.port());
        writeln!(to, "Meridian answers DNS on {listen}, UDP and TCP. Behind it, each a process of its own:")?;
        for (region, pid) in REGIONS.iter().zip(pids) {
            writeln!(to, "  {:<9} http://{}  pid {pid}", region.name, region.at(*port))?;
        }
        writeln!(to, "\nAsk from somewhere: the nearest region answers")?;
        for region in &REGIONS {
            let Region { name, near, city, .. } = region;
            writeln!(to, "  {dig} www.demo.example +subnet={near:<16} # {city}: {name}")?;
        }
        writeln!(to, "Ask again and again: 60, 30 and 10 of 100, drawn anew each time")?;
        writeln!(to, "  for i in $(seq 100); do {dig} +short shares.demo.example; done | sort | uniq -c")?;
        writeln!(to, "Each client network keeps its region: the second round is as the first")?;
        writeln!(to, "  for i in 1 2 3 1 2 3; do {dig} +short sticky.demo.example +subnet=2001:db8:$i::/56; done")?;
        writeln!(to, "The least loaded, here all three alike: a third each")?;
        writeln!(to, "  for i in $(seq 99); do {dig} +short least.demo.example; done | sort | uniq -c")?;
        writeln!(to, "The first that works: eu-west, then us-east, then ap-south")?;
        writeln!(to, "  {dig} +short failover.demo.example")?;
        writeln!(to, "What is not steered")?;
        for question in ["demo.example MX", "www.demo.example TXT", "docs.demo.example", "nothing.demo.example"] {
            writeln!(to, "  {dig} {question}")?;
        }
        writeln!(to, "\nBreak a region, look again, and heal it")?;
        let broken = &REGIONS[1];
        let at = broken.at(*port);
        for (switch, effect) in [
            ("fail", "/health answers 503"),
            ("slow", "/health answers after 2 s"),
            ("load/900", LOADED),
            ("load/0", "/load says 0 again"),
            ("heal", "/health answers 200 at once"),
        ] {
            writeln!(to, "  curl -X POST http://{at}/{:<9} # {effect}", switch)?;
        }
        if let Some(pid) = pids.get(1) {
            writeln!(to, "  kill {pid}   # and start it again: {}", self.region_command(broken))?;
        }
        if *listen != LISTEN.parse().unwrap_or(*listen) || *port != REGION_PORT {
            writeln!(to, "(The ports are not the usual ones: {LISTEN} and {REGION_PORT}.)")?;
        }
        writeln!(to, "\nCtrl-C ends everything. Changes, as they happen:")
    }
}

/// What a load of 900 does.
const LOADED: &str = "/load says 900: in 3 s least.demo.example names the other two, half each";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_can_be_typed() {
        let guide = Guide { listen: "127.0.0.1:5301".parse().unwrap(), region_port: 81, program: "./meridian".into() };
        let text = guide.text(&[11, 12, 13]);
        for line in [
            "  us-east   http://127.0.0.11:81  pid 11",
            "  dig @127.0.0.1 -p 5301 www.demo.example +subnet=198.51.100.0/24  # Frankfurt: eu-west",
            "  curl -X POST http://127.0.0.12:81/fail      # /health answers 503",
            "  kill 12   # and start it again: ./meridian demo --region eu-west --region-port 81",
        ] {
            assert!(text.lines().any(|have| have == line), "{line}\nis not in\n{text}");
        }
    }
}
