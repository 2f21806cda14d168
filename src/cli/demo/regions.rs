//! The demo's three regions, and the files that configure a server in front of them: compiled in, unpacked into a
//! folder of their own, removed at the end.

use std::{
    fs, io,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use crate::cli::folder;

/// A region of the demo.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) name: &'static str,
    /// What is answered, and where its stand-in listens.
    pub(super) address: Ipv4Addr,
    /// A client network in its neighbourhood, as the demo's database has it.
    pub(super) near: &'static str,
    /// The city of that network.
    pub(super) city: &'static str,
}

/// All of them.
pub(super) const REGIONS: [Region; 3] = [
    Region { name: "us-east", address: Ipv4Addr::new(127, 0, 0, 11), near: "192.0.2.0/24", city: "New York" },
    Region { name: "eu-west", address: Ipv4Addr::new(127, 0, 0, 12), near: "198.51.100.0/24", city: "Frankfurt" },
    Region { name: "ap-south", address: Ipv4Addr::new(127, 0, 0, 13), near: "203.0.113.0/24", city: "Mumbai" },
];

impl Region {
    pub(super) fn at(&self, port: u16) -> SocketAddr {
        (self.address, port).into()
    }
}

/// A name that is none of a region.
#[derive(Debug, thiserror::Error)]
#[error("the regions are {}", REGIONS.map(|region| region.name).join(", "))]
pub(super) struct UnknownRegion;

/// The region of this name.
pub(super) fn find(name: &str) -> Result<&'static Region, UnknownRegion> {
    REGIONS.iter().find(|region| region.name == name).ok_or(UnknownRegion)
}

const CONFIG: &str = include_str!("../../../zones/demo.toml");
const ZONE: &str = include_str!("../../../zones/demo.zone");
const DATABASE: &[u8] = include_bytes!("../../../geoip/demo-city.mmdb");

/// Where the configuration listens as it was compiled in.
pub(super) const LISTEN: &str = "127.0.0.1:5300";
/// The port that it probes and asks for load.
pub(super) const REGION_PORT: u16 = 8053;

/// The folder with the demo's files; it goes when this is dropped.
#[derive(Debug)]
pub(super) struct DemoFolder(folder::Folder);

impl DemoFolder {
    /// Unpacks the files, with these ports in the configuration.
    pub(super) fn unpack(listen: SocketAddr, region_port: u16) -> io::Result<Self> {
        let folder = Self(folder::Folder::make("demo")?);
        for name in ["zones", "geoip"] {
            fs::create_dir(folder.0.path().join(name))?;
        }
        fs::write(folder.config(), config(listen, region_port))?;
        fs::write(folder.0.path().join("zones/demo.zone"), ZONE)?;
        fs::write(folder.0.path().join("geoip/demo-city.mmdb"), DATABASE)?;
        Ok(folder)
    }

    /// The configuration.
    pub(super) fn config(&self) -> PathBuf {
        self.0.path().join("zones/demo.toml")
    }

    /// Removes everything.
    pub(super) fn remove(self) -> io::Result<()> {
        self.0.remove()
    }
}

fn config(listen: SocketAddr, region_port: u16) -> String {
    CONFIG
        .replace(&format!("\"{LISTEN}\""), &format!("\"{listen}\""))
        .replace(&format!("port = {REGION_PORT},"), &format!("port = {region_port},"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_ports_change() {
        assert_eq!(config(LISTEN.parse().unwrap(), REGION_PORT), CONFIG);
        let other = config("[::1]:53".parse().unwrap(), 81);
        let changed: Vec<_> = CONFIG.lines().zip(other.lines()).filter(|(old, new)| old != new).collect();
        assert_eq!(CONFIG.lines().count(), other.lines().count());
        let [(_, listen), (_, probed), (_, asked)] = changed[..] else { panic!("{changed:?}") };
        assert!(listen.starts_with("listen ") && listen.ends_with("[\"[::1]:53\"]"), "{listen}");
        assert!(probed.starts_with("http ") && probed.contains("{ port = 81, "), "{probed}");
        assert!(asked.starts_with("json ") && asked.contains("{ port = 81, "), "{asked}");
    }

    #[test]
    fn every_pool_has_the_regions_where_the_stand_ins_are() {
        for region in &REGIONS {
            let line = format!("region = \"{}\", address = [\"{}\"]", region.name, region.address);
            let lines = CONFIG.lines().filter(|text| text.contains(&line)).count();
            assert_eq!(lines, CONFIG.matches(".endpoints]").count(), "{line}");
        }
    }
}
