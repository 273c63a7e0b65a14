//! ONVIF (core and media specifications), by which cameras are asked and set: calls of SOAP 1.2 over HTTP.
//!
//! Comes in: the bodies of a request and its response, where HTTP says that they are SOAP. Goes out: one [`record`] a call.
//! Envelopes are bounded, and so are elements and texts in them. Devices are found by WS-Discovery, and their pictures go
//! by RTSP; both have folders of their own.

pub mod record;

use record::OnvifCall;

use super::soap::{self, Element};
use super::text;

/// Media type of SOAP 1.2, which ONVIF speaks.
pub const MEDIA_TYPE: &str = "application/soap+xml";
/// Bytes of an envelope that are looked at.
pub const MAX_ENVELOPE_BYTES: usize = 16 << 10;

/// Elements that are looked at.
const MAX_ELEMENTS: usize = 512;
/// Bytes of a text that are told.
const MAX_TEXT_BYTES: usize = 512;
/// Users that are told of one call.
const MAX_USERS: usize = 16;

/// How the names of its services begin: `http://www.onvif.org/ver10/media/wsdl`.
const NAMESPACE: &[u8] = b"http://www.onvif.org/ver";

/// The call of a request and its response; nothing where neither is ONVIF's.
pub fn call(request: &[u8], response: &[u8]) -> Option<OnvifCall> {
    let mut call = OnvifCall::default();
    let asked = read_request(request, &mut call);
    let answered = read_response(response, &mut call);
    (asked || answered).then_some(call)
}

fn read_request(bytes: &[u8], call: &mut OnvifCall) -> bool {
    let mut place = Place::default();
    for element in soap::elements(bytes).take(MAX_ELEMENTS) {
        match (place.step(&element), element.name) {
            (Part::Operation(service), name) => {
                call.service = Some(service);
                call.operation = Some(told(name));
            }
            (Part::Header, b"Username") => call.user_name = said(&element),
            (Part::Header, b"Password") => {
                // Without a type it is in clear (WS-Security UsernameToken profile 1.1 section 3.1).
                let digest = element.attribute(b"Type").is_some_and(|kind| kind.ends_with(b"#PasswordDigest"));
                call.cleartext_password = (!digest && !element.text.is_empty()).then_some(true);
            }
            (Part::Body, b"Username") if call.new_users.len() < MAX_USERS => call.new_users.extend(said(&element)),
            _ => {}
        }
    }
    call.operation.is_some()
}

fn read_response(bytes: &[u8], call: &mut OnvifCall) -> bool {
    let mut place = Place::default();
    let mut found = false;
    for element in soap::elements(bytes).take(MAX_ELEMENTS) {
        match (place.step(&element), element.name) {
            (Part::Operation(service), name) => {
                found = true;
                call.service.get_or_insert(service);
                let name = name.strip_suffix(b"Response").unwrap_or(name);
                call.operation.get_or_insert_with(|| told(name));
            }
            (Part::Body, b"Value") => {
                let code = element.text.rsplit(|byte| *byte == b':').next().unwrap_or(&[]);
                call.fault = Some(told(code));
            }
            (Part::Body, b"Manufacturer") => call.manufacturer = said(&element),
            (Part::Body, b"Model") => call.hardware = said(&element),
            (Part::Body, b"FirmwareVersion") => call.firmware = said(&element),
            (Part::Body, b"SerialNumber") => call.serial_number = said(&element),
            (Part::Body, b"Uri") => call.stream = call.stream.take().or_else(|| said(&element)),
            _ => {}
        }
    }
    found
}

fn said(element: &Element<'_>) -> Option<String> {
    (!element.text.is_empty()).then(|| told(element.text))
}

fn told(bytes: &[u8]) -> String {
    text::text(bytes, MAX_TEXT_BYTES)
}

/// What an element is part of.
enum Part {
    Header,
    /// The first element of the body, of this service of ONVIF.
    Operation(String),
    Body,
}

/// How far an envelope has been read.
#[derive(Default)]
struct Place<'a> {
    /// Prefixes and the service that each stands for.
    services: Vec<(&'a [u8], &'a [u8])>,
    in_body: bool,
    begun: bool,
}

impl<'a> Place<'a> {
    fn step(&mut self, element: &Element<'a>) -> Part {
        self.names(element);
        if !self.in_body {
            self.in_body = element.name == b"Body";
            return Part::Header;
        }
        if std::mem::replace(&mut self.begun, true) {
            return Part::Body;
        }
        let own = element.attribute(b"xmlns").filter(|_| element.prefix.is_empty()).and_then(service);
        let known =
            self.services.iter().rev().find(|(prefix, _)| *prefix == element.prefix).map(|(_, service)| *service);
        own.or(known).map_or(Part::Body, |service| Part::Operation(told(service)))
    }

    /// Takes in which prefixes an element names (`xmlns:tds="..."`).
    fn names(&mut self, element: &Element<'a>) {
        let marks = element.attributes.split(u8::is_ascii_whitespace);
        for (prefix, value) in marks.filter_map(|mark| mark.strip_prefix(b"xmlns:")).filter_map(halves) {
            if let Some(service) = service(value)
                && self.services.len() < MAX_ELEMENTS
            {
                self.services.push((prefix, service));
            }
        }
    }
}

/// `tds="http://..."` in its halves, quotes taken off.
fn halves(mark: &[u8]) -> Option<(&[u8], &[u8])> {
    let equals = mark.iter().position(|byte| *byte == b'=')?;
    let value = mark.get(equals + 1..)?;
    Some((mark.get(..equals)?, value.get(1..value.len().checked_sub(1)?)?))
}

/// `media` of `http://www.onvif.org/ver10/media/wsdl`.
fn service(namespace: &[u8]) -> Option<&[u8]> {
    let rest = namespace.strip_prefix(NAMESPACE)?;
    let mut words = rest.split(|byte| *byte == b'/').skip(1);
    let service = words.next()?;
    (words.last() == Some(b"wsdl")).then_some(service)
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUESTION: &[u8] = b"<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Header><w:Security>\
        <w:UsernameToken><w:Username>giam-sat</w:Username><w:Password Type=\"http://docs.oasis-open.org/x#PasswordText\">x1\
        </w:Password></w:UsernameToken></w:Security></s:Header><s:Body>\
        <GetDeviceInformation xmlns=\"http://www.onvif.org/ver10/device/wsdl\"/></s:Body></s:Envelope>";

    #[test]
    fn a_camera_tells_what_it_is() {
        let answer = b"<e:Envelope xmlns:e=\"http://www.w3.org/2003/05/soap-envelope\" \
            xmlns:tds=\"http://www.onvif.org/ver10/device/wsdl\"><e:Body><tds:GetDeviceInformationResponse>\
            <tds:Manufacturer>Example</tds:Manufacturer><tds:Model>C1</tds:Model>\
            <tds:FirmwareVersion>2.1</tds:FirmwareVersion></tds:GetDeviceInformationResponse></e:Body></e:Envelope>";
        let call = call(QUESTION, answer).unwrap();
        assert_eq!(
            (call.service.as_deref(), call.operation.as_deref()),
            (Some("device"), Some("GetDeviceInformation"))
        );
        assert_eq!((call.user_name.as_deref(), call.cleartext_password), (Some("giam-sat"), Some(true)));
        assert_eq!((call.manufacturer.as_deref(), call.firmware.as_deref()), (Some("Example"), Some("2.1")));
    }

    #[test]
    fn a_refusal_has_its_reason() {
        let answer = b"<s:Envelope><s:Body><s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode>\
            <s:Value>ter:NotAuthorized</s:Value></s:Subcode></s:Code></s:Fault></s:Body></s:Envelope>";
        assert_eq!(call(QUESTION, answer).unwrap().fault.as_deref(), Some("NotAuthorized"));
    }

    #[test]
    fn other_envelopes_are_none() {
        let other = b"<s:Envelope><s:Body><m:GetPrice xmlns:m=\"http://www.example.org/stock\"/></s:Body></s:Envelope>";
        assert!(call(other, b"").is_none());
        assert!(call(b"", b"").is_none());
        assert!(call(b"<<<>>>", b"\xff\xfe<a").is_none());
    }
}
