//! A region's stand-in: a small HTTP/1.1 server in the place of a load balancer, switched over HTTP.

use std::{
    fmt, future, io,
    io::Write,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task, time,
};

use super::{processes::Tie, regions::Region, say::say, taken::Holder};
use crate::{
    app::Signals,
    cli::exit::{Exit, fail},
};

/// The longest head of a request.
const MAX_HEAD: usize = 8192;
/// How long a request may take to arrive.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a slow region takes for an answer.
const SLOW: Duration = Duration::from_secs(2);

/// How the region behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Manner {
    fails: bool,
    is_slow: bool,
    load: u32,
}

/// Is `region` until a signal ends it, the demo that uses this port ends or, when `tied`, standard input does.
pub(super) async fn run(
    region: &'static Region,
    port: u16,
    tied: bool,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Exit {
    let address = region.at(port);
    let listener = match TcpListener::bind(address).await {
        Ok(listener) => listener,
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            return fail(err, &taken(region, address));
        }
        Err(error) => return fail(err, &format!("cannot listen on {address}: {error}")),
    };
    let mut signals = match Signals::of_terminal() {
        Ok(signals) => signals,
        Err(error) => return fail(err, &format!("signals cannot be heard: {error}")),
    };
    let mut tie = if tied { None } else { Tie::to(port) };
    let ends = match &tie {
        _ if tied => String::new(),
        Some(Tie { demo: Some(demo), .. }) => format!("; it ends with the demo, process {demo}, or with Ctrl-C"),
        Some(_) => "; it ends with the demo, or with Ctrl-C".into(),
        None => format!("; no demo uses port {port} for its regions, so only Ctrl-C ends it"),
    };
    say(out, &format!("{} is at http://{address}{ends}\n", region.name));
    let (said, mut lines) = mpsc::unbounded_channel();
    let manner = Arc::new(Mutex::new(Manner::default()));
    let input = end_of_input(tied);
    tokio::pin!(input);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let (manner, said) = (Arc::clone(&manner), said.clone());
                    tokio::spawn(async move {
                        // A client that goes away is its own business.
                        let _ = time::timeout(PATIENCE, serve(stream, region, &manner, &said)).await;
                    });
                }
                // Out of sockets, say: a moment helps, spinning does not.
                Err(_) => time::sleep(Duration::from_millis(100)).await,
            },
            Some(line) = lines.recv() => say(out, &format!("{line}\n")),
            _ = signals.end() => return Exit::Fine,
            () = &mut input => return Exit::Fine,
            () = demo_ended(&mut tie) => return Exit::Fine,
        }
    }
}

/// Returns when the demo has ended, if there is one.
async fn demo_ended(tie: &mut Option<Tie>) {
    match tie {
        Some(tie) => tie.ended().await,
        None => future::pending().await,
    }
}

/// What to say when a region's address is taken.
fn taken(region: &Region, address: SocketAddr) -> String {
    let by = Holder::of(address).map_or(String::new(), |holder| format!(" by {holder}"));
    format!(
        "{address}, where region {} is to listen, is taken{by}; end that process, or choose another port with \
         --region-port, as in --region-port {}",
        region.name,
        address.port().wrapping_add(1).max(1024)
    )
}

/// Returns when standard input has ended, if the region is tied to it.
async fn end_of_input(tied: bool) {
    if !tied {
        return future::pending().await;
    }
    let _ = task::spawn_blocking(|| io::copy(&mut io::stdin(), &mut io::sink())).await;
}

async fn serve(
    mut stream: TcpStream,
    region: &Region,
    manner: &Mutex<Manner>,
    said: &mpsc::UnboundedSender<String>,
) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if head.len() > MAX_HEAD || stream.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    }
    let line = String::from_utf8_lossy(&head);
    let mut words = line.split_ascii_whitespace();
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (reply, delay) = {
        let mut manner = manner.lock().unwrap_or_else(PoisonError::into_inner);
        let before = *manner;
        let reply = manner.answer(region, method, path);
        if *manner != before {
            // It ends with the process.
            let _ = said.send(format!("{} was told: {manner}", region.name));
        }
        (reply, manner.is_slow && path == "/health")
    };
    if delay {
        time::sleep(SLOW).await;
    }
    let Reply { status, body } = reply;
    let text = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/plain\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(text.as_bytes()).await?;
    stream.shutdown().await
}

#[derive(Debug, PartialEq, Eq)]
struct Reply {
    status: &'static str,
    body: String,
}

impl Manner {
    /// What a request gets, and what it changes.
    fn answer(&mut self, region: &Region, method: &str, path: &str) -> Reply {
        let reply = |status, body: String| Reply { status, body };
        let load = path.strip_prefix("/load/").and_then(|number| number.parse().ok());
        match (method, path, load) {
            ("GET", "/", _) => reply("200 OK", format!("{}\n", region.name)),
            ("GET", "/health", _) if self.fails => reply("503 Service Unavailable", "failing\n".into()),
            ("GET", "/health", _) => reply("200 OK", "ok\n".into()),
            ("GET", "/load", _) => reply("200 OK", format!("{{\"load\":{}}}\n", self.load)),
            ("POST", "/fail", _) => self.change(Self { fails: true, ..*self }),
            ("POST", "/slow", _) => self.change(Self { is_slow: true, ..*self }),
            ("POST", "/heal", _) => self.change(Self { fails: false, is_slow: false, ..*self }),
            ("POST", _, Some(load)) => self.change(Self { load, ..*self }),
            (_, "/" | "/health" | "/load" | "/fail" | "/slow" | "/heal", _) | (_, _, Some(_)) => {
                reply("405 Method Not Allowed", "GET to look, POST to switch\n".into())
            }
            _ => reply("404 Not Found", "GET /health, /load; POST /fail, /slow, /heal, /load/NUMBER\n".into()),
        }
    }

    fn change(&mut self, to: Self) -> Reply {
        *self = to;
        Reply { status: "200 OK", body: format!("{self}\n") }
    }
}

impl fmt::Display for Manner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = if self.fails { 503 } else { 200 };
        let pace = if self.is_slow { "after 2 s" } else { "at once" };
        write!(f, "/health answers {status} {pace}, /load says {}", self.load)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::regions::REGIONS, *};

    #[test]
    fn a_region_is_switched_by_requests() {
        let mut manner = Manner::default();
        for (request, status, body) in [
            ("GET /health", "200", "ok\n"),
            ("GET /load", "200", "{\"load\":0}\n"),
            ("GET /", "200", "us-east\n"),
            ("GET /fail", "405", "GET to look"),
            ("GET /health", "200", "ok\n"),
            ("POST /fail", "200", "/health answers 503 at once, /load says 0\n"),
            ("GET /health", "503", "failing\n"),
            ("POST /slow", "200", "/health answers 503 after 2 s, /load says 0\n"),
            ("POST /load/900", "200", "/health answers 503 after 2 s, /load says 900\n"),
            ("POST /heal", "200", "/health answers 200 at once, /load says 900\n"),
            ("GET /load", "200", "{\"load\":900}\n"),
            ("POST /load/many", "404", "GET /health"),
            ("GET /elsewhere", "404", "GET /health"),
        ] {
            let (method, path) = request.split_once(' ').unwrap();
            let reply = manner.answer(&REGIONS[0], method, path);
            assert!(reply.status.starts_with(status) && reply.body.starts_with(body), "{request}: {reply:?}");
        }
    }
}
