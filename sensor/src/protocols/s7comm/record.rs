//! What is said of S7comm: one event a job with its answer.

luytre_events::record! {
    /// One job of S7comm and its answer.
    pub struct S7Job in "s7comm" {
        /// job or userdata.
        kind: &'static str = "s7comm.type", Keyword, Term;
        /// Number that the client gave the job.
        reference: u16 = "s7comm.pdu_reference", Long, Term;
        /// What is asked for: READ_VAR, WRITE_VAR, DOWNLOAD_BLOCK, PLC_STOP and so on.
        function: String = "s7comm.function", Keyword, Column;
        /// Rack that the connection leads to.
        rack: Option<u8> = "s7comm.rack", Long, Term;
        /// Slot that the connection leads to.
        slot: Option<u8> = "s7comm.slot", Long, Term;
        /// Variables that are read or written: area, place, type and number.
        items: Vec<String> = "s7comm.items", Keyword list, Term;
        /// Block or file that is loaded, or service that is started.
        name: Option<String> = "s7comm.name", Keyword, Term;
        /// List of the system's state that is read, as four hexadecimal digits.
        state_list: Option<String> = "s7comm.szl_id", Keyword, Term;
        /// Largest packet that both agreed on.
        pdu_size_bytes: Option<u16> = "s7comm.pdu_size", Long, Stored;
        /// Class and code of the error in the answer, as four hexadecimal digits.
        error: Option<String> = "s7comm.error", Keyword, Column;
        /// What came of each variable: success, or why not.
        results: Vec<String> = "s7comm.results", Keyword list, Term;
        /// False when no answer was seen.
        answered: bool = "s7comm.answered", Boolean, Term;
        /// True when a message was broken and only its readable part is told.
        malformed: Option<bool> = "s7comm.malformed", Boolean, Term;
    }
}
