//! A small disk of its own for a folder, to be full when a test wants it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

/// What takes all the room is called so; parts pass over names that begin with a dot.
const FILLER: &str = ".filler";

/// A small file system in memory. Needs root, as continuous integration has it.
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Over a folder, which is made.
    pub fn mount(folder: &Path, size: &str) -> Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
        let disk = SmallDisk(folder.to_owned());
        disk.run("mount", &["-t", "tmpfs", "-o", &format!("size={size},mode=0700"), "tmpfs"])?;
        Ok(disk)
    }

    /// Gives it another size.
    pub fn grow(&self, size: &str) -> Result<()> {
        self.run("mount", &["-o", &format!("remount,size={size}")])
    }

    /// Leaves no room for a single byte.
    pub fn fill(&self) -> Result<()> {
        let path = self.0.join(FILLER);
        let mut file = std::fs::File::create(&path).with_context(|| format!("make {}", path.display()))?;
        for size in [1 << 20, 1 << 12, 1] {
            let piece = vec![0; size];
            loop {
                match file.write_all(&piece) {
                    Ok(()) => {}
                    Err(error) if error.kind() == std::io::ErrorKind::StorageFull => break,
                    Err(error) => bail!("fill {}: {error}", path.display()),
                }
            }
        }
        Ok(())
    }

    /// Takes out again what [`SmallDisk::fill`] has put in.
    pub fn empty(&self) -> Result<()> {
        let path = self.0.join(FILLER);
        std::fs::remove_file(&path).with_context(|| format!("remove {}", path.display()))
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Result<()> {
        let output =
            Command::new(program).args(arguments).arg(&self.0).output().with_context(|| format!("start {program}"))?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "{program} {}: {said} (a small disk needs root)", self.0.display());
        Ok(())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: the programs may still be using it when a test fails.
        let _ = self.run("umount", &["--lazy"]);
    }
}
