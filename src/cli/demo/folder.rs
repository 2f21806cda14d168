//! The demo's files: compiled in, unpacked into a folder of their own, removed at the end.

use std::{
    env, fs,
    io::{self, ErrorKind},
    net::SocketAddr,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    process,
};

const CONFIG: &str = include_str!("../../../zones/demo.toml");
const ZONE: &str = include_str!("../../../zones/demo.zone");
const DATABASE: &[u8] = include_bytes!("../../../geoip/demo-city.mmdb");

/// Where the configuration listens as it was compiled in.
pub(super) const LISTEN: &str = "127.0.0.1:5300";
/// The port that it probes.
pub(super) const REGION_PORT: u16 = 8053;

/// The folder; it goes when this is dropped.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    /// Unpacks the files, with these ports in the configuration.
    pub(super) fn unpack(listen: SocketAddr, region_port: u16) -> io::Result<Self> {
        let folder = Self::make(&env::temp_dir())?;
        for name in ["zones", "geoip"] {
            fs::create_dir(folder.0.join(name))?;
        }
        fs::write(folder.config(), config(listen, region_port))?;
        fs::write(folder.0.join("zones/demo.zone"), ZONE)?;
        fs::write(folder.0.join("geoip/demo-city.mmdb"), DATABASE)?;
        Ok(folder)
    }

    /// A new folder that only its owner may enter. What is there already is somebody else's and left alone.
    fn make(parent: &Path) -> io::Result<Self> {
        let mut number = 0;
        loop {
            let path = parent.join(format!("meridian-demo-{}-{number}", process::id()));
            match fs::DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Self(path)),
                Err(error) if error.kind() == ErrorKind::AlreadyExists && number < 100 => number += 1,
                Err(error) => return Err(io::Error::new(error.kind(), format!("{}: {error}", path.display()))),
            }
        }
    }

    /// The configuration.
    pub(super) fn config(&self) -> PathBuf {
        self.0.join("zones/demo.toml")
    }

    /// Removes everything.
    pub(super) fn remove(self) -> io::Result<()> {
        fs::remove_dir_all(&self.0)
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", self.0.display())))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Removed already, as a rule; else there is nobody left to tell.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn config(listen: SocketAddr, region_port: u16) -> String {
    CONFIG
        .replace(&format!("\"{LISTEN}\""), &format!("\"{listen}\""))
        .replace(&format!("port = {REGION_PORT},"), &format!("port = {region_port},"))
}

#[cfg(test)]
mod tests {
    use super::{super::region::REGIONS, *};

    #[test]
    fn only_the_ports_change() {
        assert_eq!(config(LISTEN.parse().unwrap(), REGION_PORT), CONFIG);
        let other = config("[::1]:53".parse().unwrap(), 81);
        let changed: Vec<_> = CONFIG.lines().zip(other.lines()).filter(|(old, new)| old != new).collect();
        assert_eq!(CONFIG.lines().count(), other.lines().count());
        let [(_, listen), (_, port)] = changed[..] else { panic!("{changed:?}") };
        assert!(listen.starts_with("listen ") && listen.ends_with("[\"[::1]:53\"]"), "{listen}");
        assert!(port.starts_with("http ") && port.contains("{ port = 81, "), "{port}");
    }

    #[test]
    fn every_pool_has_the_regions_where_the_stand_ins_are() {
        for region in &REGIONS {
            let line = format!("region = \"{}\", address = [\"{}\"]", region.name, region.address);
            let lines = CONFIG.lines().filter(|text| text.contains(&line)).count();
            assert_eq!(lines, CONFIG.matches(".endpoints]").count(), "{line}");
        }
    }

    #[test]
    fn the_folder_is_the_owners_and_goes() {
        use std::os::unix::fs::PermissionsExt;
        let folder = Folder::unpack(LISTEN.parse().unwrap(), REGION_PORT).unwrap();
        let path = folder.0.clone();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::read_to_string(folder.config()).unwrap(), CONFIG);
        let second = Folder::unpack(LISTEN.parse().unwrap(), REGION_PORT).unwrap();
        assert_ne!(second.0, path, "two demos of one process");
        folder.remove().unwrap();
        drop(second);
        assert!(!path.exists());
    }
}
