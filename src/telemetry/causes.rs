//! What went wrong with a connection, in the words of people: for logs and for evidence. Must not know who asked for what.

use std::{error::Error, io, iter};

/// An error and what it came from, the outermost first.
pub fn chain<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    iter::successors(Some(error), |error: &&'e (dyn Error + 'static)| {
        let error: &'e (dyn Error + 'static) = *error;
        // What an I/O error was made from is not its source, but that one's.
        let made_from = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        made_from.map(|inner| inner as &(dyn Error + 'static)).or_else(|| error.source())
    })
}

/// What an error of the system is called, where people have better words than its own.
#[must_use]
pub fn of_system(error: &io::Error) -> Option<&'static str> {
    Some(match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused",
        io::ErrorKind::ConnectionReset => "connection reset",
        io::ErrorKind::ConnectionAborted => "connection aborted",
        io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof => "connection closed in the middle",
        io::ErrorKind::HostUnreachable => "host unreachable",
        io::ErrorKind::NetworkUnreachable => "this node has no route there",
        io::ErrorKind::TimedOut => "connection timed out",
        io::ErrorKind::PermissionDenied => "not permitted by this node's own firewall or rights",
        _ => return None,
    })
}

/// The first cause that has words, or else the innermost in its own.
#[must_use]
pub fn of(error: &(dyn Error + 'static)) -> Box<str> {
    let known = chain(error).find_map(|cause| cause.downcast_ref().and_then(of_system));
    known.map_or_else(|| innermost(error), Box::from)
}

/// The innermost cause in its own words.
#[must_use]
pub fn innermost(error: &(dyn Error + 'static)) -> Box<str> {
    chain(error).last().unwrap_or(error).to_string().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_said_is_found_however_deep_it_lies() {
        let inner = io::Error::from(io::ErrorKind::ConnectionReset);
        assert_eq!(&*of(&io::Error::other(io::Error::other(inner))), "connection reset");
        assert_eq!(&*of(&io::Error::other(io::Error::other("nobody knows"))), "nobody knows");
    }
}
