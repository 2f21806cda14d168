//! How serde writes a map whose keys are no texts: as a list of pairs of key and value, in the order of the map. For
//! `#[serde(with = "entries")]`. Must not know what the map is of.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Writes the map.
///
/// # Errors
/// What the serializer says.
pub fn serialize<'m, M, K, V, S>(map: &'m M, serializer: S) -> Result<S::Ok, S::Error>
where
    &'m M: IntoIterator<Item = (&'m K, &'m V)>,
    K: Serialize + 'm,
    V: Serialize + 'm,
    S: Serializer,
{
    serializer.collect_seq(map)
}

/// Reads the map.
///
/// # Errors
/// What the deserializer says.
pub fn deserialize<'de, M, K, V, D>(deserializer: D) -> Result<M, D::Error>
where
    M: FromIterator<(K, V)>,
    K: Deserialize<'de>,
    V: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Ok(Vec::<(K, V)>::deserialize(deserializer)?.into_iter().collect())
}
