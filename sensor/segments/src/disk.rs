//! The disk as a log sees it: a flat folder of files. A trait, so that tests can cut, flip and fill it.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// A flat folder of files.
pub trait Disk: Send + Sync + 'static {
    /// Names of all files.
    fn list(&self) -> io::Result<Vec<String>>;
    /// Size of a file, in bytes.
    fn size(&self, name: &str) -> io::Result<u64>;
    /// Writes all of `bytes` at an offset; makes the file if there is none. On an error any part may have been written.
    fn write(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Makes a file's content, and that it exists, durable.
    fn sync(&self, name: &str) -> io::Result<()>;
    /// Cuts a file to a size.
    fn truncate(&self, name: &str, size: u64) -> io::Result<()>;
    /// Reads up to `length` bytes at an offset; fewer at the end of the file.
    fn read(&self, name: &str, offset: u64, length: usize) -> io::Result<Vec<u8>>;
    /// Removes a file.
    fn remove(&self, name: &str) -> io::Result<()>;
}

/// A real folder. Files are made readable by their owner only.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// The file written last, kept open.
    open: Mutex<Option<Open>>,
}

#[derive(Debug)]
struct Open {
    name: String,
    file: File,
    /// Made by us and not yet known to the folder on disk.
    new: bool,
}

impl Folder {
    /// The folder at `path`, made if there is none.
    pub fn open(path: &Path) -> io::Result<Folder> {
        std::fs::create_dir_all(path)?;
        Ok(Folder { path: path.to_owned(), open: Mutex::new(None) })
    }

    fn with_open<T>(&self, name: &str, act: impl FnOnce(&mut Open) -> io::Result<T>) -> io::Result<T> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.as_ref().is_none_or(|open| open.name != name) {
            let path = self.path.join(name);
            let new = !path.exists();
            let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
            *open = Some(Open { name: name.to_owned(), file, new });
        }
        match open.as_mut() {
            Some(open) => act(open),
            None => Err(io::Error::other("the file was not opened")),
        }
    }
}

impl Disk for Folder {
    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.path)? {
            names.extend(entry?.file_name().into_string());
        }
        Ok(names)
    }

    fn size(&self, name: &str) -> io::Result<u64> {
        Ok(std::fs::metadata(self.path.join(name))?.len())
    }

    fn write(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.with_open(name, |open| open.file.write_all_at(bytes, offset))
    }

    fn sync(&self, name: &str) -> io::Result<()> {
        self.with_open(name, |open| {
            open.file.sync_data()?;
            if open.new {
                File::open(&self.path)?.sync_all()?;
                open.new = false;
            }
            Ok(())
        })
    }

    fn truncate(&self, name: &str, size: u64) -> io::Result<()> {
        self.with_open(name, |open| open.file.set_len(size))
    }

    fn read(&self, name: &str, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let file = File::open(self.path.join(name))?;
        let mut bytes = vec![0; length];
        let mut filled = 0;
        while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match file.read_at(rest, offset + filled as u64)? {
                0 => break,
                more => filled += more,
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.as_ref().is_some_and(|open| open.name == name) {
            *open = None;
        }
        std::fs::remove_file(self.path.join(name))
    }
}
