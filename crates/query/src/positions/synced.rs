//! What became of the entries of the positions file, in words.

use barograph_domain::text::number_of;
use std::path::Path;

/// One reading of the file, held against what is registered.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Synced {
    /// Positions that were taken up, changed or taken out.
    pub changed: usize,
    /// Entries that are watched: as the file has them now, or as it had them before.
    pub watched: usize,
    /// Positions the file lists no more, which stay while an entry is refused.
    pub left: usize,
    /// What stands in the way.
    pub problems: Vec<String>,
}

impl Synced {
    /// The problems, and how many of the file's entries are watched.
    pub fn lines(&self, entries: usize, path: &Path) -> Vec<String> {
        let mut lines = self.problems.clone();
        let left = match self.left {
            0 => String::new(),
            1 => "; 1 that it lists no more is watched until every entry is taken up".to_owned(),
            n => format!("; {n} that it lists no more are watched until every entry is taken up"),
        };
        let of = number_of(entries, "position");
        lines.push(match self.watched {
            0 => format!("none of {of} of {} is watched{left}", path.display()),
            1 => format!("1 of {of} of {} is watched{left}", path.display()),
            n => format!("{n} of {of} of {} are watched{left}", path.display()),
        });
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_watched_is_counted() {
        let path = Path::new("p.toml");
        let kept = Synced { watched: 1, problems: vec!["refused".to_owned()], ..Synced::default() };
        assert_eq!(kept.lines(1, path), ["refused", "1 of 1 position of p.toml is watched"]);
        let renamed = Synced { left: 1, watched: 0, ..kept };
        let said =
            "none of 1 position of p.toml is watched; 1 that it lists no more is watched until every entry is taken up";
        assert_eq!(renamed.lines(1, path), ["refused", said]);
    }
}
