//! What is said of a call of ONVIF.

luytre_events::record! {
    /// A client asks a camera, a recorder or a door to tell or to do something, and its answer.
    pub struct OnvifCall in "onvif" {
        /// Service that is called: device, media, ptz, imaging, events, recording.
        service: Option<String> = "onvif.service", Keyword, Column;
        /// What it is asked for: GetDeviceInformation, GetStreamUri, CreateUsers, SystemReboot.
        operation: Option<String> = "onvif.operation", Keyword, Column;
        /// Why it was refused: the last word of the answer's subcodes, as NotAuthorized.
        fault: Option<String> = "onvif.fault", Keyword, Term;
        /// User that the call names (WS-Security). The password is never kept.
        user_name: Option<String> = "user.name", Keyword, Term;
        /// True when that password went over the wire in clear.
        cleartext_password: Option<bool> = "onvif.cleartext_password", Boolean, Column;
        /// Users that the call makes or changes.
        new_users: Vec<String> = "onvif.new_users", Keyword list, Term;
        /// Maker of the device, as it says.
        manufacturer: Option<String> = "onvif.manufacturer", Keyword, Column;
        /// Model of the device.
        hardware: Option<String> = "onvif.hardware", Keyword, Column;
        /// Version of its program.
        firmware: Option<String> = "onvif.firmware", Keyword, Column;
        /// Its number.
        serial_number: Option<String> = "onvif.serial_number", Keyword, Term;
        /// Where its pictures can be had.
        stream: Option<String> = "onvif.stream", Keyword, Term;
    }
}
