//! What a load is: how old a report may be, and how much the reports before it still count. Plain data.

/// A configured source of load reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Load {
    /// The name in the configuration, by which pools name it.
    pub name: Box<str>,
    /// Milliseconds after which a report counts no more.
    pub max_age: u64,
    /// Half-life of the smoothing in milliseconds; 0: every report counts as it is.
    pub smooth: u64,
}
