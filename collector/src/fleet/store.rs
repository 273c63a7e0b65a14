//! Small files that are replaced whole: written beside, made durable, renamed.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A folder for its owner only, with its parents.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// A new file, readable by its owner only.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Replaces a file by `content`, readable by its owner only. After a crash it is the old one or the new one.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    Prepared::write(path, content)?.put()
}

/// A file whose content is durable already, beside the one that it will replace: what is left to do needs no room. It goes
/// when it is dropped.
#[derive(Debug)]
pub(crate) struct Prepared {
    beside: PathBuf,
    path: PathBuf,
}

impl Prepared {
    /// Writes the content of what will be `path`.
    pub(crate) fn write(path: &Path, content: &[u8]) -> io::Result<Prepared> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let parent = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
        make_folder(parent)?;
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let prepared =
            Prepared { beside: parent.join(format!(".new-{}-{count}", std::process::id())), path: path.to_owned() };
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&prepared.beside)?;
        file.write_all(content)?;
        file.sync_all()?;
        Ok(prepared)
    }

    /// Puts it in its place.
    pub(crate) fn put(self) -> io::Result<()> {
        std::fs::rename(&self.beside, &self.path)?;
        File::open(self.path.parent().ok_or(io::ErrorKind::InvalidInput)?)?.sync_all()
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        // It is not there any more where it was put in its place; a leftover is harmless.
        let _ = std::fs::remove_file(&self.beside);
    }
}

/// Replaces a TOML file.
pub(crate) fn save<T: Serialize>(path: &Path, content: &T) -> io::Result<()> {
    prepare(path, content)?.put()
}

/// The same, up to where no room is needed any more.
pub(crate) fn prepare<T: Serialize>(path: &Path, content: &T) -> io::Result<Prepared> {
    Prepared::write(path, toml::to_string(content).map_err(io::Error::other)?.as_bytes())
}

/// Reads a TOML file; one that cannot be read is as good as none, and logged.
pub(crate) fn load<T: DeserializeOwned>(path: &Path) -> Option<T> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => {
            tracing::error!(path = %path.display(), %error, "a file of the fleet could not be read");
            return None;
        }
    };
    toml::from_str(&text)
        .inspect_err(|error| tracing::error!(path = %path.display(), %error, "a file of the fleet is damaged"))
        .ok()
}

/// Names in a folder, sorted; those that begin with a dot are none.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    names
}
