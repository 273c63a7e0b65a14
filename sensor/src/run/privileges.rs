//! A sensor that was started as root goes on as somebody else once its interfaces are open.
//!
//! It keeps the capabilities that opening an interface again takes, and nothing else. What is in its data folder becomes
//! the new user's first. A sensor that was not started as root stays who it is (systemd gives it the capabilities).

use std::ffi::CString;
use std::path::Path;

use anyhow::Context as _;
use caps::{CapSet, Capability};

use super::settings::PrivilegeSettings;

/// Becomes the user of the settings; all threads of the process do.
pub fn drop(settings: &PrivilegeSettings, data: &Path) -> anyhow::Result<()> {
    // SAFETY: geteuid has no preconditions and cannot fail.
    let root = unsafe { libc::geteuid() } == 0;
    if settings.user.is_empty() {
        if root {
            tracing::warn!("the sensor runs as root; name another user as privileges.user in its configuration");
        }
        return Ok(());
    }
    anyhow::ensure!(root, "privileges.user is set, but the sensor was not started as root; leave it out");
    let user = find(&settings.user)?;
    give(data, user).with_context(|| format!("give {} to the user {}", data.display(), settings.user))?;
    become_user(user).with_context(|| format!("go on as the user {}", settings.user))?;
    tracing::info!(user = %settings.user, "the sensor goes on as another user");
    Ok(())
}

/// Number of a user and of the user's group.
type Ids = (libc::uid_t, libc::gid_t);

fn find(name: &str) -> anyhow::Result<Ids> {
    let text = CString::new(name).context("read privileges.user")?;
    // SAFETY: `text` ends with a zero byte. The answer is read at once, before any other call of this kind; no other thread
    // asks for users.
    let ids = unsafe { libc::getpwnam(text.as_ptr()).as_ref() }.map(|user| (user.pw_uid, user.pw_gid));
    let ids = ids.with_context(|| format!("there is no user {name}; make it, or correct privileges.user"))?;
    anyhow::ensure!(ids.0 != 0, "privileges.user must not be root");
    Ok(ids)
}

/// Everything below a folder, and the folder.
fn give(path: &Path, (user, group): Ids) -> std::io::Result<()> {
    std::os::unix::fs::lchown(path, Some(user), Some(group))?;
    if path.symlink_metadata()?.is_dir() {
        for entry in std::fs::read_dir(path)? {
            give(&entry?.path(), (user, group))?;
        }
    }
    Ok(())
}

fn become_user((user, group): Ids) -> anyhow::Result<()> {
    let check = |result: libc::c_int| if result == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) };
    // SAFETY: plain calls with numbers; the list of groups is empty, so its pointer is not read. The C library makes all
    // threads follow.
    unsafe {
        check(libc::prctl(libc::PR_SET_KEEPCAPS, 1, 0, 0, 0)).context("keep capabilities")?;
        check(libc::setgroups(0, std::ptr::null())).context("leave all groups")?;
        check(libc::setgid(group)).context("change the group")?;
        check(libc::setuid(user)).context("change the user")?;
    }
    let keep = [Capability::CAP_NET_RAW, Capability::CAP_NET_ADMIN].into_iter().collect();
    caps::set(None, CapSet::Permitted, &keep).context("keep the right to capture")?;
    caps::set(None, CapSet::Effective, &keep).context("keep the right to capture")
}
