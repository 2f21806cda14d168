//! Where a load is pulled from, as plain data: what is asked, and which number of the answer is the load. Must not know
//! how it is asked.

/// What is asked for a load.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Pull {
    /// HAProxy's statistics as CSV, over HTTP.
    Haproxy {
        /// The page.
        page: Page,
        /// The proxy.
        backend: Box<str>,
        /// The server in it; none: all of it.
        server: Option<Box<str>>,
        /// The column.
        field: HaproxyField,
    },
    /// The text that answers HAProxy's agent checks, at this port.
    Agent(u16),
    /// The page of nginx's `stub_status`.
    Nginx {
        /// The page.
        page: Page,
        /// The number.
        field: NginxField,
    },
    /// Metrics in the text format of Prometheus, over HTTP.
    Prometheus {
        /// The page.
        page: Page,
        /// The metric; the sum of its series counts.
        metric: Box<str>,
        /// Labels that a series must have, in name order.
        labels: Vec<(Box<str>, Box<str>)>,
        /// The metric that it is divided by: the sum of the series with the same labels.
        per: Option<Box<str>>,
    },
    /// JSON over HTTP.
    Json {
        /// The page.
        page: Page,
        /// Where the number is in it (RFC 6901).
        pointer: Box<str>,
    },
    /// What a command prints. `{address}` in its words stands for the address.
    Exec(Vec<Box<str>>),
}

/// A page over HTTP, in clear text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Page {
    /// The port.
    pub port: u16,
    /// Path and query, from the slash.
    pub path: Box<str>,
}

/// A column of HAProxy's statistics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HaproxyField {
    /// Its name in the header.
    pub name: &'static str,
    /// It counts since the start: what it grows by in a second is the load.
    pub counts: bool,
}

/// The columns that are a load.
pub const HAPROXY_FIELDS: [HaproxyField; 12] = [
    HaproxyField { name: "scur", counts: false },
    HaproxyField { name: "qcur", counts: false },
    HaproxyField { name: "rate", counts: false },
    HaproxyField { name: "used_conn_cur", counts: false },
    HaproxyField { name: "qtime", counts: false },
    HaproxyField { name: "ctime", counts: false },
    HaproxyField { name: "rtime", counts: false },
    HaproxyField { name: "ttime", counts: false },
    HaproxyField { name: "stot", counts: true },
    HaproxyField { name: "req_tot", counts: true },
    HaproxyField { name: "bin", counts: true },
    HaproxyField { name: "bout", counts: true },
];

/// A number of nginx's `stub_status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NginxField {
    /// Connections of clients, the waiting ones too.
    Active,
    /// Connections whose request head is being read.
    Reading,
    /// Connections whose request is being answered.
    Writing,
    /// Idle connections.
    Waiting,
    /// Connections taken in a second.
    Accepts,
    /// Requests in a second.
    Requests,
}

impl Pull {
    /// What is asked where, for people: "port 8404", or the command.
    #[must_use]
    pub fn place(&self) -> String {
        match self {
            Self::Haproxy { page, .. }
            | Self::Nginx { page, .. }
            | Self::Prometheus { page, .. }
            | Self::Json { page, .. } => format!("port {} {}", page.port, page.path),
            Self::Agent(port) => format!("port {port}"),
            Self::Exec(command) => format!("the command {}", command.first().map_or("", |word| word)),
        }
    }
}
