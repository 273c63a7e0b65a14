//! Backup and restore: everything a collector has in a folder of its own, while it runs.
//!
//! Comes in: a data directory. Goes out: a copy from which a collector goes on, with the SHA-256 of every file
//! ([`backup`]); and a data directory made of such a copy ([`restore`]). Nothing is stopped for it. What makes the copy
//! whole is the order:
//!
//! 1. the windows of detection, because they may be behind the index and never ahead of it;
//! 2. the journal as it is now, so that nothing the index lacks can be deleted meanwhile;
//! 3. the index: its position first, then each partition between two looks at its unchanged `meta.json`;
//! 4. everything else, alerts among it: they may be ahead of the index, because they are recognised by their ids;
//! 5. the journal's end.
//!
//! Started from the copy, a collector indexes what the journal has and the index has not, as after a crash. What came after
//! the backup is with the sensors or lost to it. The copy holds the authority's key: whoever has it can be this collector.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::fleet::store as files;

/// The list of digests in a backup.
const SUMS: &str = "SHA256SUMS";
/// What a backup says of itself.
const ABOUT: &str = "backup.json";
/// The form of backups that this program writes and reads.
const FORMAT: &str = "luytre-collector-backup/1";
/// So often a partition is begun again that changed while it was copied.
const TRIES: usize = 100;
/// Files of a running program that mean nothing to another one.
const PASSED_OVER: [&str; 1] = ["api.sock"];

/// `backup.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct About {
    /// [`FORMAT`].
    pub format: String,
    /// The program's version.
    pub version: String,
    /// When it was begun, RFC 3339.
    pub begun: String,
    /// Files in it.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Told of every file: its name, and bytes so far.
pub type Progress<'p> = &'p mut dyn FnMut(&str, u64);

struct Copy<'c> {
    from: &'c Path,
    to: &'c Path,
    sums: BTreeMap<String, (String, u64)>,
    bytes: u64,
    progress: Progress<'c>,
}

/// Copies the data in `data` to `to`, a folder that must not be there yet.
pub fn backup(data: &Path, to: &Path, progress: Progress<'_>) -> anyhow::Result<About> {
    ensure!(data.join("index").is_dir(), "{} holds no data of a collector", data.display());
    ensure!(!to.exists(), "{} is there already; name a new folder", to.display());
    let data = data.canonicalize().with_context(|| format!("look at {}", data.display()))?;
    let beside = to.with_extension("part");
    // What a backup that broke off has left.
    remove(&beside)?;
    files::make_folder(&beside).with_context(|| format!("make {}", beside.display()))?;
    let beside = beside.canonicalize().with_context(|| format!("look at {}", beside.display()))?;
    ensure!(!beside.starts_with(&data), "a backup cannot stand in the data it is of; name another folder");
    let begun = jiff::Timestamp::now().to_string();
    let mut copy = Copy { from: &data, to: &beside, sums: BTreeMap::new(), bytes: 0, progress };
    let made = copy.all().and_then(|()| copy.finish(begun));
    let about = made.inspect_err(|_| drop(remove(&beside)))?;
    std::fs::rename(&beside, to).with_context(|| format!("name the backup {}", to.display()))?;
    Ok(about)
}

fn remove(folder: &Path) -> anyhow::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

impl Copy<'_> {
    fn all(&mut self) -> anyhow::Result<()> {
        self.file("detect/windows.bin")?;
        self.folder("journal")?;
        let (sets, positions) = self.list("index")?;
        positions.iter().try_for_each(|file| self.file(&format!("index/{file}")))?;
        for set in sets {
            let set = format!("index/{set}");
            for partition in self.list(&set)?.0 {
                self.partition(&format!("{set}/{partition}"))?;
            }
        }
        // Items of the evidence before their contents, so that each has its own.
        self.folder("evidence/items")?;
        let (folders, plain) = self.list("")?;
        for folder in folders.iter().filter(|name| !["index", "journal"].contains(&name.as_str())) {
            self.folder(folder)?;
        }
        for file in plain.iter().filter(|name| !PASSED_OVER.contains(&name.as_str())) {
            self.file(file)?;
        }
        self.folder("journal")
    }

    /// The folders and files in a folder, by name; nothing where there is none.
    fn list(&self, name: &str) -> anyhow::Result<(BTreeSet<String>, BTreeSet<String>)> {
        let path = self.from.join(name);
        let (mut folders, mut plain) = (BTreeSet::new(), BTreeSet::new());
        let entries = match std::fs::read_dir(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((folders, plain)),
            entries => entries.with_context(|| format!("look into {}", path.display()))?,
        };
        for entry in entries {
            let entry = entry.with_context(|| format!("look into {}", path.display()))?;
            // One that was removed meanwhile is none.
            let Ok(kind) = entry.file_type() else { continue };
            let name = entry.file_name().into_string();
            let name = name.map_err(|name| anyhow::anyhow!("{} is a name that is no text", name.to_string_lossy()))?;
            if kind.is_dir() {
                folders.insert(name);
            } else if kind.is_file() {
                plain.insert(name);
            }
        }
        Ok((folders, plain))
    }

    /// A folder with all below it. What was copied before stays as it was then, but for the journal, which grows.
    fn folder(&mut self, name: &str) -> anyhow::Result<()> {
        let (folders, plain) = self.list(name)?;
        for file in plain {
            let file = format!("{name}/{file}");
            // Journal segments only grow: of most there is nothing new in the second round.
            let length = || std::fs::metadata(self.from.join(&file)).map(|meta| meta.len()).ok();
            let is_copied = self.sums.get(&file).is_some_and(|(_, bytes)| match file.starts_with("journal/") {
                true => length() == Some(*bytes),
                false => true,
            });
            if !is_copied && !file.contains("/.new-") && !file.starts_with("evidence/new/") {
                self.file(&file)?;
            }
        }
        folders.iter().try_for_each(|folder| self.folder(&format!("{name}/{folder}")))
    }

    /// A partition of the index: what its `meta.json` names is there as long as that stays the same.
    fn partition(&mut self, name: &str) -> anyhow::Result<()> {
        let meta = self.from.join(name).join("meta.json");
        for _ in 0..TRIES {
            // One that was retired, or is only being made.
            let Ok(before) = std::fs::read(&meta) else { return Ok(()) };
            let copied = self.list(name).and_then(|(_, plain)| {
                let wanted = plain.iter().filter(|file| !file.ends_with(".lock"));
                wanted.map(|file| format!("{name}/{file}")).try_for_each(|file| self.file(&file))
            });
            if copied.is_ok() && std::fs::read(&meta).is_ok_and(|after| after == before) {
                return Ok(());
            }
            // Begun anew, without what is no longer of it.
            self.sums.retain(|known, _| !known.starts_with(&format!("{name}/")));
            remove(&self.to.join(name))?;
            copied?;
        }
        anyhow::bail!("{name} changed each of {TRIES} times while it was copied; try again when less comes in")
    }

    /// One file, as long as it was when it was begun. One that is gone is none.
    fn file(&mut self, name: &str) -> anyhow::Result<()> {
        let (from, to) = (self.from.join(name), self.to.join(name));
        let file = match File::open(&from) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            file => file.with_context(|| format!("read {}", from.display()))?,
        };
        let length = file.metadata().with_context(|| format!("read {}", from.display()))?.len();
        let what = || format!("write {}; check the room on the disk", to.display());
        if let Some(folder) = to.parent() {
            files::make_folder(folder).with_context(what)?;
        }
        if to.exists() {
            std::fs::remove_file(&to).with_context(what)?;
        }
        let mut out = files::create(&to).with_context(what)?;
        let (sha256, bytes) = copy(&mut file.take(length), &mut out).with_context(what)?;
        out.sync_all().with_context(what)?;
        self.bytes += bytes;
        self.sums.insert(name.to_owned(), (sha256, bytes));
        (self.progress)(name, self.bytes);
        Ok(())
    }

    fn finish(&mut self, begun: String) -> anyhow::Result<About> {
        let about = About {
            format: FORMAT.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            begun,
            files: self.sums.len() as u64,
            bytes: self.sums.values().map(|(_, bytes)| bytes).sum(),
        };
        let text = serde_json::to_vec_pretty(&about).context("describe the backup")?;
        self.sums.insert(ABOUT.to_owned(), (hex::encode(Sha256::digest(&text)), text.len() as u64));
        files::replace(&self.to.join(ABOUT), &text).context("describe the backup")?;
        let sums: String = self.sums.iter().map(|(name, (sha256, _))| format!("{sha256}  {name}\n")).collect();
        files::replace(&self.to.join(SUMS), sums.as_bytes()).context("list the digests of the backup")?;
        Ok(about)
    }
}

/// Makes the data directory `data`, which must be empty or missing, of a backup. Every file must be what its digest says.
pub fn restore(backup: &Path, data: &Path, progress: Progress<'_>) -> anyhow::Result<About> {
    let is_empty = std::fs::read_dir(data).map_or(true, |mut entries| entries.next().is_none());
    ensure!(is_empty, "{} is not empty; move it away first, nothing is overwritten", data.display());
    let read = |name: &str| std::fs::read(backup.join(name)).with_context(|| format!("read {name} of the backup"));
    let about: About = serde_json::from_slice(&read(ABOUT)?).context("understand what the backup says of itself")?;
    ensure!(about.format == FORMAT, "the backup has another form ({}) than this program knows", about.format);
    let sums = String::from_utf8(read(SUMS)?).context("read the digests of the backup")?;
    let beside = data.with_extension("part");
    remove(&beside)?;
    let made = unpack(backup, &beside, &sums, progress);
    made.inspect_err(|_| drop(remove(&beside)))?;
    if data.exists() {
        std::fs::remove_dir(data).with_context(|| format!("make {} anew", data.display()))?;
    }
    std::fs::rename(&beside, data).with_context(|| format!("name the data {}", data.display()))?;
    Ok(about)
}

fn unpack(backup: &Path, to: &Path, sums: &str, progress: Progress<'_>) -> anyhow::Result<()> {
    files::make_folder(to).with_context(|| format!("make {}", to.display()))?;
    let mut bytes = 0;
    for line in sums.lines() {
        let (wanted, name) = line.split_once("  ").context("a line of the digests is none")?;
        let is_plain = name.split('/').all(|part| !["", ".", ".."].contains(&part));
        ensure!(is_plain, "{name:?} would lead out of the data directory");
        let mut from = File::open(backup.join(name)).with_context(|| format!("{name} is missing in the backup"))?;
        let path: PathBuf = if name == ABOUT { to.join("restored.json") } else { to.join(name) };
        let what = || format!("write {}; check the room on the disk", path.display());
        path.parent().map_or(Ok(()), files::make_folder).with_context(what)?;
        let mut out = files::create(&path).with_context(what)?;
        let (found, length) = copy(&mut from, &mut out).with_context(what)?;
        ensure!(found == wanted, "{name} has changed since the backup was made; nothing was restored");
        out.sync_all().with_context(what)?;
        bytes += length;
        progress(name, bytes);
    }
    Ok(())
}

/// Copies; answers SHA-256 and length.
fn copy(from: &mut impl io::Read, to: &mut File) -> io::Result<(String, u64)> {
    let (mut hash, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 16]);
    loop {
        let got = from.read(&mut buffer)?;
        let Some(piece) = buffer.get(..got).filter(|piece| !piece.is_empty()) else {
            return Ok((hex::encode(hash.finalize()), bytes));
        };
        hash.update(piece);
        to.write_all(piece)?;
        bytes += got as u64;
    }
}
