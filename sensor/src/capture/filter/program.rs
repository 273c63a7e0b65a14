//! From an expression to a program: the headers are found first, then the questions are asked.
//!
//! No load can leave the packet, because every offset is compared with its length before.

use super::Link;
use super::assembler::{ARP, Assembler, Cell, IPV4, IPV6, Label, NONE};
use super::expression::{Ends, Expression, Layer, Question, Relation, masked_words};
use super::machine::{Code, Program, verdict};

/// Transports that have ports: TCP, UDP, SCTP.
const WITH_PORTS: [u32; 3] = [6, 17, 132];

/// Makes the program for a kind of link header. The error is about the program's length.
pub fn compile(expression: &Expression, link: Link) -> Result<Program, String> {
    let mut assembler = Assembler::default();
    assembler.headers(link);
    let (yes, no) = (assembler.label(), assembler.label());
    assembler.expression(expression, link, yes, no);
    for (label, passes) in [(yes, true), (no, false)] {
        assembler.here(label);
        assembler.step(Code::Return, verdict(passes));
    }
    assembler.finish()
}

impl Assembler {
    fn expression(&mut self, expression: &Expression, link: Link, yes: Label, no: Label) {
        match expression {
            Expression::Not(inner) => self.expression(inner, link, no, yes),
            Expression::And(left, right) => {
                let also = self.label();
                self.expression(left, link, also, no);
                self.here(also);
                self.expression(right, link, yes, no);
            }
            Expression::Or(left, right) => {
                let or = self.label();
                self.expression(left, link, yes, or);
                self.here(or);
                self.expression(right, link, yes, no);
            }
            Expression::Ask(question) => self.question(question, link, yes, no),
        }
    }

    fn question(&mut self, question: &Question, link: Link, yes: Label, no: Label) {
        match question {
            Question::EtherType(kind) => {
                self.recall(Cell::EtherType);
                self.ask(Code::IfEqual, (*kind).into(), yes, no);
            }
            Question::Protocol(network, number) => {
                self.over(*network, no);
                self.recall(Cell::Protocol);
                self.ask(Code::IfEqual, (*number).into(), yes, no);
            }
            Question::Network(network, ends, net) => {
                let words = masked_words(net);
                let arp = self.label();
                let (kind, header, at, size) =
                    if words.len() == 1 { (IPV4, 20, [12, 16], 4) } else { (IPV6, 40, [8, 24], 16) };
                self.over(*network, no);
                self.recall(Cell::EtherType);
                self.need(Code::IfEqual, kind, arp);
                self.has(Cell::Network, header, no);
                self.ends(*ends, yes, no, |this, end, yes, no| this.address(at[end], &words, yes, no));
                self.here(arp);
                if size == 4 {
                    let known = self.label();
                    for kind in ARP {
                        self.leave(Code::IfEqual, kind, known);
                    }
                    self.go(no);
                    self.here(known);
                    self.has(Cell::Network, 28, no);
                    self.ends(*ends, yes, no, |this, end, yes, no| this.address([14, 24][end], &words, yes, no));
                } else {
                    self.go(no);
                }
            }
            Question::Ports(transport, ends, low, high) => self.ports(*transport, *ends, (*low, *high), yes, no),
            Question::Station(ends, address) => self.station(*ends, address, link, yes, no),
            Question::Group => {
                let Link::EtherType { has_addresses: true, .. } = link else { return self.go(no) };
                self.has_from_start(14, no);
                self.step(Code::LoadByte, 0);
                self.ask(Code::IfAny, 1, yes, no);
            }
            Question::Vlan(None) => {
                self.recall(Cell::Vlan);
                self.ask(Code::IfEqual, NONE, no, yes);
            }
            Question::Vlan(Some(id)) => {
                self.recall(Cell::Vlan);
                self.leave(Code::IfEqual, (*id).into(), yes);
                self.recall(Cell::InnerVlan);
                self.ask(Code::IfEqual, (*id).into(), yes, no);
            }
            Question::Length(relation, length) => {
                self.step(Code::LoadLength, 0);
                self.compare(*relation, *length, yes, no);
            }
            Question::Bytes(layer, offset, size, mask, relation, value) => {
                self.bytes(*layer, *offset, *size, no);
                self.step(Code::And, *mask);
                self.compare(*relation, *value, yes, no);
            }
        }
    }

    /// Goes to `no` unless the network protocol is this one, if it matters.
    fn over(&mut self, network: Option<u16>, no: Label) {
        if let Some(kind) = network {
            self.recall(Cell::EtherType);
            self.need(Code::IfEqual, kind.into(), no);
        }
    }

    /// Asks about one end (0 sends, 1 receives), or about both.
    fn ends(&mut self, ends: Ends, yes: Label, no: Label, mut ask: impl FnMut(&mut Self, usize, Label, Label)) {
        match ends {
            Ends::Source => ask(self, 0, yes, no),
            Ends::Destination => ask(self, 1, yes, no),
            Ends::Either => {
                let second = self.label();
                ask(self, 0, yes, second);
                self.here(second);
                ask(self, 1, yes, no);
            }
            Ends::Both => {
                let second = self.label();
                ask(self, 0, second, no);
                self.here(second);
                ask(self, 1, yes, no);
            }
        }
    }

    /// Compares an address at an offset behind the network header.
    fn address(&mut self, at: u32, words: &[(u32, u32)], yes: Label, no: Label) {
        self.behind(Cell::Network);
        for (at, (mask, value)) in (at..).step_by(4).zip(words) {
            if *mask == 0 {
                break;
            }
            self.step(Code::LoadWordBehindX, at);
            self.step(Code::And, *mask);
            self.need(Code::IfEqual, *value, no);
        }
        self.go(yes);
    }

    fn ports(&mut self, transport: Option<u8>, ends: Ends, (low, high): (u16, u16), yes: Label, no: Label) {
        let known = self.label();
        self.recall(Cell::First);
        self.need(Code::IfEqual, 1, no);
        self.recall(Cell::Protocol);
        for number in WITH_PORTS.into_iter().filter(|number| transport.is_none_or(|one| u32::from(one) == *number)) {
            self.leave(Code::IfEqual, number, known);
        }
        self.go(no);
        self.here(known);
        self.has(Cell::Transport, 4, no);
        self.ends(ends, yes, no, |this, end, yes, no| {
            this.behind(Cell::Transport);
            this.step(Code::LoadHalfBehindX, [0, 2][end]);
            this.need(Code::IfAtLeast, low.into(), no);
            this.ask(Code::IfGreater, high.into(), no, yes);
        });
    }

    fn station(&mut self, ends: Ends, address: &[u8; 6], link: Link, yes: Label, no: Label) {
        let Link::EtherType { has_addresses: true, .. } = link else { return self.go(no) };
        let [a, b, c, d, e, f] = *address;
        let (first, last) = (u32::from_be_bytes([a, b, c, d]), u32::from(u16::from_be_bytes([e, f])));
        self.has_from_start(14, no);
        self.ends(ends, yes, no, |this, end, yes, no| {
            let at = [6, 0][end];
            this.step(Code::LoadWord, at);
            this.need(Code::IfEqual, first, no);
            this.step(Code::LoadHalf, at + 4);
            this.ask(Code::IfEqual, last, yes, no);
        });
    }

    /// Loads bytes of a layer, or goes to `no` where they are not there.
    fn bytes(&mut self, layer: Layer, offset: u32, size: u8, no: Label) {
        let end = offset + u32::from(size);
        let cell = match layer {
            Layer::Link => {
                self.has_from_start(end, no);
                self.step([Code::LoadByte, Code::LoadHalf, Code::LoadWord][usize::from(size / 2)], offset);
                return;
            }
            Layer::Network(kind) => {
                self.over(Some(kind), no);
                Cell::Network
            }
            Layer::Transport(number) => {
                self.recall(Cell::Protocol);
                self.need(Code::IfEqual, number.into(), no);
                self.recall(Cell::First);
                self.need(Code::IfEqual, 1, no);
                Cell::Transport
            }
        };
        self.has(cell, end, no);
        self.behind(cell);
        let codes = [Code::LoadByteBehindX, Code::LoadHalfBehindX, Code::LoadWordBehindX];
        self.step(codes[usize::from(size / 2)], offset);
    }

    fn compare(&mut self, relation: Relation, value: u32, yes: Label, no: Label) {
        match relation {
            Relation::Equal => self.ask(Code::IfEqual, value, yes, no),
            Relation::Unequal => self.ask(Code::IfEqual, value, no, yes),
            Relation::Greater => self.ask(Code::IfGreater, value, yes, no),
            Relation::AtLeast => self.ask(Code::IfAtLeast, value, yes, no),
            Relation::Less => self.ask(Code::IfAtLeast, value, no, yes),
            Relation::AtMost => self.ask(Code::IfGreater, value, no, yes),
        }
    }
}
