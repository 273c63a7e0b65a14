//! Who is on call: a roster's handovers and those who stand in, laid out in time. Pure arithmetic on civil time in the
//! console's zone; nothing is stored and nothing asked.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use crate::clock::{monday, time_of_day};
use crate::store::rosters::KeptRoster;

/// A stretch of time in which one person is on call, or nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// From when, microseconds, inclusive.
    pub from_us: i64,
    /// Until when, exclusive.
    pub to_us: i64,
    /// Who.
    pub user_id: Option<String>,
    /// The override that says so.
    pub override_id: Option<String>,
}

/// Who is on call in a roster at a moment.
pub fn on_call(roster: &KeptRoster, at_us: i64, zone: &TimeZone) -> Option<String> {
    spans(roster, at_us, at_us + 1, zone).into_iter().next().and_then(|span| span.user_id)
}

/// Who is on call between two moments, without gaps. Who stands in goes before the handovers; of several the one that
/// was arranged last.
pub fn spans(roster: &KeptRoster, from_us: i64, to_us: i64, zone: &TimeZone) -> Vec<Span> {
    let turns = turns(roster, from_us, to_us, zone);
    let mut cuts: Vec<i64> = vec![from_us];
    let inside = |at: &i64| *at > from_us && *at < to_us;
    cuts.extend(turns.iter().map(|(at, _)| *at).filter(inside));
    cuts.extend(roster.overrides.iter().flat_map(|o| [o.from_us, o.to_us]).filter(inside));
    cuts.sort_unstable();
    cuts.dedup();
    let mut laid: Vec<Span> = Vec::with_capacity(cuts.len());
    for (place, from) in cuts.iter().enumerate() {
        let to = cuts.get(place + 1).copied().unwrap_or(to_us);
        let stands_in = roster.overrides.iter().filter(|o| o.from_us <= *from && o.to_us > *from).max_by_key(|o| &o.id);
        let (user_id, override_id) = match stands_in {
            Some(one) => (Some(one.user_id.clone()), Some(one.id.clone())),
            None => (turns.iter().rev().find(|(at, _)| at <= from).map(|(_, user)| user.clone()), None),
        };
        match laid.last_mut() {
            Some(last) if last.user_id == user_id && last.override_id == override_id => last.to_us = to,
            _ => laid.push(Span { from_us: *from, to_us: to, user_id, override_id }),
        }
    }
    laid
}

/// The handovers that matter between two moments, in order: those inside, and those of a whole cycle before.
fn turns(roster: &KeptRoster, from_us: i64, to_us: i64, zone: &TimeZone) -> Vec<(i64, String)> {
    let (Some(first), Some(mut day), Some(last)) =
        (monday(&roster.first_day), day_of(from_us, zone), day_of(to_us, zone))
    else {
        return Vec::new();
    };
    let weeks = i64::from(roster.weeks.max(1));
    day = day.checked_sub((weeks * 7 + 1).days()).unwrap_or(day);
    let mut found = Vec::new();
    while day <= last {
        let week = i64::from((day - first).get_days()).div_euclid(7).rem_euclid(weeks) + 1;
        let weekday = day.weekday().to_monday_one_offset();
        for one in &roster.handovers {
            if i64::from(one.week) == week && i64::from(one.day) == i64::from(weekday) {
                let at = time_of_day(&one.time).and_then(|time| zone.to_zoned(day.to_datetime(time)).ok());
                found.extend(at.map(|at| (at.timestamp().as_microsecond(), one.user_id.clone())));
            }
        }
        let Ok(next) = day.tomorrow() else { break };
        day = next;
    }
    found.sort();
    found
}

/// The day in the zone.
fn day_of(at_us: i64, zone: &TimeZone) -> Option<Date> {
    Timestamp::from_microsecond(at_us).ok().map(|at| at.to_zoned(zone.clone()).date())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{from_text, zone};
    use crate::model::Handover;
    use crate::store::rosters::KeptOverride;

    fn handover(week: u8, day: u8, time: &str, user: &str) -> Handover {
        Handover { week, day, time: time.into(), user_id: user.into() }
    }

    fn roster(weeks: u8, handovers: Vec<Handover>) -> KeptRoster {
        KeptRoster { weeks, first_day: "2026-11-16".into(), handovers, ..KeptRoster::default() }
    }

    fn who(roster: &KeptRoster, at: &str) -> Option<String> {
        on_call(roster, from_text(at).unwrap(), &zone("Asia/Ho_Chi_Minh").unwrap())
    }

    #[test]
    fn whoever_took_over_last_is_on_call_also_over_the_end_of_the_cycle() {
        let one = roster(1, vec![handover(1, 1, "08:00", "an"), handover(1, 5, "17:00", "binh")]);
        assert_eq!(who(&one, "2026-11-23T08:00:00+07:00").as_deref(), Some("an"));
        assert_eq!(who(&one, "2026-11-27T16:59:59+07:00").as_deref(), Some("an"));
        assert_eq!(who(&one, "2026-11-27T17:00:00+07:00").as_deref(), Some("binh"));
        assert_eq!(who(&one, "2026-11-30T07:59:00+07:00").as_deref(), Some("binh"), "Monday before the handover");
        assert_eq!(who(&roster(1, Vec::new()), "2026-11-23T08:00:00+07:00"), None);
    }

    #[test]
    fn a_cycle_of_two_weeks_takes_turns_before_and_after_its_first_day() {
        let two = roster(2, vec![handover(1, 1, "08:00", "an"), handover(2, 1, "08:00", "binh")]);
        let turns = ["2026-11-11", "2026-11-18", "2026-11-25", "2026-12-02"]
            .map(|day| who(&two, &format!("{day}T12:00:00+07:00")));
        assert_eq!(turns.map(Option::unwrap), ["binh", "an", "binh", "an"]);
    }

    #[test]
    fn who_stands_in_goes_first_and_the_others_come_back_after() {
        let mut one = roster(1, vec![handover(1, 1, "08:00", "an")]);
        let at = |text: &str| from_text(text).unwrap();
        let stand_in = |id: &str, user: &str, from: &str, to: &str| KeptOverride {
            id: id.into(),
            user_id: user.into(),
            from_us: at(from),
            to_us: at(to),
            ..KeptOverride::default()
        };
        one.overrides.push(stand_in("1", "binh", "2026-11-24T00:00:00+07:00", "2026-11-26T00:00:00+07:00"));
        one.overrides.push(stand_in("2", "chi", "2026-11-25T00:00:00+07:00", "2026-11-25T12:00:00+07:00"));
        let zone = zone("Asia/Ho_Chi_Minh").unwrap();
        let laid = spans(&one, at("2026-11-23T12:00:00+07:00"), at("2026-11-27T00:00:00+07:00"), &zone);
        let names: Vec<&str> = laid.iter().filter_map(|span| span.user_id.as_deref()).collect();
        assert_eq!(names, ["an", "binh", "chi", "binh", "an"]);
        for pair in laid.windows(2) {
            assert_eq!(pair[0].to_us, pair[1].from_us, "no gap and no overlap");
        }
    }
}
