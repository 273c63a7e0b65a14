//! SMB: command, status, path of the file, share, dialect of a negotiation, names of a log-in.

use serde_json::Value;

use super::{Compared, list, text};

/// How it is compared.
pub static COMPARED: Compared = Compared { ours: "smb", theirs: "smb", of_ours, of_theirs };

/// Commands of SMB 1 that have other names there.
const NAMES: &[(&str, &str)] = &[
    ("NEGOTIATE_PROTOCOL", "NEGOTIATE"),
    ("FIND", "QUERY_DIRECTORY"),
    ("KEEPALIVE", "ECHO"),
    ("SESSION_LOGOFF", "LOGOFF"),
    ("TRANS", "TRANSACTION"),
    ("TRANS_SECONDARY", "TRANSACTION_SECONDARY"),
    ("TRANS2", "TRANSACTION2"),
    ("TRANS2_SECONDARY", "TRANSACTION2_SECONDARY"),
    ("NT_TRANS", "NT_TRANSACT"),
    ("NT_TRANS_SECONDARY", "NT_TRANSACT_SECONDARY"),
];

fn path(path: &str) -> String {
    // What the reference writes for the root of a share.
    if path == "<share_root>" { String::new() } else { path.trim_start_matches('\\').to_lowercase() }
}

fn of_ours(event: &Value) -> Option<String> {
    let command = text(event, "/smb/command");
    // Noticed that it is encrypted: the reference tells nothing. What goes through pipes is compared with DCE RPC.
    let in_pipe = matches!(text(event, "/smb/function"), "FSCTL_PIPE_TRANSCEIVE" | "TRANS_TRANSACT_NMPIPE");
    if command.is_empty() || in_pipe {
        return None;
    }
    let status = status(command, text(event, "/smb/status_code"));
    let about = about(
        command,
        text(event, "/file/path"),
        text(event, "/smb/share"),
        text(event, "/smb/dialect"),
        // Names that stand in the clear, as old clients of SMB 1 send them, are not told there.
        match text(event, "/ntlm/proof") {
            "" => [""; 3],
            _ => [text(event, "/user/name"), text(event, "/user/domain"), text(event, "/ntlm/host")],
        },
        [text(event, "/kerberos/service_realm"), text(event, "/kerberos/service")],
        &list(event, "/smb/client/dialects").filter_map(Value::as_str).collect::<Vec<_>>().join(","),
    );
    Some(format!("{} {command} {status} {about}", event.pointer("/smb/version")?))
}

fn of_theirs(event: &Value) -> Option<String> {
    // Told with DCE RPC.
    if event.pointer("/smb/dcerpc").is_some() || text(event, "/smb/function") == "FSCTL_PIPE_TRANSCEIVE" {
        return None;
    }
    let whole = text(event, "/smb/command");
    let (version, command) = match whole.split_once("_COMMAND_") {
        Some((version, command)) => (version.trim_start_matches("SMB").to_owned(), command.to_owned()),
        None => ("1".to_owned(), format!("0x{:02x}", whole.parse::<u16>().unwrap_or(0))),
    };
    let found = NAMES.iter().find(|(theirs, _)| *theirs == command);
    let command = found.map_or(command.as_str(), |(_, ours)| ours);
    let share = Some(text(event, "/smb/share")).filter(|share| !share.is_empty());
    let names = match event.pointer("/smb/ntlmssp") {
        Some(ntlm) => [text(ntlm, "/user"), text(ntlm, "/domain"), text(ntlm, "/host")],
        None => [""; 3],
    };
    let kerberos = event.pointer("/smb/kerberos");
    let service: Vec<&str> = kerberos.into_iter().flat_map(|k| list(k, "/snames")).filter_map(Value::as_str).collect();
    let about = about(
        command,
        text(event, "/smb/filename"),
        share.unwrap_or(text(event, "/smb/named_pipe")),
        text(event, "/smb/dialect"),
        names,
        [kerberos.map_or("", |k| text(k, "/realm")), &service.join("/")],
        &list(event, "/smb/client_dialects").filter_map(Value::as_str).collect::<Vec<_>>().join(","),
    );
    Some(format!("{version} {command} {} {about}", status(command, text(event, "/smb/status_code"))))
}

/// Status of a command. All reads or writes of a file are one event on both sides, so success says nothing.
fn status(command: &str, status: &str) -> String {
    let of_file = matches!(command, "READ" | "WRITE" | "READ_ANDX" | "WRITE_ANDX");
    let number = status.strip_prefix("0x").and_then(|digits| u32::from_str_radix(digits, 16).ok());
    match number {
        Some(0) if of_file => String::new(),
        // An error of DOS: the reference leaves its class out.
        Some(number) if number >> 30 == 0 && number >> 16 != 0 => format!("0x{:x}", number >> 16),
        Some(number) => format!("0x{number:x}"),
        None => String::new(),
    }
}

/// What matters of a command.
fn about(
    command: &str,
    file: &str,
    share: &str,
    dialect: &str,
    login: [&str; 3],
    ticket: [&str; 2],
    dialects: &str,
) -> String {
    match command {
        "NEGOTIATE" => format!("{dialect} [{dialects}]"),
        "SESSION_SETUP" | "SESSION_SETUP_ANDX" => format!("{} {}", login.join(" "), ticket.join(" ")),
        "TREE_CONNECT" | "TREE_CONNECT_ANDX" => share.trim_start_matches('\\').to_lowercase(),
        "CREATE" | "NT_CREATE_ANDX" | "OPEN_ANDX" | "READ" | "WRITE" | "READ_ANDX" | "WRITE_ANDX" => path(file),
        _ => String::new(),
    }
}
