//! TCP monitors: a connection, and what is said over it.

use toml::Spanned;

use super::port;
use crate::{
    config::{notes::Notes, spec::TcpCheckSpec},
    engine::health::check::TcpCheck,
};

/// `tcp`.
pub(super) fn tcp(written: &Spanned<TcpCheckSpec>, monitor: &str, notes: &mut Notes<'_>) -> TcpCheck {
    let spec = written.get_ref();
    TcpCheck {
        port: port(spec.port.as_ref(), written.span(), &["monitors", monitor, "tcp"], None, notes),
        send: spec.send.as_ref().map(|send| send.get_ref().as_bytes().into()),
        expect: spec.expect.as_ref().map(|expect| expect.get_ref().0.as_str().into()),
    }
}
