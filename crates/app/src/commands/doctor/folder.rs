//! The data folder: may it be written, who writes there, is there room for what is to be kept.

use super::Finding;
use crate::config::Settings;
use crate::failure::Failure;
use barograph_live::replay::journal_folder;
use barograph_store::WriterRole;
use std::fs::{File, TryLockError};
use std::path::Path;

/// A live process with three markets and books writes about this much a day; less than a day's room is bad.
const ROOM_MIN: u64 = 1_000_000_000;

pub(super) fn inspect(settings: &Settings) -> Result<Vec<Finding>, Failure> {
    let data = &settings.data;
    // What does not exist yet is made where its nearest ancestor is.
    let there = data.ancestors().find(|p| p.is_dir()).unwrap_or_else(|| Path::new("."));
    let there = if there.as_os_str().is_empty() { Path::new(".") } else { there };
    let mut out = vec![permission(data, there)];
    if let Err(failure) = crate::network_folder::refuse(data) {
        let text = failure.text().unwrap_or_default();
        out.push(Finding::bad("data folder", text, "no command goes on with a folder of another machine"));
    }
    if data.is_dir() {
        let roles = WriterRole::ALL.into_iter().chain([WriterRole::Delivery]);
        out.extend(roles.filter_map(|role| held(data, role)));
    }
    let used = bytes_below(&journal_folder(data));
    let budget = settings.journal_bytes_max();
    out.push(room(there, used, budget));
    Ok(out)
}

fn permission(data: &Path, there: &Path) -> Finding {
    match tempfile::tempfile_in(there) {
        Ok(_) if data.is_dir() => Finding::ok("data folder", format!("{} can be written", data.display())),
        Ok(_) => Finding::ok("data folder", format!("{} will be made", data.display())),
        Err(e) => Finding::bad(
            "data folder",
            format!("{} cannot be written: {e}", there.display()),
            "give this user the right to write there, or choose another with --data",
        ),
    }
}

/// Another process that writes here, if there is one.
fn held(data: &Path, role: WriterRole) -> Option<Finding> {
    let path = data.join(format!("{}.lock", role.name()));
    let file = File::open(&path).ok()?;
    match file.try_lock_shared() {
        Ok(()) => None,
        Err(TryLockError::WouldBlock) => {
            let pid = std::fs::read_to_string(&path).unwrap_or_default();
            let text = format!("process {} writes here ({})", pid.trim(), role.name());
            Some(Finding::warn("data folder", text, "a second `up` or `collect` will be refused; reading is fine"))
        }
        Err(TryLockError::Error(e)) => Some(Finding::warn(
            "data folder",
            format!("{} cannot be locked: {e}", path.display()),
            "use a file system with locks, so that two writers cannot meet",
        )),
    }
}

fn room(there: &Path, used: u64, budget: u64) -> Finding {
    let gb = |bytes: u64| format!("{:.1} GB", bytes as f64 / 1e9);
    let Some(free) = free_bytes(there) else {
        return Finding::warn("disk", "free space cannot be read on this system", "look yourself");
    };
    let text = format!("{} free; journal {} of its budget of {}", gb(free), gb(used), gb(budget));
    if free < ROOM_MIN {
        return Finding::bad("disk", text, "free some, or move the data folder with --data");
    }
    if free < budget.saturating_sub(used) {
        return Finding::warn(
            "disk",
            text,
            "the disk will be full before the budget is: lower keep_journal_gb or keep_journal_days",
        );
    }
    Finding::ok("disk", text)
}

#[cfg(unix)]
fn free_bytes(there: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(there).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}

#[cfg(not(unix))]
fn free_bytes(_there: &Path) -> Option<u64> {
    None
}

fn bytes_below(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => bytes_below(&entry.path()),
            Ok(meta) => meta.len(),
            // It may have been removed by retention meanwhile.
            Err(_) => 0,
        })
        .sum()
}
