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
        engine::snapshot::Draft,
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
        pub draft: Draft,
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
    use std::{io, num::NonZeroUsize, sync::Arc, thread, time::Duration};

    pub use crate::net::{Running, Sockets};
    use crate::{
        config::settings::{Server, Workers},
        engine::snapshot::Snapshot,
        net::{TcpOptions, UdpOptions},
        state::board::Board,
    };

    /// As `crate::net::bind`.
    ///
    /// # Errors
    /// Names the address and the cause.
    pub fn bind(server: &Server) -> io::Result<Sockets> {
        let workers = match server.workers {
            Workers::Auto => thread::available_parallelism().map_or(1, NonZeroUsize::get),
            Workers::Count(count) => usize::from(count),
        };
        let receive_buffer = usize::try_from(server.udp.receive_buffer).unwrap_or(usize::MAX);
        let udp = UdpOptions { receive_buffer, batch: usize::from(server.udp.batch) };
        crate::net::bind(&server.listen, workers, &udp).map_err(io::Error::other)
    }

    /// As `crate::net::start`.
    ///
    /// # Errors
    /// When a thread cannot be made.
    pub fn start(sockets: Sockets, server: &Server, board: &Arc<Board<Snapshot>>) -> io::Result<Running> {
        let tcp = TcpOptions {
            connections: server.tcp.connections as usize,
            per_client: server.tcp.per_client as usize,
            idle: Duration::from_millis(server.tcp.idle),
            message: Duration::from_millis(server.tcp.message),
            ready: Duration::from_millis(server.startup_wait) + Duration::from_secs(2),
            ..TcpOptions::default()
        };
        crate::net::start(sockets, board, tcp, &tokio::runtime::Handle::current())
    }
}
