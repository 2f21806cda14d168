//! Stands in for rooms that are being built next door, in their shape. Joining: delete this file, and let `app.rs`
//! use `crate::config` and `crate::net` in its place.

/// In place of `crate::config`.
pub mod config {
    use std::path::Path;

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

    /// As `crate::config::report` will.
    #[must_use]
    pub fn render(faults: &[Fault], _sources: &Sources) -> String {
        faults.iter().map(|fault| format!("error: {}\n", fault.message)).collect()
    }

    /// In place of `crate::config::secret`.
    pub mod secret {
        use std::{fmt, path::Path};

        use crate::config::settings::Server;

        /// As `crate::config::secret::SecretFault`.
        #[derive(Debug)]
        pub struct SecretFault;

        impl fmt::Display for SecretFault {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("there is none")
            }
        }

        impl SecretFault {
            /// What to do about it.
            #[must_use]
            pub fn remedy(&self, file: &Path) -> String {
                format!("make {}", file.display())
            }
        }

        /// As `crate::config::secret::ensure`.
        ///
        /// # Errors
        /// Says why there is none.
        pub fn ensure(_server: &Server) -> Result<[u8; 16], SecretFault> {
            Ok([0; 16])
        }
    }
}

/// In place of `crate::net`.
pub mod net {
    use std::{fmt, io, net::SocketAddr, sync::Arc, time::Duration};

    use tokio::runtime::Handle;

    use crate::{engine::snapshot::Snapshot, state::board::Board};

    /// As `crate::net::UdpOptions`.
    #[derive(Clone, Copy, Debug)]
    pub struct UdpOptions {
        /// Octets of each socket's receive buffer.
        pub receive_buffer: usize,
        /// Datagrams taken and sent by one system call.
        pub batch: usize,
    }

    /// As `crate::net::TcpOptions`.
    #[derive(Clone, Copy, Debug, Default)]
    pub struct TcpOptions {
        /// Connections in all.
        pub connections: usize,
        /// Connections of one client.
        pub per_client: usize,
        /// How long a connection may stay without a message begun.
        pub idle: Duration,
        /// How long a message may take from its first octet to its last.
        pub message: Duration,
        /// How long a query for a steered name may wait for the first probe round.
        pub ready: Duration,
        /// How long the replies may take to be taken.
        pub write: Duration,
        /// How long connections may take to finish at a stop.
        pub drain: Duration,
    }

    /// As `crate::net::BindError`.
    #[derive(Debug)]
    pub struct BindError {
        /// The address.
        pub address: SocketAddr,
        /// Why.
        pub source: io::Error,
    }

    impl fmt::Display for BindError {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "cannot listen on {}: {}", self.address, self.source)
        }
    }

    /// As `crate::net::Sockets`.
    #[derive(Debug)]
    pub struct Sockets(Vec<SocketAddr>);

    /// As `crate::net::bind`.
    ///
    /// # Errors
    /// The first address that cannot be had.
    pub fn bind(listen: &[SocketAddr], _workers: usize, _udp: &UdpOptions) -> Result<Sockets, BindError> {
        let taken = |address| move |source| BindError { address, source };
        listen.iter().try_for_each(|&a| std::net::TcpListener::bind(a).map(drop).map_err(taken(a)))?;
        Ok(Sockets(listen.to_vec()))
    }

    /// As `crate::net::Running`.
    #[derive(Debug)]
    pub struct Running(Vec<SocketAddr>);

    /// As `crate::net::start`.
    ///
    /// # Errors
    /// When a thread cannot be made.
    pub fn start(
        sockets: Sockets,
        _board: &Arc<Board<Snapshot>>,
        _tcp: TcpOptions,
        _runtime: &Handle,
    ) -> io::Result<Running> {
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
