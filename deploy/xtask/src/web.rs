//! The console's pages: `npm ci` and `npm run build`, only where their sources changed since the last time.
//!
//! What was built from which sources is remembered as a digest in the target directory; a digest of contents, not of
//! times, so that a fresh checkout with a kept target directory builds nothing twice.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::{steps, tools, workspace};

/// Folders that are made, not written.
const MADE: &[&str] = &["node_modules", "dist", ".vite", "coverage"];

/// Builds the pages where needed.
pub fn build() -> Result<()> {
    tools::require(tools::BUILD)?;
    tools::require_node()?;
    let web = folder();
    install(&web)?;
    let stamp = Stamp::of("web-pages", &sources(&web)?)?;
    if stamp.holds() && web.join("dist/index.html").is_file() {
        eprintln!("==> the pages are up to date");
        return Ok(());
    }
    steps::step("build the pages", || steps::quiet(npm(&web).args(["run", "build"])))?;
    stamp.set()
}

/// Runs the pages' own tests and says what they counted.
pub fn test() -> Result<(bool, String)> {
    steps::tee(npm(&folder()).args(["test", "--", "--run"]).env("CI", "1").env("NO_COLOR", "1"))
}

/// Where the pages' sources are.
pub fn folder() -> PathBuf {
    workspace::root().join("console/web")
}

/// npm in a folder.
pub fn npm(folder: &Path) -> Command {
    let mut command = Command::new("npm");
    command.current_dir(folder).env("npm_config_fund", "false").env("npm_config_audit", "false");
    command
}

/// Installs the packages of a lock file where it changed. No package may run a script of its own while it is installed.
pub fn install(folder: &Path) -> Result<()> {
    let lock = folder.join("package-lock.json");
    let name = format!("packages-{}", folder.file_name().unwrap_or_default().to_string_lossy());
    let stamp = Stamp::of(&name, std::slice::from_ref(&lock))?;
    if stamp.holds() && folder.join("node_modules").is_dir() {
        return Ok(());
    }
    steps::step(&format!("install packages of {}", folder.display()), || {
        steps::quiet(npm(folder).args(["ci", "--no-progress", "--ignore-scripts"]))
    })?;
    stamp.set()
}

/// The digest of some files, and the place where the last one is kept.
struct Stamp {
    file: PathBuf,
    digest: String,
}

impl Stamp {
    fn of(name: &str, files: &[PathBuf]) -> Result<Self> {
        let mut hasher = DefaultHasher::new();
        for file in files {
            file.hash(&mut hasher);
            std::fs::read(file).with_context(|| format!("read {}", file.display()))?.hash(&mut hasher);
        }
        let file = workspace::target()?.join(format!("{name}.stamp"));
        Ok(Stamp { file, digest: format!("{:016x}", hasher.finish()) })
    }

    fn holds(&self) -> bool {
        std::fs::read_to_string(&self.file).is_ok_and(|kept| kept == self.digest)
    }

    fn set(&self) -> Result<()> {
        std::fs::create_dir_all(self.file.parent().unwrap_or(Path::new(".")))?;
        std::fs::write(&self.file, &self.digest).with_context(|| format!("write {}", self.file.display()))
    }
}

/// All files of a folder that people or generators write, in a fixed order.
fn sources(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let entries = std::fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        if MADE.iter().any(|made| entry.file_name() == *made) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            files.extend(sources(&entry.path())?);
        } else {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}
