//! What went wrong with a connection, in the words of people: for logs and for evidence. Must not know what the connection
//! was for.

pub mod tls;

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
    let known = chain(error).find_map(|cause| match cause.downcast_ref() {
        Some(error) => Some(tls::sentence(error)),
        None => cause.downcast_ref().and_then(of_system).map(Box::from),
    });
    known.unwrap_or_else(|| innermost(error))
}

/// The innermost cause: in better words than its own where there are some.
#[must_use]
pub fn innermost(error: &(dyn Error + 'static)) -> Box<str> {
    let own = chain(error).last().unwrap_or(error).to_string();
    let better = HTTP.iter().find(|(theirs, _)| own.starts_with(theirs)).map(|(_, ours)| (*ours).to_owned());
    better.unwrap_or(own).into()
}

/// How the HTTP library begins what it says, and what people say.
const HTTP: [(&str, &str); 13] = [
    ("message head is too large", "the head of its answer is too long: beyond 2000 fields, or some 400 KiB"),
    ("invalid HTTP version parsed", "it does not answer in HTTP/1"),
    ("invalid HTTP status-code parsed", "its answer has no HTTP status"),
    ("invalid HTTP header parsed", "its answer has a header that cannot be read"),
    ("invalid content-length parsed", "its answer has a Content-Length that is no number, or several that differ"),
    (
        "unexpected transfer-encoding parsed",
        "its answer is HTTP/1.0 and has a Transfer-Encoding, which 1.0 does not know",
    ),
    ("connection closed before message completed", CUT),
    ("end of file before message length reached", CUT),
    ("Invalid chunk", CHUNKS),
    ("invalid chunk", CHUNKS),
    ("chunk ", CHUNKS),
    ("Invalid trailer", CHUNKS),
    ("Invalid header", CHUNKS),
];

const CUT: &str = "connection closed in the middle";
const CHUNKS: &str = "the chunks of its answer's body cannot be read";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_said_is_found_however_deep_it_lies() {
        let inner = io::Error::from(io::ErrorKind::ConnectionReset);
        assert_eq!(&*of(&io::Error::other(io::Error::other(inner))), "connection reset");
        assert_eq!(&*of(&io::Error::other(io::Error::other("no such thing"))), "no such thing");
    }

    #[test]
    fn what_the_http_library_says_is_said_in_other_words() {
        let of = |text: &str| innermost(&io::Error::other(text));
        assert_eq!(&*of("Invalid chunk size line: Invalid Size"), CHUNKS);
        assert_eq!(&*of("connection closed before message completed"), CUT);
    }

    #[test]
    fn a_fault_of_tls_is_a_sentence_however_deep_it_lies() {
        let fault = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let error = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, fault));
        assert_eq!(&*of(&error), "certificate is signed by no authority that is trusted");
    }
}
