//! One of our programs as a process: started with its log in a file, ended politely or not at all politely.
//!
//! Each has a process group of its own, so that Ctrl-C in the terminal reaches only the one who started it; that one ends
//! them in the right order. Dropping a [`Program`] kills it, and should the one who started it be killed, the kernel does
//! (the parent-death signal, prctl(2), set by util-linux's `setpriv`).

use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::wait;

/// How long a program has after a polite request to end.
const GRACE: Duration = Duration::from_secs(20);

/// The folder with the built programs.
#[derive(Debug, Clone)]
pub struct Programs {
    folder: PathBuf,
}

impl Programs {
    /// Those in a folder.
    pub fn in_folder(folder: &Path) -> Self {
        Programs { folder: folder.to_owned() }
    }

    /// Those beside the running program, or one folder up: test programs stand in `debug/deps`. The variable
    /// `LUYTRE_PROGRAMS` names another folder, to try a release build, say.
    pub fn beside_this() -> Result<Self> {
        if let Some(folder) = std::env::var_os("LUYTRE_PROGRAMS") {
            return Ok(Programs::in_folder(Path::new(&folder)));
        }
        let this = std::env::current_exe().context("find this program's own file")?;
        let folder = this.ancestors().skip(1).find(|folder| folder.join("luytre-collector").is_file());
        let folder = folder.context("the programs are not built; run `cargo xtask build`")?;
        Ok(Programs::in_folder(folder))
    }

    /// The file of a program.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A command that starts a program, perhaps inside a network namespace.
    pub fn command(&self, name: &str, namespace: Option<&str>) -> Command {
        let program = self.path(name);
        match namespace {
            None => Command::new(program),
            Some(namespace) => {
                let mut command = Command::new("ip");
                command.args(["netns", "exec", namespace]).arg(program);
                command
            }
        }
    }

    /// Runs a program to its end.
    pub fn output<A: AsRef<OsStr>>(&self, name: &str, arguments: &[A]) -> Result<Output> {
        let mut command = self.command(name, None);
        command.args(arguments).stdin(Stdio::null()).output().with_context(|| format!("start {name}"))
    }
}

/// A running program.
#[derive(Debug)]
pub struct Program {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Program {
    /// Starts a command with its output appended to a log file.
    pub fn start(name: &str, command: &mut Command, log: &Path) -> Result<Self> {
        let file = File::options().create(true).append(true).open(log);
        let file = file.with_context(|| format!("open the log {}", log.display()))?;
        let child = leashed(command)
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .process_group(0)
            .spawn()
            .with_context(|| format!("start {name} by setpriv (util-linux)"))?;
        Ok(Program { name: name.to_owned(), child, log: log.to_owned() })
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it wrote so far.
    pub fn log(&self) -> String {
        std::fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().with_context(|| format!("look after {}", self.name))
    }

    /// An error with the end of its log, if it has ended.
    pub fn still_runs(&mut self) -> Result<()> {
        let Some(status) = self.ended()? else { return Ok(()) };
        let log = self.log();
        let last: Vec<&str> = log.lines().rev().take(12).collect();
        let last: Vec<&str> = last.into_iter().rev().collect();
        bail!("{} ended with {status}:\n{}", self.name, last.join("\n"))
    }

    /// Asks it to end (SIGTERM) and waits for it.
    pub fn terminate(&mut self) -> Result<ExitStatus> {
        signal("TERM", self.id());
        let name = format!("{} to end", self.name);
        wait::until(&name, GRACE, || self.child.try_wait().map_err(Into::into))
    }

    /// Ends it as a power cut would (SIGKILL).
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill().with_context(|| format!("kill {}", self.name))?;
        self.child.wait().map(drop).with_context(|| format!("wait for {}", self.name))
    }

    /// Its resident memory, in bytes.
    pub fn resident_bytes(&self) -> Result<u64> {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.id())).context("read a process's status")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("a status without VmRSS")?;
        let kb: u64 = line.trim().trim_end_matches("kB").trim().parse().context("read VmRSS")?;
        Ok(kb * 1024)
    }
}

/// The same command, ended by the kernel when the thread that starts it is no more.
fn leashed(command: &Command) -> Command {
    let mut leashed = Command::new("setpriv");
    leashed.args(["--pdeathsig", "KILL", "--"]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => leashed.env(name, value),
            None => leashed.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        leashed.current_dir(folder);
    }
    leashed
}

impl Drop for Program {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.kill();
        }
    }
}

/// Sends a signal by the shell's own `kill`, which needs no further program. A process that is gone is no error.
pub fn signal(name: &str, id: u32) {
    let _ = Command::new("sh").args(["-c", "kill -$0 $1 2>/dev/null", name, &id.to_string()]).status();
}

/// Checks that a command did its work, with what it wrote in the error.
pub fn succeeded(output: &Output) -> Result<()> {
    ensure!(
        output.status.success(),
        "{}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}
