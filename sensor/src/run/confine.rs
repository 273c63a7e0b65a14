//! Locks a capture thread in before it parses its first packet: what a hostile packet could make of a parser can open no
//! file, call nobody and start nothing.
//!
//! Landlock takes away files and TCP, seccomp every system call that following packets does not need (they fail with
//! EPERM), and all capabilities go. It holds for the calling thread alone: the threads that open sources, write the spool
//! and talk to the collector go on. Where the kernel lacks one of the three the others still hold, and a warning says so.

use caps::{CapSet, CapsHashSet};
use landlock::{ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetStatus};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch};

/// What a capture thread still needs: memory, time, waiting, reading and writing what is open, and its own end.
const ALLOWED: &[libc::c_long] = &[
    libc::SYS_brk,
    libc::SYS_mmap,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_mprotect,
    libc::SYS_madvise,
    libc::SYS_futex,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_getrandom,
    libc::SYS_ppoll,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
    libc::SYS_pselect6,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_select,
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_pread64,
    libc::SYS_lseek,
    libc::SYS_fstat,
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_getsockopt,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_close,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_rseq,
    libc::SYS_gettid,
    libc::SYS_getpid,
    libc::SYS_tgkill,
    libc::SYS_restart_syscall,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// Locks the calling thread in for good.
pub fn capture_thread() {
    let steps: [(&str, Result<(), String>); 3] =
        [("capabilities", capabilities()), ("Landlock", landlock()), ("seccomp", seccomp())];
    for (what, done) in steps {
        if let Err(error) = done {
            tracing::warn!(what, %error, "a capture thread is not locked in as it should be");
        }
    }
}

fn capabilities() -> Result<(), String> {
    let none = CapsHashSet::new();
    caps::set(None, CapSet::Effective, &none).map_err(|error| error.to_string())?;
    caps::set(None, CapSet::Permitted, &none).map_err(|error| error.to_string())
}

fn landlock() -> Result<(), String> {
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(ABI::V5))
        .and_then(|rules| rules.handle_access(AccessNet::from_all(ABI::V5)))
        .and_then(Ruleset::create)
        .and_then(|rules| rules.restrict_self())
        .map_err(|error| error.to_string())?;
    match status.ruleset {
        RulesetStatus::NotEnforced => Err("this kernel does not enforce it".to_owned()),
        _ => Ok(()),
    }
}

fn seccomp() -> Result<(), String> {
    let arch = TargetArch::try_from(std::env::consts::ARCH).map_err(|error| error.to_string())?;
    let rules = ALLOWED.iter().map(|call| (*call, Vec::new())).collect();
    let refused = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let filter = SeccompFilter::new(rules, refused, SeccompAction::Allow, arch).map_err(|error| error.to_string())?;
    let program: BpfProgram = filter.try_into().map_err(|error: seccompiler::BackendError| error.to_string())?;
    seccompiler::apply_filter(&program).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::*;

    /// What code in a parser could do: nothing outside, but the work of a capture thread goes on.
    #[test]
    fn a_parser_can_open_no_file_call_nobody_and_start_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let secret = folder.path().join("secret");
        std::fs::write(&secret, "secret").unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let path = secret.clone();
        let (send, receive) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            capture_thread();
            let refused = |kind: ErrorKind| assert_eq!(kind, ErrorKind::PermissionDenied);
            refused(std::fs::read(&path).unwrap_err().kind());
            refused(std::fs::write(path.with_extension("new"), "x").unwrap_err().kind());
            refused(std::net::TcpStream::connect(address).unwrap_err().kind());
            refused(std::net::UdpSocket::bind("127.0.0.1:0").unwrap_err().kind());
            refused(std::process::Command::new("/bin/true").spawn().unwrap_err().kind());
            refused(std::thread::Builder::new().spawn(|| ()).unwrap_err().kind());
            let work: Vec<u64> = (0..100_000u64).map(|n| ahash::RandomState::new().hash_one(n)).collect();
            std::thread::sleep(std::time::Duration::from_millis(1));
            send.send(work.len()).unwrap();
        });
        assert_eq!(receive.recv().unwrap(), 100_000);
        thread.join().unwrap();
        // The other threads are free.
        assert_eq!(std::fs::read(&secret).unwrap(), b"secret");
        std::net::TcpStream::connect(address).unwrap();
    }
}
