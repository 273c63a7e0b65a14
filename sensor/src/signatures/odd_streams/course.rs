//! The course of a TCP connection as its ends should see it (RFC 9293 section 3.3.2), and what does not fit into it, under
//! the names that rules know it by.
//!
//! Only what is needed to judge numbers is kept of each end. A packet that does not fit changes nothing: its receiver would
//! throw it away, too.

use crate::decode::TcpHeader;
use crate::flow::tcp::flag;

/// Answers to one SYN with other numbers that may come before they are a flood.
const ANSWERS_MAX: u8 = 5;
/// The most by which a window may be multiplied: a power of two (RFC 7323 section 2.3).
const SCALE_MAX: u8 = 14;

/// How far a connection is: the client's end of it while it opens; who closes first decides the rest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Quiet,
    Asked,
    /// Both ends have asked, neither has answered.
    BothAsked,
    Answered,
    Established,
    /// The server has said that it is done, not the client.
    FinWait1,
    FinWait2,
    Closing,
    TimeWait,
    /// The client has said that it is done.
    CloseWait,
    LastAck,
    Closed,
}

/// What one end sends.
#[derive(Debug, Default, Clone, Copy)]
struct End {
    /// The number of its SYN.
    first: u32,
    /// The number behind all that it has sent.
    next: u32,
    /// The number up to which the other end has it.
    acknowledged: u32,
    /// How much more the other end takes.
    window: u32,
    /// The number up to which it may send.
    limit: u32,
    /// Power of two by which its own windows are multiplied, where it has said so.
    scale: Option<u8>,
}

/// A connection.
#[derive(Debug, Default)]
pub struct Course {
    state: State,
    /// The client, which asked first, and the server.
    ends: [End; 2],
    /// Answers to the SYN with other numbers than the first one.
    answers: u8,
    /// Place of the end that asked first, as its packets come in.
    client: usize,
}

/// A packet, as far as it is judged.
struct Step<'h> {
    header: &'h TcpHeader,
    /// Its sender is the client.
    from_client: bool,
    /// What of a window is multiplied by, where the SYN says so.
    scale: Option<u8>,
    /// The SYN may bring data.
    fast: bool,
    /// Its connection was under way before anybody asked.
    late: bool,
    /// The number behind it.
    end: u32,
}

impl Step<'_> {
    fn has(&self, bits: u8) -> bool {
        self.header.flags & bits == bits
    }

    fn length(&self) -> u32 {
        self.header.payload_length
    }
}

fn before(a: u32, b: u32) -> bool {
    a.wrapping_sub(b).cast_signed() < 0
}

impl Course {
    /// Takes a packet of the end at a place; says what is odd about it.
    pub fn take(&mut self, place: usize, header: &TcpHeader, options: Opening, odd: &mut Vec<&'static str>) {
        if header.flags & flag::ACK == 0 && header.acknowledgement != 0 {
            odd.push("pkt_broken_ack");
        }
        let opens = header.flags & (flag::SYN | flag::ACK | flag::RST) == flag::SYN;
        if opens && matches!(self.state, State::Quiet | State::Closed) {
            *self = Course { client: place, ..Course::default() };
        }
        let step = Step {
            header,
            from_client: place == self.client,
            scale: options.scale.map(|scale| scale.min(SCALE_MAX)),
            fast: options.fast,
            late: options.late,
            end: header.sequence.wrapping_add(header.payload_length),
        };
        match self.state {
            State::Quiet => self.quiet(&step, opens, odd),
            State::Closed => {}
            _ if step.has(flag::RST) => self.broken_off(&step, odd),
            State::Asked => self.asked(&step, odd),
            State::BothAsked => self.both_asked(&step, odd),
            State::Answered => self.answered(&step, odd),
            State::Established => self.established(&step, odd),
            _ if step.has(flag::SYN) && !step.has(flag::FIN) => odd.push("shutdown_syn_resend"),
            _ => self.ending(&step, odd),
        }
    }

    /// The ends in the order sender, receiver.
    fn ends_of(&mut self, step: &Step<'_>) -> (&mut End, &mut End) {
        let [client, server] = &mut self.ends;
        if step.from_client { (client, server) } else { (server, client) }
    }

    fn quiet(&mut self, step: &Step<'_>, opens: bool, odd: &mut Vec<&'static str>) {
        if step.late {
            // What came before is not known.
        } else if step.has(flag::RST) {
            odd.push("rst_but_no_session");
        } else if step.has(flag::FIN) {
            odd.push("fin_but_no_session");
        } else if opens {
            let first = step.header.sequence;
            let begun = first.wrapping_add(1);
            let next = if step.fast { begun.wrapping_add(step.length()) } else { begun };
            self.ends[0] = End { first, next, acknowledged: first, scale: step.scale, ..End::default() };
            self.ends[1].window = step.header.window.into();
            self.state = State::Asked;
        }
    }

    fn broken_off(&mut self, step: &Step<'_>, odd: &mut Vec<&'static str>) {
        if matches!(self.state, State::Asked | State::BothAsked | State::Answered) {
            self.state = State::Closed;
            return;
        }
        let (sender, _) = self.ends_of(step);
        let near = !before(step.header.sequence, sender.acknowledged.wrapping_sub(sender.window));
        if !self.acknowledges_rightly(step, odd) {
            odd.push("rst_invalid_ack");
        } else if near {
            self.state = State::Closed;
        }
    }

    fn asked(&mut self, step: &Step<'_>, odd: &mut Vec<&'static str>) {
        if step.has(flag::SYN | flag::ACK) {
            let client = self.ends[0];
            let all = step.header.acknowledgement == client.next;
            if step.from_client {
                odd.push("3whs_synack_in_wrong_direction");
            } else if !all && step.header.acknowledgement != client.first.wrapping_add(1) {
                odd.push("3whs_synack_with_wrong_ack");
            } else {
                self.answer(step);
            }
        } else if step.has(flag::SYN) && !step.from_client {
            let first = step.header.sequence;
            let next = first.wrapping_add(1);
            self.ends[1] =
                End { first, next, acknowledged: first, window: self.ends[1].window, scale: step.scale, limit: 0 };
            self.ends[0].window = step.header.window.into();
            self.state = State::BothAsked;
        }
    }

    /// The answer to a SYN that fits.
    fn answer(&mut self, step: &Step<'_>) {
        let [client, server] = &mut self.ends;
        let both_scale = client.scale.is_some() && step.scale.is_some();
        let first = step.header.sequence;
        let next = first.wrapping_add(1);
        let window = server.window;
        *server = End { first, next, acknowledged: first, window, limit: next.wrapping_add(window), scale: step.scale };
        if !both_scale {
            (client.scale, server.scale) = (None, None);
        }
        client.acknowledged = step.header.acknowledgement;
        client.window = step.header.window.into();
        client.limit = client.acknowledged.wrapping_add(client.window);
        self.state = State::Answered;
    }

    fn both_asked(&mut self, step: &Step<'_>, odd: &mut Vec<&'static str>) {
        let (sender, receiver) = self.ends_of(step);
        if step.has(flag::SYN | flag::ACK) {
            if step.header.acknowledgement != receiver.first.wrapping_add(1) {
                odd.push("4whs_synack_with_wrong_ack");
            } else if step.header.sequence != sender.first {
                odd.push("4whs_synack_with_wrong_syn");
            } else {
                receiver.acknowledged = step.header.acknowledgement;
                receiver.limit = receiver.acknowledged.wrapping_add(step.header.window.into());
                sender.limit = sender.next.wrapping_add(sender.window);
                self.state = State::Answered;
            }
        } else if step.has(flag::ACK) {
            if step.header.sequence != sender.next {
                odd.push("4whs_wrong_seq");
            } else if step.header.acknowledgement != receiver.next {
                odd.push("4whs_invalid_ack");
            }
        }
    }

    fn answered(&mut self, step: &Step<'_>, odd: &mut Vec<&'static str>) {
        let [client, server] = self.ends;
        let header = step.header;
        match (step.has(flag::SYN), step.has(flag::ACK)) {
            (true, true) if step.from_client => odd.push("3whs_synack_toserver_on_syn_recv"),
            (true, true) if header.acknowledgement != client.acknowledged => {
                odd.push("3whs_synack_resend_with_different_ack");
            }
            (true, true) if header.sequence != server.first => {
                odd.push("3whs_synack_resend_with_diff_seq");
                self.answers = self.answers.saturating_add(1);
                if self.answers >= ANSWERS_MAX {
                    odd.push("3whs_synack_flood");
                } else {
                    // Which of them is the true one is known when it is acknowledged.
                    let (window, scale) = (server.window, step.scale);
                    let (first, next) = (header.sequence, header.sequence.wrapping_add(1));
                    self.ends[1] =
                        End { first, next, acknowledged: first, window, limit: next.wrapping_add(window), scale };
                }
            }
            (true, true) => {}
            (true, false) if !step.from_client => odd.push("3whs_syn_toclient_on_syn_recv"),
            (true, false) if header.sequence != client.first => odd.push("3whs_syn_resend_diff_seq_on_syn_recv"),
            (true, false) => {}
            (false, _) if step.has(flag::FIN) => {
                if self.acknowledges_rightly(step, odd) {
                    self.establish(step);
                    self.done(step);
                }
            }
            (false, true) => self.confirmed(step, odd),
            (false, false) => {}
        }
    }

    /// What follows the answer to a SYN.
    fn confirmed(&mut self, step: &Step<'_>, odd: &mut Vec<&'static str>) {
        let [client, server] = self.ends;
        let header = step.header;
        if !step.from_client {
            let fits = header.acknowledgement == client.acknowledged && header.sequence == server.next;
            if step.length() > 0 && fits {
                // Its confirmation was missed, or the client has sent data already.
                self.establish(step);
            } else if step.length() > 0 && header.sequence != server.next {
                odd.push("3whs_wrong_seq_wrong_ack");
            } else if !fits {
                odd.push("3whs_ack_in_wrong_dir");
            }
        } else if header.sequence == client.next || header.sequence == client.acknowledged {
            let fits = !before(header.acknowledgement, server.next) && !before(server.limit, header.acknowledgement);
            if fits {
                self.establish(step);
            } else {
                odd.push("3whs_right_seq_wrong_ack_evasion");
            }
        } else if header.acknowledgement == server.next && !before(client.limit, header.sequence) {
            // Something between is missing.
            self.establish(step);
        } else {
            odd.push("3whs_wrong_seq_wrong_ack");
        }
    }

    fn establish(&mut self, step: &Step<'_>) {
        self.state = State::Established;
        let [client, server] = &mut self.ends;
        if step.from_client {
            server.acknowledged = step.header.acknowledgement;
        }
        for end in [client, server] {
            end.limit = later(end.limit, end.acknowledged.wrapping_add(end.window));
        }
        self.account(step);
    }

    fn established(&mut self, step: &Step<'_>, odd: &mut Vec<&'static str>) {
        let (sender, receiver) = self.ends_of(step);
        let header = step.header;
        let (sender, receiver) = (*sender, *receiver);
        let keeps_alive = step.length() <= 1 && header.sequence == sender.next.wrapping_sub(1);
        if step.has(flag::FIN) {
            if !self.acknowledges_rightly(step, odd) {
                odd.push("fin_invalid_ack");
            } else if before(header.sequence, sender.next) || before(limit(&sender), header.sequence) {
                odd.push("fin_out_of_window");
            } else if step.has(flag::SYN) {
                odd.push("fin_syn");
            } else {
                self.done(step);
            }
            return;
        }
        if step.has(flag::SYN | flag::ACK) {
            return odd.push(if step.from_client {
                "est_synack_toserver"
            } else if header.acknowledgement != receiver.acknowledged
                && header.acknowledgement != receiver.first.wrapping_add(1)
            {
                "est_synack_resend_with_different_ack"
            } else if header.sequence != sender.first {
                "est_synack_resend_with_diff_seq"
            } else {
                "est_synack_resend"
            });
        }
        if step.has(flag::SYN) {
            return odd.push(if !step.from_client {
                "est_syn_toclient"
            } else if header.sequence != sender.first {
                "est_syn_resend_diff_seq"
            } else {
                "est_syn_resend"
            });
        }
        if !step.has(flag::ACK) {
            return;
        }
        if step.length() > 0 && !before(sender.next, step.end) {
            odd.push("pkt_retransmission");
        }
        if !self.acknowledges_rightly(step, odd) {
            return odd.push("est_invalid_ack");
        }
        let fills = before(sender.next, sender.acknowledged) && before(sender.next, step.end);
        if before(step.end, sender.acknowledged) && !keeps_alive && !fills {
            odd.push("est_pkt_before_last_ack");
        } else if before(sender.limit, step.end) && step.length() > 1 {
            odd.push("est_packet_out_of_window");
        } else {
            self.account(step);
        }
    }

    /// An end says that it is done.
    fn done(&mut self, step: &Step<'_>) {
        self.account(step);
        let (sender, _) = self.ends_of(step);
        sender.next = later(sender.next, step.end.wrapping_add(1));
        self.state = match (self.state, step.from_client) {
            (State::Established | State::Answered, true) => State::CloseWait,
            (State::Established | State::Answered, false) => State::FinWait1,
            (State::CloseWait, false) => State::LastAck,
            (State::FinWait1, true) if self.ends[1].acknowledged == self.ends[1].next => State::TimeWait,
            (State::FinWait1, true) => State::Closing,
            (State::FinWait2, true) => State::TimeWait,
            (state, _) => state,
        };
    }

    /// After one end has said that it is done.
    fn ending(&mut self, step: &Step<'_>, odd: &mut Vec<&'static str>) {
        let (sender, _) = self.ends_of(step);
        let (sender, header) = (*sender, step.header);
        // What comes again is no news; an end that is done keeps the number behind its FIN.
        let again = !before(sender.next, step.end.wrapping_add(u32::from(step.has(flag::FIN))));
        let beyond = before(limit(&sender), header.sequence);
        let next = header.sequence == sender.next;
        let names = match self.state {
            State::FinWait1 => ["fin1_invalid_ack", "fin1_fin_wrong_seq", "fin1_ack_wrong_seq"],
            State::FinWait2 => ["fin2_invalid_ack", "fin2_fin_wrong_seq", "fin2_ack_wrong_seq"],
            State::Closing => ["closing_invalid_ack", "closing_ack_wrong_seq", "closing_ack_wrong_seq"],
            State::TimeWait => ["timewait_invalid_ack", "timewait_ack_wrong_seq", "timewait_ack_wrong_seq"],
            State::LastAck => ["lastack_invalid_ack", "lastack_ack_wrong_seq", "lastack_ack_wrong_seq"],
            _ => ["closewait_invalid_ack", "closewait_fin_out_of_window", "closewait_ack_out_of_window"],
        };
        let [invalid, of_fin, of_ack] = names;
        if step.length() > 0 && again {
            odd.push("pkt_retransmission");
        }
        if step.has(flag::FIN) {
            if !again && (beyond || before(header.sequence, sender.next)) {
                return odd.push(of_fin);
            }
            if !self.acknowledges_rightly(step, odd) {
                return odd.push(invalid);
            }
            return self.done(step);
        }
        if !step.has(flag::ACK) {
            return;
        }
        if !self.acknowledges_rightly(step, odd) {
            return odd.push(invalid);
        }
        match self.state {
            State::CloseWait if step.length() > 0 && !before(sender.acknowledged, step.end) => {
                return odd.push("closewait_pkt_before_last_ack");
            }
            State::CloseWait | State::FinWait1 | State::FinWait2 if beyond => return odd.push(of_ack),
            State::Closing | State::TimeWait | State::LastAck if !again && !next => return odd.push(of_ack),
            _ => {}
        }
        self.account(step);
        let [client, server] = &self.ends;
        self.state = match self.state {
            State::FinWait1 if step.from_client && server.acknowledged == server.next => State::FinWait2,
            State::Closing if client.acknowledged == client.next && server.acknowledged == server.next => {
                State::TimeWait
            }
            State::LastAck if step.from_client && server.acknowledged == server.next => State::Closed,
            State::TimeWait if !step.from_client => State::Closed,
            state => state,
        };
    }

    /// Whether what a packet acknowledges can be there.
    fn acknowledges_rightly(&mut self, step: &Step<'_>, odd: &mut Vec<&'static str>) -> bool {
        let (_, receiver) = self.ends_of(step);
        let number = step.header.acknowledgement;
        if !step.has(flag::ACK) && number == 0 {
            return true;
        }
        let right = if before(number, receiver.acknowledged) {
            receiver.window == 0 || !before(number, receiver.acknowledged.wrapping_sub(receiver.window))
        } else {
            let last = later(receiver.limit, receiver.next);
            !before(last, number) || number == last.wrapping_add(1)
        };
        if !right {
            odd.push("pkt_invalid_ack");
        }
        right
    }

    /// Takes over the numbers of a packet that fits.
    fn account(&mut self, step: &Step<'_>) {
        let (sender, receiver) = self.ends_of(step);
        sender.next = later(sender.next, step.end);
        if step.has(flag::ACK) {
            let number = step.header.acknowledgement;
            receiver.acknowledged = later(receiver.acknowledged, number);
            receiver.next = later(receiver.next, number);
            receiver.window = u32::from(step.header.window) << sender.scale.unwrap_or(0);
            receiver.limit = later(receiver.limit, receiver.acknowledged.wrapping_add(receiver.window));
        }
    }
}

/// What the options of a SYN say.
#[derive(Debug, Clone, Copy, Default)]
pub struct Opening {
    /// Power of two by which its sender's windows will be multiplied.
    pub scale: Option<u8>,
    /// It may bring data.
    pub fast: bool,
    /// There was a SYN before this packet, and nobody asked then.
    pub late: bool,
}

fn later(a: u32, b: u32) -> u32 {
    if before(a, b) { b } else { a }
}

/// The number up to which an end may send now.
fn limit(end: &End) -> u32 {
    end.acknowledged.wrapping_add(end.window)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYN: u8 = flag::SYN;
    const ACK: u8 = flag::ACK;
    const FIN: u8 = flag::FIN;
    const RST: u8 = flag::RST;

    /// A packet: place of its sender, flags, number, acknowledged number, bytes.
    type Packet = (usize, u8, u32, u32, u32);

    /// What is odd about the last of some packets; nothing may be odd about those before it.
    fn odd_about_last(packets: &[Packet]) -> Vec<&'static str> {
        let (mut course, mut odd) = (Course::default(), Vec::new());
        for (place, flags, sequence, acknowledgement, payload_length) in packets.iter().copied() {
            assert_eq!(odd, [""; 0], "before {sequence} {acknowledgement}");
            let header = TcpHeader { sequence, acknowledgement, flags, window: 1000, urgent: 0, payload_length };
            course.take(place, &header, Opening::default(), &mut odd);
        }
        odd
    }

    const OPENING: [Packet; 3] = [(0, SYN, 100, 0, 0), (1, SYN | ACK, 500, 101, 0), (0, ACK, 101, 501, 0)];

    fn after_opening(more: &[Packet]) -> Vec<&'static str> {
        odd_about_last(&[&OPENING, more].concat())
    }

    #[test]
    fn nothing_is_odd_about_an_ordinary_connection() {
        let talk = [
            (0, ACK, 101, 501, 50),
            (1, ACK, 501, 151, 900),
            (0, ACK, 151, 1401, 0),
            (1, ACK | FIN, 1401, 151, 0),
            (0, ACK, 151, 1402, 0),
            (0, ACK | FIN, 151, 1402, 0),
            (1, ACK, 1402, 152, 0),
        ];
        for length in 0..=talk.len() {
            assert_eq!(after_opening(&talk[..length]), [""; 0]);
        }
        let client_first = [
            (0, ACK | FIN, 101, 501, 0),
            (1, ACK, 501, 102, 30),
            (0, ACK, 102, 531, 0),
            (1, ACK | FIN, 531, 102, 0),
            (0, ACK, 102, 532, 0),
        ];
        assert_eq!(after_opening(&client_first), [""; 0]);
        // Numbers go around at their end.
        let around = [
            (0, SYN, u32::MAX, 0, 0),
            (1, SYN | ACK, u32::MAX - 1, 0, 0),
            (0, ACK, 0, u32::MAX, 9),
            (1, ACK, u32::MAX, 9, 40),
        ];
        assert_eq!(odd_about_last(&around), [""; 0]);
    }

    #[test]
    fn what_comes_without_a_connection_is_named() {
        assert_eq!(odd_about_last(&[(0, RST, 5, 0, 0)]), ["rst_but_no_session"]);
        assert_eq!(odd_about_last(&[(0, FIN | ACK, 5, 7, 0)]), ["fin_but_no_session"]);
        assert_eq!(odd_about_last(&[(0, SYN, 5, 7, 0)]), ["pkt_broken_ack"]);
    }

    #[test]
    fn odd_handshakes_are_named() {
        let opened = |packet: Packet| odd_about_last(&[OPENING[0], packet]);
        assert_eq!(opened((0, SYN | ACK, 100, 501, 0)), ["3whs_synack_in_wrong_direction"]);
        assert_eq!(opened((1, SYN | ACK, 500, 777, 0)), ["3whs_synack_with_wrong_ack"]);
        let answered = |packet: Packet| odd_about_last(&[OPENING[0], OPENING[1], packet]);
        assert_eq!(answered((1, SYN | ACK, 500, 101, 0)), [""; 0], "it comes again");
        assert_eq!(answered((1, SYN | ACK, 900, 101, 0)), ["3whs_synack_resend_with_diff_seq"]);
        assert_eq!(answered((1, SYN | ACK, 500, 99, 0)), ["3whs_synack_resend_with_different_ack"]);
        assert_eq!(answered((0, SYN, 101, 0, 0)), ["3whs_syn_resend_diff_seq_on_syn_recv"]);
        assert_eq!(answered((0, ACK, 101, 9999, 0)), ["3whs_right_seq_wrong_ack_evasion"]);
        assert_eq!(answered((0, ACK, 9999, 9999, 0)), ["3whs_wrong_seq_wrong_ack"]);
        let both = [OPENING[0], (1, SYN, 500, 0, 0)];
        assert_eq!(
            odd_about_last(&[&both[..], &[(0, SYN | ACK, 100, 700, 0)]].concat()),
            ["4whs_synack_with_wrong_ack"]
        );
        assert_eq!(odd_about_last(&[&both[..], &[(0, ACK, 999, 501, 0)]].concat()), ["4whs_wrong_seq"]);
    }

    #[test]
    fn packets_that_do_not_fit_an_open_connection_are_named() {
        assert_eq!(after_opening(&[(0, ACK, 101, 5000, 0)]), ["pkt_invalid_ack", "est_invalid_ack"]);
        assert_eq!(after_opening(&[(0, ACK, 5000, 501, 10)]), ["est_packet_out_of_window"]);
        assert_eq!(after_opening(&[(0, SYN, 100, 0, 0)]), ["est_syn_resend"]);
        assert_eq!(after_opening(&[(0, SYN, 300, 0, 0)]), ["est_syn_resend_diff_seq"]);
        assert_eq!(after_opening(&[(1, SYN | ACK, 500, 101, 0)]), ["est_synack_resend"]);
        assert_eq!(after_opening(&[(0, FIN | ACK, 7000, 501, 0)]), ["fin_out_of_window"]);
        let sent = (0, ACK, 101, 501, 50);
        assert_eq!(after_opening(&[sent, sent]), ["pkt_retransmission"]);
        let old = after_opening(&[sent, (1, ACK, 501, 151, 0), (0, ACK, 101, 501, 20)]);
        assert_eq!(old, ["pkt_retransmission", "est_pkt_before_last_ack"]);
        assert_eq!(after_opening(&[(1, RST | ACK, 501, 9999, 0)]), ["pkt_invalid_ack", "rst_invalid_ack"]);
    }

    #[test]
    fn packets_that_do_not_fit_a_connection_that_ends_are_named() {
        let server_done = (1, FIN | ACK, 501, 101, 0);
        assert_eq!(after_opening(&[server_done, (0, SYN, 100, 0, 0)]), ["shutdown_syn_resend"]);
        assert_eq!(after_opening(&[server_done, (0, ACK, 4000, 502, 0)]), ["fin1_ack_wrong_seq"]);
        assert_eq!(after_opening(&[server_done, (0, FIN | ACK, 4000, 502, 0)]), ["fin1_fin_wrong_seq"]);
        assert_eq!(
            after_opening(&[server_done, (0, ACK, 101, 502, 0), (0, FIN | ACK, 4000, 502, 0)]),
            ["fin2_fin_wrong_seq"]
        );
        let client_done = (0, FIN | ACK, 101, 501, 0);
        assert_eq!(after_opening(&[client_done, (1, FIN | ACK, 4000, 102, 0)]), ["closewait_fin_out_of_window"]);
        let last = [client_done, (1, FIN | ACK, 501, 102, 0), (0, ACK, 4000, 502, 0)];
        assert_eq!(after_opening(&last), ["lastack_ack_wrong_seq"]);
    }
}
