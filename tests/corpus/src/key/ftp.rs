//! FTP: command, argument, codes of the replies.

use serde_json::Value;

use super::{Compared, list, shown, text};

/// How it is compared.
pub static COMPARED: Compared = Compared {
    ours: "ftp",
    theirs: "ftp",
    of_ours: |event| Some(our_ftp(event)),
    of_theirs: |event| Some(eve_ftp(event)),
};

/// Commands that the reference does not know and tells as if there were none.
const UNKNOWN: [&str; 9] = ["FEAT", "OPTS", "AUTH", "PBSZ", "PROT", "CLNT", "XPWD", "LPRT", "MLST"];

fn our_ftp(event: &Value) -> String {
    let command = text(event, "/ftp/command");
    let codes = list(event, "/ftp/reply/codes").map(Value::to_string).collect();
    if UNKNOWN.contains(&command) {
        return ftp_key("", "", codes);
    }
    ftp_key(command, text(event, "/ftp/argument"), codes)
}

fn eve_ftp(event: &Value) -> String {
    let codes = list(event, "/ftp/completion_code").filter_map(Value::as_str).map(str::to_owned).collect();
    let command = text(event, "/ftp/command");
    // We keep no passwords.
    let argument = if matches!(command, "PASS" | "ACCT") { "" } else { text(event, "/ftp/command_data") };
    ftp_key(command, &shown(argument), codes)
}

fn ftp_key(command: &str, argument: &str, codes: Vec<String>) -> String {
    format!("{command} {} [{}]", argument.trim(), codes.join(" "))
}
