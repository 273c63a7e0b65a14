//! What is said of devices that look for each other by WS-Discovery.

luytre_events::record! {
    /// One message of WS-Discovery: a device says that it is there, or somebody looks for devices. Cameras do so by ONVIF.
    pub struct DiscoveryMessage in "wsdiscovery" {
        /// hello, bye, probe, probe_matches, resolve, resolve_matches.
        action: &'static str = "wsdiscovery.action", Keyword, Column;
        /// Number of the message.
        message_id: Option<String> = "wsdiscovery.message_id", Keyword, Term;
        /// Number of the message that it answers.
        relates_to: Option<String> = "wsdiscovery.relates_to", Keyword, Term;
        /// Name of the device that stays the same.
        endpoint: Option<String> = "wsdiscovery.endpoint", Keyword, Term;
        /// Kinds of device that are there or looked for, without their prefixes: NetworkVideoTransmitter, Printer.
        types: Vec<String> = "wsdiscovery.types", Keyword list, Column;
        /// Where devices can be talked to.
        addresses: Vec<String> = "wsdiscovery.addresses", Keyword list, Term;
        /// What devices say of themselves, as addresses.
        scopes: Vec<String> = "wsdiscovery.scopes", Keyword list, Term;
        /// Name of a device that speaks ONVIF.
        name: Option<String> = "onvif.name", Keyword, Column;
        /// Model of that device.
        hardware: Option<String> = "onvif.hardware", Keyword, Column;
        /// Where it stands, as it was told.
        location: Option<String> = "onvif.location", Keyword, Term;
    }
}
