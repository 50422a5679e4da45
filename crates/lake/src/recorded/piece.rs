//! What is played: files, and the members of zip archives.

use crate::columnar::Columnar;
use crate::error::Error;
use crate::lines::Lines;
use crate::source::{self, ZipMember};
use crate::{sniff, walk};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// A file, or one member of a zip archive.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Piece {
    pub(super) path: PathBuf,
    member: Option<ZipMember>,
    /// As errors show it.
    pub(super) shown: String,
}

impl Piece {
    /// A file that is no archive of several.
    pub(super) fn plain(path: &Path) -> Self {
        Self { path: path.to_owned(), member: None, shown: path.display().to_string() }
    }

    /// Every file, zip archives as their members; notes beside the data, such as a read-me, are left out.
    pub(super) fn all(files: &[PathBuf]) -> Result<Vec<Self>, Error> {
        let mut pieces = Vec::new();
        for path in files {
            let unread = |source| Error::Path { path: path.clone(), source };
            if !sniff::is_zip(path).map_err(unread)? {
                pieces.push(Self::plain(path));
                continue;
            }
            let members = source::members(path).map_err(|e| Error::Usage(format!("{} is {e}", path.display())))?;
            let notes = |name: &str| name.to_ascii_lowercase().contains("readme") || walk::is_beside(name);
            pieces.extend(members.into_iter().filter(|m| !notes(&m.name)).map(|member| Self {
                path: path.clone(),
                shown: format!("{}/{}", path.display(), member.name),
                member: Some(member),
            }));
        }
        Ok(pieces)
    }

    /// Its name without folders: of a member, the member's.
    pub(super) fn name(&self) -> &str {
        let name = self.member.as_ref().map_or(self.shown.as_str(), |m| m.name.as_str());
        name.rsplit(['/', '\\']).next().unwrap_or(name)
    }

    /// Its lines, unpacked.
    pub(super) fn lines(&self, read: &Arc<AtomicU64>) -> Result<Lines, Error> {
        let bytes = source::open(&self.path, self.member.as_ref(), read)
            .map_err(|source| Error::Path { path: self.path.clone(), source })?;
        Ok(Lines::new(bytes))
    }

    /// Which of the columnar formats it is in, if any.
    pub(super) fn columnar(&self) -> Option<Columnar> {
        let unread = Arc::default();
        let mut bytes = source::open(&self.path, self.member.as_ref(), &unread).ok()?;
        let head = std::io::BufRead::fill_buf(&mut bytes).ok()?;
        if head.starts_with(b"PAR1") {
            Some(Columnar::Parquet)
        } else if head.starts_with(b"ARROW1") {
            Some(Columnar::Feather)
        } else {
            None
        }
    }
}
