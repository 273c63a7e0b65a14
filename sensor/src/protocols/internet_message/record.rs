//! What is said of a message: one event each.

use luytre_events::value::TimeNs;

luytre_events::record! {
    /// One message of electronic mail, as it was handed on or fetched.
    pub struct EmailMessage in "email" {
        /// Protocol that carried it: smtp, pop3, imap.
        carrier: Option<&'static str> = "email.carrier", Keyword, Term;
        /// Addresses that it says it is from.
        from: Vec<String> = "email.from.address", Keyword list, Column;
        /// Names that stand beside these addresses.
        from_names: Vec<String> = "email.from.display_name", Keyword list, Term;
        /// Address of who sent it, where that is somebody else.
        sender: Option<String> = "email.sender.address", Keyword, Term;
        /// Addresses that answers should go to.
        reply_to: Vec<String> = "email.reply_to.address", Keyword list, Term;
        /// Addresses that it says it is for.
        to: Vec<String> = "email.to.address", Keyword list, Column;
        /// Addresses that get a copy.
        cc: Vec<String> = "email.cc.address", Keyword list, Term;
        /// Addresses that get a copy and should not have been named.
        bcc: Vec<String> = "email.bcc.address", Keyword list, Term;
        /// Subject, decoded.
        subject: Option<String> = "email.subject", Keyword, Column;
        /// Message-ID without its brackets.
        message_id: Option<String> = "email.message_id", Keyword, Term;
        /// Messages that this one answers, without brackets.
        in_reply_to: Vec<String> = "email.in_reply_to", Keyword list, Stored;
        /// When it was written, as it says.
        date: Option<TimeNs> = "email.origination_timestamp", Date, Term;
        /// Program that wrote it (X-Mailer, User-Agent).
        x_mailer: Option<String> = "email.x_mailer", Keyword, Term;
        /// Content-Type without parameters, in lower case.
        content_type: Option<String> = "email.content_type", Keyword, Term;
        /// Servers that it says it came through (fields named Received).
        received_count: Option<u64> = "email.received_count", Long, Term;
        /// Address of the first client, as a server on the way noted it (X-Originating-IP).
        originating_ip: Option<String> = "email.originating_ip", Keyword, Term;
        /// Where complaints about delivery go (Return-Path).
        return_path: Option<String> = "email.return_path", Keyword, Stored;
        /// Names of the attachments.
        attachment_names: Vec<String> = "email.attachments.file.name", Keyword list, Term;
        /// Types that the attachments claim, one for each.
        attachment_types: Vec<String> = "email.attachments.file.mime_type", Keyword list, Stored;
        /// Bytes of the message as carried.
        bytes: Option<u64> = "email.bytes", Long, Column;
        /// True when its end was not seen.
        cut: Option<bool> = "email.cut", Boolean, Stored;
    }
}
