//! A question as a line asks it.

use super::super::{
    line::{Fault, fault},
    words::{address, name, prefix},
};
use crate::{engine::wire::rr::RrType, sim::Ask};

/// The resolver that sends questions without `by`: nothing is known of where it is.
pub(super) const RESOLVER: [u8; 4] = [9, 9, 9, 9];

pub(super) fn ask(name: &str, rtype: &str, rest: &[&str]) -> Result<Ask, Fault> {
    let name = self::name(name)?;
    let rtype = RrType::from_text(rtype).ok_or_else(|| {
        fault(format!("{rtype} is no record type"), "write A, AAAA, HTTPS, TXT, … or TYPE and a number")
    })?;
    let mut question = Ask { name, rtype, subnet: None, source: RESOLVER.into() };
    for pair in rest.chunks(2) {
        match pair {
            ["from", text] => question.subnet = Some(prefix(text)?),
            ["by", text] => question.source = address(text)?,
            other => {
                let cause = format!("`{}` is no part of a question", other.join(" "));
                return Err(fault(cause, "write `ask NAME TYPE [from PREFIX] [by RESOLVER]`"));
            }
        }
    }
    Ok(question)
}
