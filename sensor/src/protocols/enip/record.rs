//! What is said of EtherNet/IP: one event a request with its answer.

luytre_events::record! {
    /// One request of EtherNet/IP and its answer.
    pub struct EnipRequest in "enip" {
        /// What is asked for: RegisterSession, ListIdentity, SendRRData and so on.
        command: &'static str = "enip.command", Keyword, Column;
        /// Number of the session.
        session: u32 = "enip.session", Long, Term;
        /// Status of the answer, as eight hexadecimal digits, when it is not success.
        status: Option<String> = "enip.status", Keyword, Term;
        /// What is asked of an object inside: Read_Tag, Get_Attributes_All, Stop and so on.
        service: Option<String> = "cip.service", Keyword, Column;
        /// The object: class and instance as hexadecimal digits, attribute, or the name of a tag.
        path: Option<String> = "cip.path", Keyword, Term;
        /// General status of the object's answer, as two hexadecimal digits, when it is not success.
        service_status: Option<String> = "cip.status", Keyword, Column;
        /// Name of the device.
        product: Option<String> = "enip.identity.product_name", Keyword, Column;
        /// Maker of the device, by the number that ODVA gives out.
        vendor: Option<u16> = "enip.identity.vendor_id", Long, Term;
        /// Kind of the device, by ODVA's number.
        device_type: Option<u16> = "enip.identity.device_type", Long, Term;
        /// Revision of the device.
        revision: Option<String> = "enip.identity.revision", Keyword, Term;
        /// Serial number of the device, as eight hexadecimal digits.
        serial: Option<String> = "enip.identity.serial_number", Keyword, Term;
        /// False when no answer was seen.
        answered: bool = "enip.answered", Boolean, Term;
    }
}
