//! An explanation for people: aligned columns, one stage after the other.

use std::io::{self, Write};

use crate::explain::{Explanation, PoolPart};

/// Prints it.
pub(super) fn write(told: &Explanation, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "question  {} {}, client {}, sent by {}", told.name, told.rtype, told.client, told.source)?;
    let supposed: Vec<String> = [("down", &told.supposed.down), ("held", &told.supposed.held)]
        .iter()
        .filter(|(_, named)| !named.is_empty())
        .map(|(what, named)| format!("{what}: {}; ", named.join(", ")))
        .collect();
    if supposed.is_empty() {
        writeln!(out, "suppose   everything is up; the running server may know better")?;
    } else {
        writeln!(out, "suppose   {}everything else up", supposed.concat())?;
    }
    for line in &told.supposed.governor {
        writeln!(out, "governor  {line}")?;
    }
    match &told.service {
        Some(service) => writeln!(out, "service   {service}")?,
        None if told.rcode == "REFUSED" => writeln!(out, "service   none")?,
        None => writeln!(out, "service   none: the zone file answers")?,
    }
    if let Some(at) = &told.location {
        writeln!(out, "client    {} by {}", at.address, at.basis)?;
        writeln!(out, "location  {} ({}), block {}", at.place, at.known_from, at.block)?;
    }
    for line in &told.first {
        writeln!(out, "first     {line}")?;
    }
    for pool in &told.pools {
        write_pool(pool, out)?;
    }
    if let Some(rung) = told.rung {
        writeln!(out, "rung      {rung}")?;
    }
    write!(out, "answer    {}", told.rcode)?;
    match told.answer.as_slice() {
        [] => writeln!(out, ", no records")?,
        records => {
            writeln!(out)?;
            for record in records {
                writeln!(out, "            {record}")?;
            }
        }
    }
    for record in &told.authority {
        writeln!(out, "            authority: {record}")?;
    }
    for record in &told.additional {
        writeln!(out, "            additional: {record}")?;
    }
    for target in &told.targets {
        writeln!(out, "target    {}", target.line())?;
    }
    if let Some(note) = &told.note {
        writeln!(out, "because   {note}")?;
    }
    if let Some(ttl) = &told.ttl {
        writeln!(out, "ttl       {} s: {}", ttl.seconds, ttl.from)?;
    }
    if let Some(scope) = &told.scope {
        writeln!(out, "scope     /{}: {}", scope.bits, scope.from)?;
    }
    if told.unkeyed {
        writeln!(out, "draws     not the server's: it makes its secret at its first start, and there is none yet")?;
    }
    if let Some(draw) = &told.repeat_draw {
        writeln!(out, "repeat    --draw {draw}")?;
    }
    Ok(())
}

fn write_pool(pool: &PoolPart, out: &mut dyn Write) -> io::Result<()> {
    let hints = pool.hints.as_ref().map_or_else(String::new, |family| format!(", for the {family} hints"));
    writeln!(out, "pool      {}{hints}, policy {}: {}", pool.pool, pool.policy, pool.rules)?;
    if let Some(catchment) = &pool.catchment {
        writeln!(out, "          catchment {catchment}")?;
    }
    let mut rows = vec![vec!["endpoint".to_owned(), "region".into(), "weight".into(), "health".into()]];
    let keys = pool.candidates.iter().map(|c| &c.values).max_by_key(|v| v.len());
    rows[0].extend(keys.into_iter().flatten().map(|v| v.key.to_owned()));
    let width = rows[0].len();
    rows[0].push("verdict".into());
    for candidate in &pool.candidates {
        let mut row = vec![
            candidate.endpoint.clone(),
            candidate.region.clone(),
            candidate.weight.to_string(),
            candidate.health.to_owned(),
        ];
        row.extend(candidate.values.iter().map(|v| v.value.clone()));
        row.resize(width, "-".into());
        row.push(candidate.verdict.clone());
        rows.push(row);
    }
    let widths: Vec<usize> =
        (0..=width).map(|n| rows.iter().filter_map(|r| r.get(n)).map(String::len).max().unwrap_or(0)).collect();
    for row in &rows {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        writeln!(out, "            {}", cells.join("  ").trim_end())?;
    }
    for because in &pool.because {
        writeln!(out, "          {because}")?;
    }
    for draw in &pool.draws {
        writeln!(out, "          draw {draw}")?;
    }
    if let Some(why) = pool.passed_over {
        writeln!(out, "          passed over: {why}")?;
    }
    Ok(())
}
