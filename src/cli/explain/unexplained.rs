//! Why nothing can be explained, in the words of the command line.

use std::num::ParseIntError;

use ipnet::IpNet;

use crate::{
    config::dns_name::NotAName,
    sim::{Impossible, Part, Why},
};

/// Why nothing can be explained.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unexplained {
    /// What is asked for is no name.
    #[error("`{written}` is no name: {}{}", .why.cause, .why.remedy.as_ref().map(|remedy| format!("; {remedy}")).unwrap_or_default())]
    Name { written: String, why: NotAName },
    /// What is asked for is no type.
    #[error("`{0}` is no record type: write A, AAAA, MX, … or TYPE and a number")]
    Type(String),
    /// A client's prefix is longer than it says.
    #[error("`{0}` has bits set beyond its length: write {trunc}", trunc = .0.trunc())]
    Bits(IpNet),
    /// A client is no address.
    #[error("`{0}` is neither an address nor a prefix such as 192.0.2.0/24")]
    Client(String),
    /// What is to be supposed cannot be.
    #[error("{}", impossible(.0))]
    Impossible(Impossible),
}

/// A draw that is no number.
#[derive(Debug, thiserror::Error)]
#[error("{0}: up to 16 hexadecimal digits")]
pub(super) struct NotHexadecimal(#[source] pub(super) ParseIntError);

/// Why something cannot be supposed, in the words of the command line.
fn impossible(Impossible { part, named, why }: &Impossible) -> String {
    let flag = match part {
        Part::Down => "--down",
        Part::Held => "--held",
    };
    match why {
        Why::Unprobed(name) => format!("{flag} {name}: it has no monitor, so it is always up"),
        Why::Unknown(near) => format!(
            "{flag} {named}: no endpoint or region has this name, and no endpoint this address; the nearest is {near}"
        ),
        Why::Twice => format!("{flag} {named}: --down names it too; name it once"),
        Why::Alive { endpoint, region } => format!(
            "{flag} {named}: the governor holds a region once nothing in it is up, and {endpoint} is up in {region}: \
             write --held {region}"
        ),
    }
}
