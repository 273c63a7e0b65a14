//! Set-up: the programs that a command needs, and what to install where they are missing.
//!
//! On Debian (or a relative of it) as root, missing packages are installed with apt-get; elsewhere the error says exactly
//! what to install.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::steps;

/// A program and the Debian package that has it.
pub type Tool = (&'static str, &'static str);

/// For every build: a C compiler for the bundled libraries, Node for the console's pages; and what starts the programs on
/// a leash.
pub const BUILD: &[Tool] = &[("cc", "build-essential"), ("node", "nodejs"), ("npm", "npm"), ("setpriv", "util-linux")];

/// For the tests that need more than our own programs: namespaces, a browser, a mail server, readers of PDF and of
/// sealed bundles.
pub const TEST: &[Tool] = &[
    ("ip", "iproute2"),
    ("chromium", "chromium"),
    ("python3", "python3"),
    ("aiosmtpd", "python3-aiosmtpd"),
    ("openssl", "openssl"),
    ("pdftotext", "poppler-utils"),
    ("unzip", "unzip"),
];

/// For `demo --live`: namespaces.
pub const LIVE: &[Tool] = &[("ip", "iproute2")];

/// For recording the story: the programs that take part in it.
pub const RECORD: &[Tool] = &[
    ("ip", "iproute2"),
    ("ethtool", "ethtool"),
    ("tcpdump", "tcpdump"),
    ("nginx", "nginx-light"),
    ("sshd", "openssh-server"),
    ("ssh", "openssh-client"),
    ("sshpass", "sshpass"),
    ("unbound", "unbound"),
    ("nmap", "nmap"),
    ("curl", "curl"),
    ("dig", "bind9-dnsutils"),
    ("openssl", "openssl"),
    ("python3", "python3"),
];

/// The oldest Node that the pages' build tools take.
const NODE_AT_LEAST: (u32, u32) = (20, 19);

/// Makes sure that all of these are there.
pub fn require(tools: &[Tool]) -> Result<()> {
    let missing: Vec<&Tool> = tools.iter().filter(|(program, _)| find(program).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let mut packages: Vec<&str> = missing.iter().map(|(_, package)| *package).collect();
    packages.dedup();
    if !can_install() {
        let programs: Vec<&str> = missing.iter().map(|(program, _)| *program).collect();
        bail!("missing: {}; install them (on Debian: apt-get install {})", programs.join(", "), packages.join(" "));
    }
    steps::step(&format!("install {}", packages.join(" ")), || install(&packages))?;
    match tools.iter().find(|(program, _)| find(program).is_none()) {
        Some((program, package)) => bail!("{program} is still missing after installing {package}"),
        None => Ok(()),
    }
}

/// Makes sure that Node is new enough for the pages' build tools.
pub fn require_node() -> Result<()> {
    let output = steps::capture(Command::new("node").arg("--version"))?;
    let text = String::from_utf8_lossy(&output).trim().trim_start_matches('v').to_owned();
    let mut numbers = text.split('.').filter_map(|part| part.parse::<u32>().ok());
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if version < NODE_AT_LEAST {
        bail!(
            "Node {text} is too old; install Node {}.{} or newer (https://nodejs.org)",
            NODE_AT_LEAST.0,
            NODE_AT_LEAST.1
        );
    }
    Ok(())
}

/// Whether this process runs as root.
pub fn is_root() -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| {
        status.lines().any(|line| line.starts_with("Uid:") && line.split_whitespace().nth(2) == Some("0"))
    })
}

fn can_install() -> bool {
    is_root() && find("apt-get").is_some()
}

fn install(packages: &[&str]) -> Result<()> {
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").args(arguments);
        command
    };
    steps::quiet(&mut apt(&["update", "-qq"])).context("refresh the package lists")?;
    let mut command = apt(&["install", "-y", "-qq", "--no-install-recommends"]);
    steps::quiet(command.args(packages)).context("install packages")
}

/// Where a program is: on the path, or in the folders of administration that a user's path leaves out.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let admin = ["/usr/sbin", "/sbin", "/usr/local/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(admin).map(|folder| folder.join(program)).find(|file| Path::is_file(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_on_the_path() {
        assert!(find("sh").is_some());
        assert!(find("no-such-program-anywhere").is_none());
    }
}
