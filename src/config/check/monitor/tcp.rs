//! TCP monitors: a connection, and what is said over it.

use toml::Spanned;

use super::{body::pattern, port};
use crate::{
    config::{
        notes::{Notes, join},
        spec::TcpCheckSpec,
    },
    engine::health::check::TcpCheck,
};

/// `tcp`.
pub(super) fn tcp(written: &Spanned<TcpCheckSpec>, monitor: &str, notes: &mut Notes<'_>) -> TcpCheck {
    let spec = written.get_ref();
    let path = ["monitors", monitor, "tcp"];
    if let Some(send) = &spec.send
        && send.get_ref().is_empty()
    {
        let fault = notes.error(send.span(), format!("`{}.send` is empty", join(&path)), "there is nothing to send");
        notes.push(fault.remedy("leave it out: then the target speaks first, or the connection alone counts"));
    }
    TcpCheck {
        port: port(spec.port.as_ref(), written.span(), &path, None, notes),
        send: spec.send.as_ref().map(|send| send.get_ref().as_bytes().into()),
        expect: spec.expect.as_ref().map(|expect| pattern(expect, &format!("{}.expect", join(&path)), notes).into()),
    }
}
