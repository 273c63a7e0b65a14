//! RDP: the name in the cookie of each connection's request. The reference makes an event of each message; those after
//! the request are one event with it here.

use super::{Compared, text};

/// How it is compared.
pub static COMPARED: Compared = Compared {
    ours: "rdp",
    theirs: "rdp",
    of_ours: |event| Some(format!("request {}", text(event, "/rdp/cookie"))),
    of_theirs: |event| {
        (text(event, "/rdp/event_type") == "initial_request").then(|| format!("request {}", text(event, "/rdp/cookie")))
    },
};
