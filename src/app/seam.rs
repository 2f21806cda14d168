//! Stands in for rooms that are being built next door, in their shape. Joining: delete this file, and let `app.rs`
//! use `crate::config` and `crate::net` in its place.

/// In place of `crate::config`.
pub mod config {
    use std::{io, path::Path};

    use crate::{
        config::{
            fault::{Fault, Sources},
            settings::{Log, Server},
        },
        engine::snapshot::World,
    };

    /// As `crate::config::Loaded`.
    #[derive(Debug)]
    pub struct Loaded {
        /// The texts that were read.
        pub sources: Sources,
        /// Everything that is wrong.
        pub faults: Vec<Fault>,
        /// The configuration; none with an error among the faults.
        pub config: Option<Config>,
    }

    /// As `crate::config::Config`.
    #[derive(Debug)]
    pub struct Config {
        /// What answers are made from.
        pub world: World,
        /// How the server listens and where it keeps its state.
        pub server: Server,
        /// What is logged, and how.
        pub log: Log,
        /// The secret, when its file exists.
        pub secret: Option<[u8; 16]>,
    }

    /// As `crate::config::load`.
    #[must_use]
    pub fn load(path: &Path) -> Loaded {
        let fault = Fault::bare(format!("{} cannot be read: the rooms are not joined yet", path.display()));
        Loaded { sources: Sources::default(), faults: vec![fault], config: None }
    }

    /// As `crate::config::report::render`.
    #[must_use]
    pub fn render(faults: &[Fault], _sources: &Sources) -> String {
        faults.iter().map(|fault| format!("error: {}\n", fault.message)).collect()
    }

    /// As `crate::config::secret::ensure`.
    ///
    /// # Errors
    /// When the secret can be neither read nor made.
    pub fn ensure(_server: &Server) -> io::Result<[u8; 16]> {
        Ok([0; 16])
    }
}

/// In place of `crate::net`.
pub mod net {
    use std::{io, net::SocketAddr, sync::Arc};

    use crate::{config::settings::Server, engine::snapshot::Snapshot, state::board::Board};

    /// As `crate::net::Sockets`.
    #[derive(Debug)]
    pub struct Sockets(Vec<SocketAddr>);

    /// As `crate::net::bind`.
    ///
    /// # Errors
    /// Names the address and the cause.
    pub fn bind(server: &Server) -> io::Result<Sockets> {
        Ok(Sockets(server.listen.clone()))
    }

    /// As `crate::net::Running`.
    #[derive(Debug)]
    pub struct Running(Vec<SocketAddr>);

    /// As `crate::net::start`.
    ///
    /// # Errors
    /// When a thread cannot be made.
    pub fn start(sockets: Sockets, _server: &Server, _board: &Arc<Board<Snapshot>>) -> io::Result<Running> {
        Ok(Running(sockets.0))
    }

    impl Running {
        /// Where queries are answered.
        #[must_use]
        pub fn addresses(&self) -> &[SocketAddr] {
            &self.0
        }

        /// Answers what has arrived, and returns when that is done.
        pub async fn stop(self) {
            tokio::task::yield_now().await;
        }
    }
}
