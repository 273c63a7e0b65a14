//! What is said of a DNP3 message: one event each.

luytre_events::record! {
    /// One DNP3 message of the application layer.
    pub struct Dnp3Message in "dnp3" {
        /// request, response or unsolicited-response.
        kind: &'static str = "dnp3.type", Keyword, Column;
        /// Link address of the station that sends.
        source: u16 = "dnp3.source", Long, Column;
        /// Link address of the station that is meant; 65533 to 65535 mean all.
        destination: u16 = "dnp3.destination", Long, Column;
        /// What is asked for, or that it is an answer: READ, OPERATE, COLD_RESTART and so on.
        function: String = "dnp3.function", Keyword, Column;
        /// Number of the function.
        function_code: u8 = "dnp3.function_code", Long, Term;
        /// Number of the message, modulo 16; an answer carries that of its request.
        sequence: u8 = "dnp3.sequence", Long, Term;
        /// True when the sender wants the message to be confirmed.
        confirm: Option<bool> = "dnp3.confirm", Boolean, Stored;
        /// What a station says of its state: need_time, device_restart, object_unknown and so on.
        indicators: Vec<&'static str> = "dnp3.indicators", Keyword list, Term;
        /// Objects of the message as group and variation: g12v1.
        objects: Vec<String> = "dnp3.objects", Keyword list, Term;
        /// How many points each object has, in the same order.
        object_counts: Vec<u64> = "dnp3.object_counts", Long list, Stored;
        /// Commands to outputs with their points: g12v1[3] LATCH_ON.
        operations: Vec<String> = "dnp3.operations", Keyword list, Term;
        /// Names of files that are opened or deleted.
        file_paths: Vec<String> = "dnp3.file.path", Keyword list, Column;
        /// Bytes of the message.
        size_bytes: u64 = "dnp3.size", Long, Term;
        /// True when some of the objects could not be read and only those before them are told.
        incomplete: Option<bool> = "dnp3.incomplete", Boolean, Term;
    }
}
