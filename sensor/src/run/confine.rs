//! Locks a capture thread in before it parses its first packet: what a hostile packet could make of a parser can open no
//! file, call nobody and start nothing.
//!
//! Landlock takes away files and TCP, seccomp every system call that following packets does not need (they fail with
//! EPERM), and capabilities shrink to those that opening an interface again takes. All of it holds for the calling thread
//! alone: the spool's and the uplink's threads go on. Where the kernel lacks one of them the others still hold, and a
//! warning says so.

use std::path::PathBuf;

use caps::{CapSet, Capability};
use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetStatus,
};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch};

/// What a capture thread still needs: memory, time, waiting, the packet sockets, writing what is open, and its own end.
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
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_pwrite64,
    libc::SYS_lseek,
    libc::SYS_fstat,
    libc::SYS_ftruncate,
    libc::SYS_fallocate,
    libc::SYS_fdatasync,
    libc::SYS_fsync,
    libc::SYS_close,
    libc::SYS_fcntl,
    // Opening goes through Landlock, which allows nothing but the folders named.
    libc::SYS_openat,
    libc::SYS_statx,
    libc::SYS_newfstatat,
    libc::SYS_getdents64,
    libc::SYS_unlinkat,
    libc::SYS_renameat2,
    libc::SYS_mkdirat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_unlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rename,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_mkdir,
    // An interface that went away is opened again.
    libc::SYS_socket,
    libc::SYS_bind,
    libc::SYS_ioctl,
    libc::SYS_setsockopt,
    libc::SYS_getsockopt,
    libc::SYS_getsockname,
    libc::SYS_sendto,
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_sendmsg,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_rseq,
    libc::SYS_set_robust_list,
    libc::SYS_gettid,
    libc::SYS_getpid,
    libc::SYS_tgkill,
    libc::SYS_restart_syscall,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// Locks the calling thread in for good; it may write below the folders named and nowhere else.
pub fn capture_thread(writable: &[PathBuf]) {
    let steps: [(&str, Result<(), String>); 3] =
        [("capabilities", capabilities()), ("Landlock", landlock(writable)), ("seccomp", seccomp())];
    for (what, done) in steps {
        if let Err(error) = done {
            tracing::warn!(what, %error, "a capture thread is not locked in as it should be");
        }
    }
}

/// Keeps what opening an interface takes, and only where the thread has it.
fn capabilities() -> Result<(), String> {
    let explain = |error: caps::errors::CapsError| error.to_string();
    let has = caps::read(None, CapSet::Permitted).map_err(explain)?;
    let keep = [Capability::CAP_NET_RAW, Capability::CAP_NET_ADMIN].into_iter().filter(|c| has.contains(c)).collect();
    caps::set(None, CapSet::Effective, &keep).map_err(explain)?;
    caps::set(None, CapSet::Permitted, &keep).map_err(explain)
}

fn landlock(writable: &[PathBuf]) -> Result<(), String> {
    let explain = |error: landlock::RulesetError| error.to_string();
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(ABI::V5))
        .and_then(|rules| rules.handle_access(AccessNet::from_all(ABI::V5)))
        .and_then(Ruleset::create)
        .map_err(explain)?;
    for folder in writable {
        let opened = PathFd::new(folder).map_err(|error| error.to_string())?;
        rules = rules.add_rule(PathBeneath::new(opened, AccessFs::from_all(ABI::V5))).map_err(explain)?;
    }
    match rules.restrict_self().map_err(explain)?.ruleset {
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
    use std::io::{ErrorKind, Write as _};

    use super::*;

    /// What code in a parser could do: nothing outside, but the work of a capture thread goes on.
    #[test]
    fn a_parser_can_open_no_file_call_nobody_and_start_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mine = folder.path().join("mine");
        std::fs::create_dir(&mine).unwrap();
        let other = folder.path().join("other");
        std::fs::write(&other, "secret").unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (allowed, secret) = (mine.clone(), other.clone());
        std::thread::spawn(move || {
            capture_thread(&[allowed.clone()]);
            let refused = |kind: ErrorKind| assert_eq!(kind, ErrorKind::PermissionDenied);
            refused(std::fs::read(&secret).unwrap_err().kind());
            refused(std::fs::write(secret.with_extension("new"), "x").unwrap_err().kind());
            refused(std::net::TcpStream::connect(address).unwrap_err().kind());
            refused(std::process::Command::new("/bin/true").spawn().unwrap_err().kind());
            let mut file = std::fs::File::create(allowed.join("segment")).unwrap();
            file.write_all(&vec![7; 1 << 20]).unwrap();
            std::thread::sleep(std::time::Duration::from_millis(1));
            assert!(ahash::RandomState::new().hash_one(1) > 0);
        })
        .join()
        .unwrap();
        // The other threads are free.
        assert_eq!(std::fs::read(&other).unwrap(), b"secret");
        assert_eq!(std::fs::read(mine.join("segment")).unwrap().len(), 1 << 20);
        std::net::TcpStream::connect(address).unwrap();
    }
}
