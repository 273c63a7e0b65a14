//! What is said of a file that was carried over the network.

luytre_events::record! {
    /// One file seen on the wire, hashed and typed by its content.
    pub struct FileSeen in "file" {
        /// Name, as the protocol gives it.
        name: Option<String> = "file.name", Keyword, Column;
        /// Extension of the name, in lower case.
        extension: Option<String> = "file.extension", Keyword, Term;
        /// Bytes of the file that were seen.
        size_bytes: u64 = "file.size", Long, Column;
        /// Type by content.
        mime_type: Option<String> = "file.mime_type", Keyword, Column;
        /// Type that the sender claimed.
        claimed_type: Option<String> = "file.claimed_type", Keyword, Term;
        /// MD5 of what was seen, lower-case hexadecimal; not made of the parts of web pages.
        md5: Option<String> = "file.hash.md5", Keyword, Term;
        /// SHA-1 of what was seen, lower-case hexadecimal; not made of the parts of web pages.
        sha1: Option<String> = "file.hash.sha1", Keyword, Term;
        /// SHA-256 of what was seen, lower-case hexadecimal.
        sha256: Option<String> = "file.hash.sha256", Keyword, Column;
        /// True when every byte was seen.
        complete: bool = "file.complete", Boolean, Term;
        /// True when the content was kept and can be asked for by its SHA-256.
        stored: bool = "file.stored", Boolean, Term;
        /// upload (to the server) or download.
        direction: Option<&'static str> = "file.direction", Keyword, Term;
        /// Where in the whole file it begins, if it is a piece (a range, a download that was cut off).
        range_start: Option<u64> = "file.range.start", Long, Stored;
        /// Bytes of that whole file.
        range_total: Option<u64> = "file.range.total", Long, Stored;
        /// Pieces of which the file was put together.
        pieces: Option<u64> = "file.pieces", Long, Term;
        /// Where the file came from or went to.
        url: Option<String> = "url.full", Keyword, Term;
    }
}
