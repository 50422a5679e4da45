//! The whole machine as a file, so that windows of a day or a month survive a restart.
//!
//! A checkpoint is written beside the journal to a temporary name, synced and renamed; it carries its own hash. What cannot
//! be read, or was made by other arithmetic, is left alone and an older one or the whole journal is used instead: a checkpoint
//! saves time, it never decides what is published.

use crate::Error;
use crate::config::LiveConfig;
use crate::core::{Core, CoreSink};
use crate::setup::Setup;
use crate::state::Saved;
use barograph_domain::Ts;
use postcard::ser_flavors::Flavor;
use sha2::{Digest as _, Sha256};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// First bytes of the file: format and its version.
const MAGIC: &[u8; 8] = b"BAROCK06";
/// Version, length, SHA-256.
const HEADER: usize = 48;
/// Files kept: the newest, and one before it should the newest turn out bad.
const KEEP: usize = 2;
/// Fast enough not to matter beside making the bytes; numbers repeat a lot between markets.
const LEVEL: i32 = 1;
/// Bytes compressed at once.
const PIECE: usize = 256 * 1024;

fn folder(data: &Path) -> PathBuf {
    data.join("checkpoint")
}

/// A state that is not in its file yet.
#[derive(Debug)]
pub(crate) struct Packed {
    at: Ts,
    body: Vec<u8>,
}

/// The state of `core` as bytes. What waits for the engine goes to it first; what that makes goes into `sink`.
pub(crate) fn pack(core: &mut Core, sink: &mut dyn CoreSink) -> Result<Packed, Error> {
    core.settle(sink)?;
    let squeezed = zstd::Encoder::new(Vec::new(), LEVEL)?;
    let plain = Pieces(std::io::BufWriter::with_capacity(PIECE, squeezed));
    let plain = postcard::serialize_with_flavor(&core.save()?, plain).map_err(Error::failed)?;
    let body = plain.into_inner().map_err(|e| Error::from(e.into_error()))?.finish()?;
    Ok(Packed { at: core.at, body })
}

/// Passes bytes on as they are made: a thousand markets are some 250 MB that are never there at once.
struct Pieces<W>(W);

impl<W: std::io::Write> Flavor for Pieces<W> {
    type Output = W;
    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.try_extend(&[byte])
    }
    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.write_all(bytes).map_err(|_e| postcard::Error::SerializeBufferFull)
    }
    fn finalize(self) -> postcard::Result<W> {
        Ok(self.0)
    }
}

/// A state as a file holds it.
pub(crate) fn bytes(packed: &Packed) -> Vec<u8> {
    let mut out = header(packed).to_vec();
    out.extend_from_slice(&packed.body);
    out
}

fn header(packed: &Packed) -> [u8; HEADER] {
    let mut head = [0_u8; HEADER];
    head[..8].copy_from_slice(MAGIC);
    head[8..16].copy_from_slice(&(packed.body.len() as u64).to_le_bytes());
    head[16..].copy_from_slice(&Sha256::digest(&packed.body));
    head
}

/// Writes a state. Call it when everything published up to it is in the store: what lies before a checkpoint is not run again.
pub(crate) fn write(data: &Path, packed: &Packed) -> Result<u64, Error> {
    let folder = folder(data);
    std::fs::create_dir_all(&folder)?;
    let body = &packed.body;
    let name = folder.join(format!("{:020}.ckpt", packed.at.0));
    let temporary = name.with_extension("tmp");
    let mut file = std::fs::File::create(&temporary)?;
    file.write_all(&header(packed))?;
    file.write_all(body)?;
    file.sync_all()?;
    drop(file);
    std::fs::rename(&temporary, &name)?;
    std::fs::File::open(&folder)?.sync_all()?;
    for old in files(data)?.iter().rev().skip(KEEP) {
        std::fs::remove_file(old)?;
    }
    Ok(body.len() as u64)
}

/// Checkpoints there are, oldest first.
pub(crate) fn files(data: &Path) -> Result<Vec<PathBuf>, Error> {
    let Ok(entries) = std::fs::read_dir(folder(data)) else { return Ok(Vec::new()) };
    let mut all: Vec<PathBuf> = entries
        .map(|e| e.map(|e| e.path()))
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .filter(|p| p.extension().is_some_and(|e| e == "ckpt"))
        .collect();
    all.sort();
    Ok(all)
}

/// Reads one file.
pub(crate) fn read(path: &Path) -> Result<Saved<'static>, String> {
    parse(&std::fs::read(path).map_err(|e| e.to_string())?)
}

/// Reads what [`bytes`] made.
pub(crate) fn parse(bytes: &[u8]) -> Result<Saved<'static>, String> {
    let Some((head, body)) = bytes.split_first_chunk::<HEADER>() else { return Err("is cut short".to_owned()) };
    if head[..8] != MAGIC[..] {
        return Err("is of another version".to_owned());
    }
    let length = u64::from_le_bytes(head[8..16].try_into().map_err(|_e| "is cut short".to_owned())?);
    if body.len() as u64 != length || Sha256::digest(body)[..] != head[16..] {
        return Err("is damaged: its hash does not fit".to_owned());
    }
    let plain = zstd::decode_all(body).map_err(|e| e.to_string())?;
    postcard::from_bytes(&plain).map_err(|_e| "was written by another version".to_owned())
}

/// The machine of the newest checkpoint that can be used, and what was wrong with newer ones.
pub(crate) fn newest(
    data: &Path,
    setup: &Setup,
    sink: &mut dyn CoreSink,
) -> Result<(Option<Core>, Vec<String>), Error> {
    let mut troubles = Vec::new();
    for path in files(data)?.iter().rev() {
        match read(path).and_then(|saved| restore(saved, setup, sink)) {
            Ok(core) => return Ok((Some(core), troubles)),
            Err(why) => troubles.push(format!("the checkpoint {} {why}", path.display())),
        }
    }
    Ok((None, troubles))
}

/// The machine of a checkpoint.
pub(crate) fn restore(saved: Saved<'_>, setup: &Setup, sink: &mut dyn CoreSink) -> Result<Core, String> {
    if saved.logic_version != setup.logic_version {
        return Err(format!("belongs to {}, not to {}", saved.logic_version, setup.logic_version));
    }
    let config: LiveConfig = serde_json::from_str(&saved.config).map_err(|e| e.to_string())?;
    Core::restore(setup.clone(), config, saved, sink)
}
