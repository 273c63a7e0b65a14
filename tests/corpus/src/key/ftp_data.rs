//! Data connections of FTP: the command that they serve and the file.

use super::{Compared, text};

/// How it is compared.
pub static COMPARED: Compared = Compared {
    ours: "ftp_data",
    theirs: "ftp_data",
    of_ours: |event| Some(format!("{} {}", text(event, "/ftp/command"), text(event, "/file/path"))),
    of_theirs: |event| Some(format!("{} {}", text(event, "/ftp_data/command"), text(event, "/ftp_data/filename"))),
};
