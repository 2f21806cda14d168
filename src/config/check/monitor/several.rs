//! Monitors of monitors: `any`, `all` and `at_least`.

use toml::Spanned;

use super::{Around, required};
use crate::{
    config::{
        check::value::{element, items, whole},
        notes::{Notes, join},
        spec::{AtLeastSpec, Field, List},
    },
    engine::{health::monitor::Watch, types::MonitorId},
};

/// `any`: one of them is enough.
pub(super) fn any(of: &Spanned<List>, monitor: &str, around: &mut Around<'_, '_>, notes: &mut Notes<'_>) -> Watch {
    Watch::Several { needed: 1, of: named(List::items(of), &["monitors", monitor, "any"], around, notes) }
}

/// `all` of them.
pub(super) fn all(of: &Spanned<List>, monitor: &str, around: &mut Around<'_, '_>, notes: &mut Notes<'_>) -> Watch {
    let of = named(List::items(of), &["monitors", monitor, "all"], around, notes);
    Watch::Several { needed: of.len() as u32, of }
}

/// `at_least` so many of them.
pub(super) fn at_least(
    written: &Spanned<AtLeastSpec>,
    monitor: &str,
    around: &mut Around<'_, '_>,
    notes: &mut Notes<'_>,
) -> Watch {
    let path = ["monitors", monitor, "at_least"];
    let spec = written.get_ref();
    if spec.n.is_none() {
        required("n", "n = 2", written.span(), &path, notes);
    }
    let list: &Field<List> = &spec.of;
    let of = named(items(list.as_ref()), &[path[0], path[1], path[2], "of"], around, notes);
    let most = of.len().max(1) as i64;
    let needed = whole(spec.n.as_ref(), &join(&[path[0], path[1], path[2], "n"]), 1, 1..=most, notes) as u32;
    Watch::Several { needed, of }
}

fn named(
    list: Vec<Spanned<String>>,
    path: &[&str],
    around: &mut Around<'_, '_>,
    notes: &mut Notes<'_>,
) -> Vec<MonitorId> {
    let what = format!("`{}`", join(path));
    list.iter()
        .filter_map(|name| around.names.find(&element(name), &what, notes))
        .map(|at| MonitorId(at as u32))
        .collect()
}
