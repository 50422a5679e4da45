//! The parts of a cluster, by the words of the settings.

/// What a process of a cluster does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum ClusterRole {
    /// Everything, without a cluster.
    #[default]
    All,
    /// Listens to venues, writes the journal, sends it on.
    Ingest,
    /// Makes minutes of groups of markets.
    Engine,
    /// Makes hours between markets and the forecast ledger, and delivers messages.
    Universe,
    /// Answers from the database.
    Serve,
}

impl ClusterRole {
    /// Every role by its word.
    pub(crate) const WORDS: [(&'static str, Self); 5] = [
        ("all", Self::All),
        ("ingest", Self::Ingest),
        ("engine", Self::Engine),
        ("universe", Self::Universe),
        ("serve", Self::Serve),
    ];
}
