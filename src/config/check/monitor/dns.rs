//! DNS monitors: a query and what is expected of the response.

use toml::Spanned;

use super::{port, required};
use crate::{
    config::{check::value::items, notes::Notes, spec::DnsSpec},
    engine::health::check::DnsCheck,
};

/// `dns`.
pub(super) fn dns(written: &Spanned<DnsSpec>, monitor: &str, notes: &mut Notes<'_>) -> DnsCheck {
    let spec = written.get_ref();
    let path = ["monitors", monitor, "dns"];
    if spec.name.is_none() {
        required("name", "name = \"canary.example.com\"", written.span(), &path, notes);
    }
    DnsCheck {
        port: port(spec.port.as_ref(), written.span(), &path, Some(53), notes),
        name: spec.name.as_ref().map_or("", |name| name.get_ref()).into(),
        rtype: spec.r#type.as_ref().map_or("A", |rtype| rtype.get_ref()).into(),
        expect: items(spec.expect.as_ref()).into_iter().map(|item| item.into_inner().into()).collect(),
    }
}
