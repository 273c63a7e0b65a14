//! What is said of Modbus: one event a request with its response.

luytre_events::record! {
    /// One Modbus request and its response.
    pub struct ModbusTransaction in "modbus" {
        /// Number that the client gave the request.
        transaction: u16 = "modbus.transaction_id", Long, Term;
        /// Device that is meant, behind the address.
        unit: u8 = "modbus.unit_id", Long, Column;
        /// What is asked for: READ_HOLDING_REGISTERS, WRITE_SINGLE_COIL and so on.
        function: String = "modbus.function", Keyword, Column;
        /// Number of the function.
        function_code: u8 = "modbus.function_code", Long, Term;
        /// What is asked for inside the function: of diagnostics, or of the encapsulated interface.
        sub_function: Option<String> = "modbus.sub_function", Keyword, Term;
        /// read, write, or read-write.
        access: Option<&'static str> = "modbus.access", Keyword, Column;
        /// First coil, input or register, from 0.
        address: Option<u16> = "modbus.address", Long, Term;
        /// How many of them.
        quantity: Option<u16> = "modbus.quantity", Long, Term;
        /// First register that is written, where others are read.
        write_address: Option<u16> = "modbus.write.address", Long, Term;
        /// What is written: registers, or coils as 0 and 1.
        written: Vec<u16> = "modbus.write.values", Long list, Term;
        /// What was read: registers, or coils as 0 and 1.
        read: Vec<u16> = "modbus.read.values", Long list, Stored;
        /// Why the device did not do it: ILLEGAL_FUNCTION and so on.
        exception: Option<String> = "modbus.exception", Keyword, Column;
        /// What the device says of itself: vendor, product, version and so on, as name=value.
        device: Vec<String> = "modbus.device", Keyword list, Term;
        /// False when no response was seen.
        answered: bool = "modbus.answered", Boolean, Term;
        /// True when request or response was not as long as its function wants.
        malformed: Option<bool> = "modbus.malformed", Boolean, Term;
    }
}
