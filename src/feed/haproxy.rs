//! HAProxy's statistics as CSV: the header names the columns, the row is a backend's or a server's.

use csv::{ReaderBuilder, StringRecord, Trim};

use super::{
    error::ReadError,
    reading::{Reading, number, unlike},
};
use crate::probing::pull::HaproxyField;

/// The name that the sum of a backend has in the place of a server's.
const SUM: &str = "BACKEND";

/// Reads a page.
pub(super) fn read(text: &str, backend: &str, server: Option<&str>, field: HaproxyField) -> Result<Reading, ReadError> {
    const EXPECTED: &str = "HAProxy's statistics as CSV";
    let Some(page) = text.trim_start().strip_prefix('#') else { return Err(unlike(text, EXPECTED)) };
    let page = page.trim_start_matches([' ', '\t']);
    let mut reader = ReaderBuilder::new().flexible(true).trim(Trim::All).from_reader(page.as_bytes());
    let headers = reader.headers().map_err(|_| unlike(text, EXPECTED))?.clone();
    let column = |name: &str| headers.iter().position(|header| header == name);
    let (Some(proxy), Some(of)) = (column("pxname"), column("svname")) else { return Err(unlike(text, EXPECTED)) };
    let Some(wanted) = column(field.name) else {
        return Err(ReadError::NoColumn(field.name));
    };
    let name = server.unwrap_or(SUM);
    let mut is_there = false;
    let mut row = StringRecord::new();
    while reader.read_record(&mut row).map_err(|_| unlike(text, EXPECTED))? {
        if row.get(proxy) != Some(backend) {
            continue;
        }
        is_there = true;
        if row.get(of) == Some(name) {
            let value = row.get(wanted).unwrap_or_default();
            if value.is_empty() {
                return Err(ReadError::EmptyColumn {
                    column: field.name,
                    backend: backend.into(),
                    server: name.into(),
                });
            }
            let value = number(value)?;
            return Ok(if field.counts { Reading::total(value) } else { Reading::now(value) });
        }
    }
    Err(match server {
        Some(server) if is_there => ReadError::NoServer { server: server.into(), backend: backend.into() },
        _ => ReadError::NoBackend(backend.into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probing::pull::HAPROXY_FIELDS;

    const PAGE: &str = "# pxname,svname,qcur,qmax,scur,smax,slim,stot,last_chk,\n\
        web,FRONTEND,,,7,9,2000,70,,\n\
        web,one,0,0,3,4,,30,\"a \"\"quoted\"\", text\",\n\
        web,BACKEND,1,2,5,6,200,60,,\n\
        other,BACKEND,0,0,nan,0,200,-1,,\n";

    fn field(name: &str) -> HaproxyField {
        *HAPROXY_FIELDS.iter().find(|field| field.name == name).expect(name)
    }

    #[test]
    fn a_row_is_found_by_names_and_a_column_by_the_header() {
        assert_eq!(read(PAGE, "web", None, field("scur")), Ok(Reading::now(5.0)));
        assert_eq!(read(PAGE, "web", Some("one"), field("scur")), Ok(Reading::now(3.0)));
        assert_eq!(read(PAGE, "web", None, field("qcur")), Ok(Reading::now(1.0)));
        assert_eq!(read(PAGE, "web", None, field("stot")), Ok(Reading::total(60.0)));
        let ended = PAGE.replace('\n', "\r\n").replace("web,BACKEND,1,", " web , BACKEND , 1 ,");
        assert_eq!(read(&format!("\r\n{ended}"), "web", None, field("qcur")), Ok(Reading::now(1.0)));
        let turned = "# svname,scur,pxname\nBACKEND,8,web\n";
        assert_eq!(read(turned, "web", None, field("scur")), Ok(Reading::now(8.0)));
    }

    #[test]
    fn what_is_not_there_is_told() {
        let told = |page: &str, backend: &str, server: Option<&str>, name: &str| {
            read(page, backend, server, field(name)).expect_err("nothing to read").to_string()
        };
        assert_eq!(told(PAGE, "shop", None, "scur"), "there is no backend \"shop\"");
        assert_eq!(told(PAGE, "web", Some("two"), "scur"), "there is no server \"two\" in the backend \"web\"");
        assert_eq!(told(PAGE, "web", None, "rate"), "this HAProxy has no column `rate`");
        assert_eq!(told(PAGE, "web", Some("FRONTEND"), "qcur"), "`qcur` of web/FRONTEND is empty");
        assert_eq!(told("<html><body>", "web", None, "scur"), "the page is HTML, not HAProxy's statistics as CSV");
        assert!(told("# a,b\n1,2\n", "web", None, "scur").starts_with("the page is not HAProxy's"));
        assert!(told("", "web", None, "scur").contains("empty"));
    }
}
