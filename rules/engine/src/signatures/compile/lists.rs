//! Which buffer a condition belongs to: sticky buffers in front of contents, old modifiers behind them.

use super::super::buffer::{self, BufferId, Holds};
use super::super::language::{Comparison, NumberTest, Reason, number};
use super::super::many::ManyTest;
use super::super::rule::{Base64, Condition, Content, MatchList, Operand};
use super::super::transform::Transform;

/// The most conditions of a rule.
const CONDITIONS_MAX: usize = 512;
/// The most changes to one buffer.
const TRANSFORMS_MAX: usize = 16;

/// What the next condition belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Current {
    /// No sticky buffer: packets and streams.
    #[default]
    Payload,
    /// A sticky buffer.
    Buffer(BufferId),
    /// What base64 hides.
    Decoded,
}

/// The lists of a rule.
#[derive(Debug, Default)]
pub struct Lists {
    lists: Vec<MatchList>,
    current: Current,
    /// The list of the sticky buffer, once it has one.
    open: Option<usize>,
    /// The list and place of the condition that was added last.
    last: Option<(usize, usize)>,
    /// The list and place of the content that was added last.
    content: Option<(usize, usize)>,
    names: Vec<String>,
    conditions: usize,
}

impl Lists {
    /// A sticky buffer begins, or ends.
    pub fn begin(&mut self, current: Current) {
        self.current = current;
        self.open = match current {
            Current::Buffer(id) => {
                self.lists.push(MatchList { buffer: id, transforms: Vec::new(), conditions: Vec::new() });
                Some(self.lists.len() - 1)
            }
            _ => None,
        };
    }

    /// The sticky buffer is changed before it is looked into.
    pub fn transform(&mut self, transform: Transform) -> Result<(), Reason> {
        // Behind conditions, what follows is asked of the same buffer once more.
        let used = self.open.and_then(|at| self.lists.get(at)).is_none_or(|list| !list.conditions.is_empty());
        match self.current {
            Current::Decoded => return Err("what was decoded cannot be changed".into()),
            Current::Buffer(_) if !used => {}
            Current::Buffer(id) => self.begin(Current::Buffer(id)),
            Current::Payload => self.begin(Current::Buffer(buffer::PAYLOAD)),
        }
        let list = self.open.and_then(|at| self.lists.get_mut(at)).ok_or("there is no buffer before it")?;
        list.transforms.push(transform);
        if list.transforms.len() > TRANSFORMS_MAX { Err(format!("more than {TRANSFORMS_MAX} of them")) } else { Ok(()) }
    }

    /// The number of a keyword is asked for.
    pub fn number(&mut self, id: BufferId, value: &str) -> Result<(), Reason> {
        let parse = |text: &str| NumberTest::parse_with(text, &|word| named_number(id, word));
        let condition = match id.buffer().holds {
            _ if id == buffer::HTTP2_SETTINGS => Condition::Number(vec![setting(value)?]),
            Holds::Numbers => Condition::Numbers(ManyTest::parse(value, &|word| named_number(id, word))?),
            Holds::Flags => Condition::Number(vec![NumberTest::parse_bits(value, &|word| named_number(id, word))?]),
            _ if id == buffer::TLS_VERSION => Condition::Number(value.split(',').map(parse).collect::<Result<_, _>>()?),
            _ => Condition::Number(vec![included(id, parse(value)?)]),
        };
        self.lists.push(MatchList { buffer: id, transforms: Vec::new(), conditions: vec![condition] });
        self.count()
    }

    /// A buffer must be exactly this.
    pub fn whole(&mut self, id: BufferId, value: &str) -> Result<(), Reason> {
        let length = i64::try_from(value.len()).unwrap_or(i64::MAX);
        let mut content = super::content::content(value)?;
        (content.offset, content.depth) = (Some(Operand::Fixed(0)), Some(Operand::Fixed(length)));
        content.at_end = true;
        self.lists.push(MatchList {
            buffer: id,
            transforms: Vec::new(),
            conditions: vec![Condition::Content(content)],
        });
        self.count()
    }

    /// A buffer must be there, whatever it holds.
    pub fn there(&mut self, id: BufferId) -> Result<(), Reason> {
        let any = NumberTest(Comparison::Not(u64::MAX));
        self.lists.push(MatchList { buffer: id, transforms: Vec::new(), conditions: vec![Condition::Size(any)] });
        self.count()
    }

    /// A whole list.
    pub fn list(&mut self, list: MatchList) -> Result<(), Reason> {
        self.lists.push(list);
        self.count()
    }

    /// Something that takes a buffer apart by itself.
    pub fn judged(&mut self, id: BufferId, condition: Condition) -> Result<(), Reason> {
        self.lists.push(MatchList { buffer: id, transforms: Vec::new(), conditions: vec![condition] });
        self.count()
    }

    /// What a keyword names must be found: `filename:"x"`.
    pub fn named(&mut self, id: BufferId, value: &str) -> Result<(), Reason> {
        let mut content = super::content::content(value)?;
        content.nocase = true;
        content.bytes.make_ascii_lowercase();
        let conditions = vec![Condition::Content(content)];
        self.lists.push(MatchList { buffer: id, transforms: Vec::new(), conditions });
        self.count()
    }

    /// Adds a condition; a relative one goes where the last one is.
    pub fn push(&mut self, condition: Condition, relative: bool) -> Result<(), Reason> {
        let at = match self.current {
            Current::Buffer(id) => match self.open {
                Some(at) => at,
                None => self.list_of(id),
            },
            Current::Decoded => return self.push_decoded(condition),
            Current::Payload => match self.last {
                Some((at, _)) if relative => at,
                _ => self.list_of(buffer::PAYLOAD),
            },
        };
        self.add(at, condition)
    }

    /// Adds a condition to the list of a buffer, whatever buffer is sticky.
    pub fn push_to(&mut self, id: BufferId, condition: Condition) -> Result<(), Reason> {
        let at = self.list_of(id);
        self.add(at, condition)
    }

    fn add(&mut self, at: usize, condition: Condition) -> Result<(), Reason> {
        if let Some(list) = self.lists.get_mut(at) {
            self.last = Some((at, list.conditions.len()));
            if matches!(condition, Condition::Content(_)) {
                self.content = self.last;
            }
            list.conditions.push(condition);
        }
        self.count()
    }

    fn push_decoded(&mut self, condition: Condition) -> Result<(), Reason> {
        self.decoded()?.inside.push(condition);
        self.count()
    }

    fn decoded(&mut self) -> Result<&mut Base64, Reason> {
        let found = self.lists.iter_mut().flat_map(|list| list.conditions.iter_mut()).rev();
        found
            .filter_map(|condition| match condition {
                Condition::Base64(base64) => Some(base64),
                _ => None,
            })
            .next()
            .ok_or_else(|| "there is no base64_decode before it".to_owned())
    }

    fn count(&mut self) -> Result<(), Reason> {
        self.conditions += 1;
        if self.conditions > CONDITIONS_MAX { Err(format!("more than {CONDITIONS_MAX} conditions")) } else { Ok(()) }
    }

    /// The list of a buffer that is looked into as it is.
    fn list_of(&mut self, id: BufferId) -> usize {
        let plain = |list: &MatchList| {
            list.buffer == id && list.transforms.is_empty() && matches!(id.buffer().holds, Holds::Bytes | Holds::Many)
        };
        match self.lists.iter().position(plain) {
            Some(at) => at,
            None => {
                self.lists.push(MatchList { buffer: id, transforms: Vec::new(), conditions: Vec::new() });
                self.lists.len() - 1
            }
        }
    }

    /// The content that was added last.
    pub fn last_content(&mut self) -> Result<&mut Content, Reason> {
        let none = || "there is no content before it".to_owned();
        let condition = if self.current == Current::Decoded {
            self.decoded()?.inside.iter_mut().rev().find(|condition| matches!(condition, Condition::Content(_)))
        } else {
            let (list, place) = self.content.ok_or_else(none)?;
            self.lists.get_mut(list).and_then(|list| list.conditions.get_mut(place))
        };
        match condition {
            Some(Condition::Content(content)) => Ok(content),
            _ => Err(none()),
        }
    }

    /// The content that was added last belongs into a buffer: an old modifier.
    pub fn move_last(&mut self, id: BufferId) -> Result<(), Reason> {
        self.last_content()?;
        let Some((list, place)) = self.content else { return Ok(()) };
        let Some(list) = self.lists.get_mut(list) else { return Ok(()) };
        if list.buffer == id {
            return Ok(());
        }
        if list.buffer != buffer::PAYLOAD {
            return Err(format!("the content stands behind the sticky buffer {}", list.buffer.buffer().name));
        }
        let condition = list.conditions.remove(place);
        self.conditions -= 1;
        self.push_to(id, condition)
    }

    /// The place of a variable that will be set.
    pub fn define(&mut self, name: &str) -> usize {
        match self.names.iter().position(|known| known == name) {
            Some(at) => at,
            None => {
                self.names.push(name.to_owned());
                self.names.len() - 1
            }
        }
    }

    /// A number, or the variable of that name.
    pub fn operand(&self, text: &str) -> Result<Operand, Reason> {
        let text = text.trim();
        let (digits, negative) = match text.strip_prefix('-') {
            Some(digits) => (digits, true),
            None => (text, false),
        };
        if let Some(value) = number(digits) {
            let value = value.cast_signed();
            return Ok(Operand::Fixed(if negative { value.saturating_neg() } else { value }));
        }
        match self.names.iter().position(|known| known == text) {
            Some(at) => Ok(Operand::Variable(at)),
            None => Err(format!("{text} is neither a number nor a variable that was set before")),
        }
    }

    /// How many variables there are.
    pub fn variables(&self) -> usize {
        self.names.len()
    }

    /// The lists with something in them. A buffer that is only named must be there.
    pub fn finish(self) -> Result<Vec<MatchList>, Reason> {
        let mut lists = self.lists;
        lists.retain(|list| !list.conditions.is_empty() || list.buffer != buffer::PAYLOAD);
        if let Some(empty) = lists.iter().find(|list| list.conditions.is_empty()) {
            return Err(format!("nothing is asked of {}", empty.buffer.buffer().name));
        }
        Ok(lists)
    }
}

/// Of NFS ranges include their bounds.
fn included(id: BufferId, test: NumberTest) -> NumberTest {
    match test.0 {
        Comparison::Between(low, high) if id == buffer::NFS_PROCEDURE || id == buffer::NFS_VERSION => {
            NumberTest(Comparison::Between(low.saturating_sub(1), high.saturating_add(1)))
        }
        _ => test,
    }
}

/// `NAME`, `NAME=value`, `NAME>value` and so on, as a test of a number whose upper half is the setting's number.
fn setting(text: &str) -> Result<NumberTest, Reason> {
    const NAMES: [&str; 6] = [
        "HEADER_TABLE_SIZE",
        "ENABLE_PUSH",
        "MAX_CONCURRENT_STREAMS",
        "INITIAL_WINDOW_SIZE",
        "MAX_FRAME_SIZE",
        "MAX_HEADER_LIST_SIZE",
    ];
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    let (name, test) = text.split_at(end);
    let short = name.strip_prefix("SETTINGS_").unwrap_or(name);
    let place = NAMES.iter().position(|known| known.eq_ignore_ascii_case(short)).map(|at| at as u64 + 1);
    let id = place.or_else(|| number(name)).ok_or_else(|| format!("{name} is no setting"))?;
    let at = |value: u64| (id << 32).saturating_add(value);
    let last = at(u64::from(u32::MAX)).saturating_add(1);
    let first = at(0).saturating_sub(1);
    if test.trim().is_empty() {
        return Ok(NumberTest(Comparison::Between(first, last)));
    }
    Ok(NumberTest(match NumberTest::parse(test)?.0 {
        Comparison::Equal(value) => Comparison::Equal(at(value)),
        Comparison::Above(value) => Comparison::Between(at(value), last),
        Comparison::Below(value) => Comparison::Between(first, at(value)),
        Comparison::Between(low, high) => Comparison::Between(at(low), at(high)),
        _ => return Err(format!("{test} is no comparison for a setting")),
    }))
}

/// Words that stand for the numbers of a keyword.
fn named_number(id: BufferId, word: &str) -> Option<u64> {
    let wanted = id.buffer().name;
    include_str!("named_numbers.txt").lines().find_map(|line| {
        let mut parts = line.split(' ');
        let (keyword, name, value) = (parts.next()?, parts.next()?, parts.next()?);
        (keyword == wanted && name.eq_ignore_ascii_case(word)).then(|| number(value)).flatten()
    })
}
