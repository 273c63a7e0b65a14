//! Where the API listens: a Unix socket that only the collector's own user may open, and by configuration mutual TLS.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tokio::net::UnixListener;

/// Binds the socket with mode 0600. A socket left by a collector that was killed is replaced; one that somebody answers
/// on is not.
pub fn bind(path: &Path) -> io::Result<UnixListener> {
    if path.exists() {
        if std::os::unix::net::UnixStream::connect(path).is_ok() {
            return Err(io::Error::new(
                io::ErrorKind::AddrInUse,
                format!("another collector answers on {}; stop it first, or use another data directory", path.display()),
            ));
        }
        std::fs::remove_file(path)?;
    }
    // Bound under a name nobody knows, given its mode, then renamed: it is never open to others.
    let hidden = path.with_extension(format!("{}.tmp", std::process::id()));
    if hidden.exists() {
        std::fs::remove_file(&hidden)?;
    }
    let listener = UnixListener::bind(&hidden)?;
    std::fs::set_permissions(&hidden, std::fs::Permissions::from_mode(0o600))?;
    std::fs::rename(&hidden, path)?;
    Ok(listener)
}
