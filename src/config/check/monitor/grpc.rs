//! gRPC monitors: a question to `grpc.health.v1`.

use toml::Spanned;

use super::{
    Around, port,
    tls::{TlsKeys, policy},
};
use crate::{
    config::{
        notes::{Notes, join},
        spec::GrpcSpec,
    },
    engine::health::check::GrpcCheck,
};

/// `grpc`: in clear text unless `tls = true`.
pub(super) fn grpc(
    written: &Spanned<GrpcSpec>,
    monitor: &str,
    around: &mut Around<'_, '_>,
    notes: &mut Notes<'_>,
) -> GrpcCheck {
    let spec = written.get_ref();
    let path = ["monitors", monitor, "grpc"];
    let keys = TlsKeys {
        sni: spec.sni.as_ref(),
        verify: spec.verify.as_ref(),
        ca_file: spec.ca_file.as_ref(),
        expiry: spec.expiry.as_ref(),
    };
    let over_tls = spec.tls.as_ref().is_some_and(|tls| *tls.get_ref());
    if !over_tls && let Some((key, span)) = keys.first() {
        let message = format!("`{}` has no effect", join(&[path[0], path[1], path[2], key]));
        let fault = notes.error(span, message, "this monitor speaks in clear text");
        notes.push(fault.remedy("add `tls = true`, or take it out"));
    }
    if let Some(service) = &spec.service
        && !service.get_ref().bytes().all(|octet| octet.is_ascii_graphic())
    {
        let message = format!("`{}` is not a service's name", join(&[path[0], path[1], path[2], "service"]));
        let fault = notes.error(service.span(), message, "visible ASCII characters");
        notes.push(fault.remedy("write it as \"package.Service\", or \"\" for the server as a whole"));
    }
    GrpcCheck {
        port: port(spec.port.as_ref(), written.span(), &path, None, notes),
        service: spec.service.as_ref().map_or("", |service| service.get_ref()).into(),
        tls: over_tls.then(|| policy(&keys, &path, around, notes)),
    }
}
