//! Gives up what a scanner does not need: all access to files and the network, new privileges, core dumps, open files
//! beyond the standard ones, and memory beyond a bound.

use landlock::{ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetStatus, Scope};

/// The most writable memory, in bytes: ten thousand rules take some 150 MB to compile, a file at most 64 MB.
const MEMORY_MAX_BYTES: libc::rlim_t = 1 << 30;
/// The most open files: standard ones and those that the confinement itself needs.
const FILES_MAX: libc::rlim_t = 16;

/// Confines the process for good. Where the kernel has no Landlock it is an error, unless `LUYTRE_SCANNER_UNCONFINED` is
/// set.
pub(crate) fn confine() -> Result<(), String> {
    limit(libc::RLIMIT_CORE, 0)?;
    limit(libc::RLIMIT_FSIZE, 0)?;
    limit(libc::RLIMIT_NOFILE, FILES_MAX)?;
    limit(libc::RLIMIT_DATA, MEMORY_MAX_BYTES)?;
    // restrict_self also sets no_new_privs.
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(ABI::V6))
        .and_then(|rules| rules.handle_access(AccessNet::from_all(ABI::V6)))
        .and_then(|rules| rules.scope(Scope::from_all(ABI::V6)))
        .and_then(Ruleset::create)
        .and_then(|rules| rules.restrict_self())
        .map_err(|error| error.to_string())?;
    if status.ruleset == RulesetStatus::NotEnforced && std::env::var_os("LUYTRE_SCANNER_UNCONFINED").is_none() {
        return Err("this kernel does not enforce Landlock".to_owned());
    }
    Ok(())
}

fn limit(resource: libc::__rlimit_resource_t, bound: libc::rlim_t) -> Result<(), String> {
    let limits = libc::rlimit { rlim_cur: bound, rlim_max: bound };
    // SAFETY: `limits` is a valid rlimit for the time of the call, which only reads it.
    let done = unsafe { libc::setrlimit(resource, &limits) };
    if done == 0 { Ok(()) } else { Err(format!("set a limit: {}", std::io::Error::last_os_error())) }
}
