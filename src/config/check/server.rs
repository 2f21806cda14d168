//! `[server]`, `[log]`. Must not know zones or pools.

use std::{
    fs, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    ops::Range,
};

use toml::Spanned;

use super::value::{items, literal, millis, number_or, size, text, whole, word};
use crate::{
    config::{
        diagnostics::Notes,
        secret,
        settings::{Log, LogFormat, LogLevel, Server, Tcp, Udp, Workers},
        spec::{LogSpec, ServerSpec},
    },
    engine::types::Millis,
};

const LISTEN: [&str; 2] = ["0.0.0.0:53", "[::]:53"];
const STATE_DIR: &str = "/var/lib/meridian";
const SECRET_FILE: &str = "secret.key";
/// A TXT character-string holds no more (RFC 1035 3.3).
const MAX_IDENTITY: usize = 255;

/// `[server]`, and the secret when its file exists.
pub(crate) fn server(
    spec: &ServerSpec,
    table: Option<&Range<usize>>,
    notes: &mut Notes<'_>,
) -> (Server, Option<[u8; 16]>) {
    let state_dir = match &spec.state_dir {
        Some(written) if written.get_ref().is_empty() => {
            let fault = notes.error(written.span(), "`server.state_dir` is empty", "a folder is expected");
            notes.push(fault);
            STATE_DIR.into()
        }
        Some(written) => notes.path(&Spanned::new(written.span(), written.get_ref().0.clone())),
        None => STATE_DIR.into(),
    };
    for written in [&spec.state_dir, &spec.secret_file].into_iter().flatten() {
        literal(text(written), notes);
    }
    let label = match fs::metadata(&state_dir) {
        Ok(about) if !about.is_dir() => Some("there is a file of this name"),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Some("a part of this path is a file"),
        _ => None,
    };
    let state_at = || spec.state_dir.as_ref().map(Spanned::span).or_else(|| table.cloned()).unwrap_or(0..0);
    if let Some(label) = label {
        let fault = notes.error(state_at(), format!("`server.state_dir` {} is no folder", state_dir.display()), label);
        notes.push(fault.remedy("name a folder; `serve` makes it where it does not exist"));
    }
    let secret_file = match &spec.secret_file {
        Some(written) => notes.path(&Spanned::new(written.span(), written.get_ref().0.clone())),
        None => state_dir.join(SECRET_FILE),
    };
    let secret = match secret::read(&secret_file) {
        Ok(secret) => Some(secret),
        // What is wrong with the folder has been said.
        Err(_) if label.is_some() && spec.secret_file.is_none() => None,
        Err(secret::SecretFault::Missing) if spec.secret_file.is_none() => None,
        Err(cause) => {
            let span = spec.secret_file.as_ref().map_or_else(state_at, Spanned::span);
            let message = format!("the secret {} cannot be used", secret_file.display());
            // A default that another user made is no fault of the text: `serve` runs as that user.
            let fault = match (&cause, &spec.secret_file) {
                (secret::SecretFault::Unreadable(_), None) => notes.warning(span, message, cause.to_string()),
                _ => notes.error(span, message, cause.to_string()),
            };
            notes.push(fault.remedy(cause.remedy(&secret_file)));
            None
        }
    };
    let connections = whole(spec.tcp.connections.as_ref(), "server.tcp.connections", 4096, 1..=1_000_000, notes);
    let per_client =
        whole(spec.tcp.per_client.as_ref(), "server.tcp.per_client", connections.min(64), 1..=1_000_000, notes);
    if let Some(written) = &spec.tcp.per_client
        && per_client > connections
    {
        let label = format!("`server.tcp.connections` is {connections}");
        let fault = notes.error(written.span(), "`server.tcp.per_client` is more than all connections", label);
        notes.push(fault);
    }
    let server = Server {
        listen: listen(spec, notes),
        listens_as_usual: spec.listen.is_none(),
        identity: identity(spec, notes),
        state_dir,
        secret_file,
        workers: number_or(
            spec.workers.as_ref(),
            "server.workers",
            ("auto", Workers::Auto),
            1..=256,
            |number| Workers::Count(number as u16),
            notes,
        ),
        startup_wait: millis(
            spec.startup_wait.as_ref(),
            "server.startup_wait",
            Millis::seconds(3),
            Millis::ZERO..=Millis::seconds(60),
            notes,
        ),
        rotate: spec.rotate.as_ref().is_none_or(|rotate| *rotate.get_ref()),
        udp: Udp {
            max_size: whole(spec.udp.max_size.as_ref(), "server.udp.max_size", 1232, 512..=4096, notes) as u16,
            receive_buffer: size(
                spec.udp.receive_buffer.as_ref(),
                "server.udp.receive_buffer",
                4 << 20,
                64 << 10..=1 << 30,
                notes,
            ),
            batch: whole(spec.udp.batch.as_ref(), "server.udp.batch", 32, 1..=64, notes) as u16,
        },
        tcp: Tcp {
            connections: connections as u32,
            per_client: per_client as u32,
            idle: millis(
                spec.tcp.idle.as_ref(),
                "server.tcp.idle",
                Millis::seconds(10),
                Millis(100)..=Millis::seconds(600),
                notes,
            ),
            message: millis(
                spec.tcp.message.as_ref(),
                "server.tcp.message",
                Millis::seconds(5),
                Millis(100)..=Millis::seconds(60),
                notes,
            ),
        },
    };
    (server, secret)
}

fn listen(spec: &ServerSpec, notes: &mut Notes<'_>) -> Vec<SocketAddr> {
    let Some(written) = &spec.listen else { return LISTEN.iter().filter_map(|text| text.parse().ok()).collect() };
    let mut found: Vec<(SocketAddr, Range<usize>)> = Vec::new();
    for item in items(Some(written)) {
        let fault = match item.get_ref().parse::<SocketAddr>() {
            Ok(address) => match found.iter().find(|(known, _)| *known == address) {
                Some((_, first)) => notes
                    .error(item.span(), format!("`server.listen` has {address} twice"), "here again")
                    .also(notes.place(first.clone()), "first here"),
                None => {
                    let other = found.iter().find(|(known, _)| overlap(known, &address)).cloned();
                    found.push((address, item.span()));
                    let Some((known, first)) = other else { continue };
                    notes
                        .error(item.span(), format!("`server.listen` has both {known} and {address}"), "overlaps")
                        .also(notes.place(first), "with this")
                        .remedy("keep the one for all addresses, or name each address")
                }
            },
            Err(_) => {
                let text = item.get_ref();
                let meant = meant(text);
                notes
                    .error(item.span(), format!("`server.listen` has {text:?}"), "an address and a port are expected")
                    .remedy(format!("write \"{meant}\""))
            }
        };
        notes.push(fault);
    }
    if items(Some(written)).is_empty() && notes.is_whole(&["server", "listen"]) {
        let fault = notes
            .error(written.span(), "`server.listen` is empty", "the server would hear nothing")
            .remedy("leave it out for port 53 on all addresses");
        notes.push(fault);
    }
    found.into_iter().map(|(address, _)| address).collect()
}

/// Whether one is for all addresses of a family and the other for one of them, at the same port.
fn overlap(one: &SocketAddr, other: &SocketAddr) -> bool {
    one.port() == other.port()
        && one.port() != 0
        && one.is_ipv4() == other.is_ipv4()
        && one.ip().is_unspecified() != other.ip().is_unspecified()
}

/// What a text that is no address with a port may have meant, without the outer quotes.
fn meant(text: &str) -> String {
    const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => (host, port.parse::<u16>().ok()),
        None => (text, None),
    };
    // "::1:53" is an address too; nobody means that one.
    if let (Ok(address), Some(port)) = (host.parse::<Ipv6Addr>(), port) {
        return SocketAddr::new(address.into(), port).to_string();
    }
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<IpAddr>() {
        Ok(address) => SocketAddr::new(address, 53).to_string(),
        Err(_) if host.eq_ignore_ascii_case("localhost") => SocketAddr::new(LOCAL, port.unwrap_or(53)).to_string(),
        Err(_) => {
            let port = port.or_else(|| text.parse().ok()).unwrap_or(53);
            format!("0.0.0.0:{port}\" or \"[::]:{port}")
        }
    }
}

/// The host's name, as the kernel has it; the file where there is no /proc.
pub(crate) fn host_name() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").or_else(|_| fs::read_to_string("/etc/hostname"));
    name.unwrap_or_default().trim().chars().filter(char::is_ascii_graphic).take(MAX_IDENTITY).collect()
}

fn identity(spec: &ServerSpec, notes: &mut Notes<'_>) -> String {
    let Some(written) = &spec.identity else { return host_name() };
    let text = &written.get_ref().0;
    if text.len() > MAX_IDENTITY || !text.bytes().all(|octet| matches!(octet, b' '..=b'~')) {
        let fault = notes.error(
            written.span(),
            "`server.identity` cannot be sent",
            format!("up to {MAX_IDENTITY} printable ASCII characters"),
        );
        notes.push(fault);
    }
    text.clone()
}

/// `[log]`.
pub(crate) fn log(spec: &LogSpec, notes: &mut Notes<'_>) -> Log {
    const LEVELS: [(&str, LogLevel); 5] = [
        ("error", LogLevel::Error),
        ("warn", LogLevel::Warn),
        ("info", LogLevel::Info),
        ("debug", LogLevel::Debug),
        ("trace", LogLevel::Trace),
    ];
    let level = spec.level.as_ref().and_then(|level| word(text(level), "log.level", &LEVELS, &[], notes));
    let formats = [("text", LogFormat::Text), ("json", LogFormat::Json)];
    let format = spec.format.as_ref().and_then(|format| word(text(format), "log.format", &formats, &[], notes));
    Log { level: level.unwrap_or(LogLevel::Info), format: format.unwrap_or(LogFormat::Text) }
}
