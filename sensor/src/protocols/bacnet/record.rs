//! What is said of BACnet: one event a request with its answer, or a message that wants none.

luytre_events::record! {
    /// One BACnet request with its answer, or a message that wants none.
    pub struct BacnetMessage in "bacnet" {
        /// How it came: unicast, broadcast, forwarded and so on.
        delivery: &'static str = "bacnet.delivery", Keyword, Term;
        /// Which side of the flow sent it, or asked: client or server.
        sender: &'static str = "bacnet.sender", Keyword, Term;
        /// confirmed-request, unconfirmed-request, answer (of a request that was not seen), network or link.
        kind: &'static str = "bacnet.type", Keyword, Column;
        /// What is asked for or told: who-is, read-property, write-property and so on.
        service: Option<String> = "bacnet.service", Keyword, Column;
        /// Number that the client gave the request.
        invoke_id: Option<u8> = "bacnet.invoke_id", Long, Term;
        /// Network behind a router that is meant.
        destination_network: Option<u16> = "bacnet.destination_network", Long, Term;
        /// Network behind a router that it comes from.
        source_network: Option<u16> = "bacnet.source_network", Long, Term;
        /// Object that is meant, as kind and instance: device,1234.
        object: Option<String> = "bacnet.object", Keyword, Term;
        /// Property of the object.
        property: Option<String> = "bacnet.property", Keyword, Term;
        /// Maker of the device, by the number that the standard's keeper gives out.
        vendor_id: Option<u64> = "bacnet.vendor_id", Long, Term;
        /// Lowest and highest instance that are looked for, or the name.
        looked_for: Option<String> = "bacnet.looked_for", Keyword, Term;
        /// How a request was answered: ack, error, reject, abort; missing when no answer was seen.
        result: Option<&'static str> = "bacnet.result", Keyword, Column;
        /// Class and code of an error, or reason of a reject or abort.
        error: Option<String> = "bacnet.error", Keyword, Term;
        /// True when a message was broken and only its readable part is told.
        malformed: Option<bool> = "bacnet.malformed", Boolean, Term;
    }
}
