//! What is said of FTP: one event a command with its replies, one event a data connection.

use std::net::IpAddr;

luytre_events::record! {
    /// One FTP command with its replies, or a reply that nobody asked for, such as the greeting.
    pub struct FtpExchange in "ftp" {
        /// The command, in upper case; missing for the greeting.
        command: Option<String> = "ftp.command", Keyword, Column;
        /// What stands after the command. Passwords are left out.
        argument: Option<String> = "ftp.argument", Keyword, Column;
        /// Codes of the replies in order: a transfer has one when it begins and one when it is over.
        reply_codes: Vec<u16> = "ftp.reply.codes", Long list, Column;
        /// Lines of the replies, without the code.
        reply_lines: Vec<String> = "ftp.reply.lines", Keyword list, Term;
        /// Lines of the replies that are not told because there were too many.
        reply_lines_left_out: Option<u64> = "ftp.reply.lines_left_out", Long, Stored;
        /// Who is logging in, or has logged in.
        user_name: Option<String> = "user.name", Keyword, Term;
        /// True when a password went over the wire in clear with this command.
        password_seen: Option<bool> = "ftp.password_seen", Boolean, Column;
        /// How the data connection will be made: active (the server calls) or passive (the client calls).
        data_mode: Option<&'static str> = "ftp.data.mode", Keyword, Term;
        /// Address that is named for the data connection, where one is.
        data_ip: Option<IpAddr> = "ftp.data.ip", Ip, Term;
        /// Port that is named for the data connection.
        data_port: Option<u16> = "ftp.data.port", Long, Term;
        /// True when the command or a reply was longer than is kept.
        cut: Option<bool> = "ftp.cut", Boolean, Term;
    }
}

luytre_events::record! {
    /// One data connection of FTP.
    pub struct FtpData in "ftp_data" {
        /// The command that it serves.
        command: Option<String> = "ftp.command", Keyword, Column;
        /// Path of the file, as the command names it.
        path: Option<String> = "file.path", Keyword, Column;
        /// Who is logged in.
        user_name: Option<String> = "user.name", Keyword, Term;
        /// active (the server calls) or passive (the client calls).
        mode: &'static str = "ftp.data.mode", Keyword, Term;
        /// Bytes that were carried; missing where they are encrypted.
        size_bytes: Option<u64> = "ftp.data.bytes", Long, Column;
        /// Where in the file the transfer was to begin, when not at its start (REST).
        offset_bytes: Option<u64> = "ftp.data.offset", Long, Term;
        /// True when the connection is encrypted (PROT P).
        encrypted: Option<bool> = "ftp.data.encrypted", Boolean, Term;
    }
}
