//! What is said of a message.

luytre_events::record! {
    /// One message that a device reports.
    pub struct SyslogMessage in "syslog" {
        /// Eight times the facility, and the severity.
        priority: Option<u64> = "log.syslog.priority", Long, Term;
        /// Number of the part of the system that reports.
        facility_code: Option<u64> = "log.syslog.facility.code", Long, Stored;
        /// The part of the system that reports: kern, auth, daemon, local0 and so on.
        facility: Option<&'static str> = "log.syslog.facility.name", Keyword, Column;
        /// Number of the severity: 0 is the worst.
        severity_code: Option<u64> = "log.syslog.severity.code", Long, Term;
        /// How bad it is: emergency, alert, critical, error, warning, notice, informational, debug.
        severity: Option<&'static str> = "log.syslog.severity.name", Keyword, Column;
        /// Version of the format, where it says one.
        version: Option<String> = "log.syslog.version", Keyword, Stored;
        /// When it happened, as the message says.
        timestamp: Option<String> = "syslog.timestamp", Keyword, Stored;
        /// Host that reports, as the message says.
        hostname: Option<String> = "log.syslog.hostname", Keyword, Column;
        /// Program that reports.
        program: Option<String> = "log.syslog.appname", Keyword, Column;
        /// Process that reports.
        process_id: Option<String> = "log.syslog.procid", Keyword, Stored;
        /// Kind of message (RFC 5424).
        message_id: Option<String> = "log.syslog.msgid", Keyword, Term;
        /// Values with names, as they are written (RFC 5424 section 6.3).
        structured_data: Option<String> = "syslog.structured_data", Keyword, Stored;
        /// What is reported.
        message: Option<String> = "message", Text, Stored;
        /// True when the message was longer than what is told.
        cut: Option<bool> = "syslog.cut", Boolean, Stored;
    }
}
