//! One queue of a source: how it is opened, opened again, and given another filter while it is read.
//!
//! The kernel runs the filter of a ring; a capture thread is not allowed to change it (decision 0007), so the part of the
//! ring that can stays here. Every other source is filtered by its capture thread.

use std::sync::{Arc, Mutex, PoisonError};

use super::settings::{Method, SourceSettings};
use crate::capture::datalink::Datalink;
use crate::capture::filter::Filter;
use crate::capture::replay::Replay;
use crate::capture::ring::{Ring, RingControl, RingSettings};
use crate::capture::{CaptureError, PacketSource};

/// A queue of a source.
pub struct Tap {
    /// Its settings at the start.
    pub settings: SourceSettings,
    /// The number of its source.
    pub source: usize,
    group: u16,
    state: Mutex<State>,
}

struct State {
    filter: Option<Arc<Filter>>,
    control: Option<RingControl>,
}

impl Tap {
    /// A queue of the source with this number.
    pub fn new(settings: SourceSettings, source: usize, filter: Option<Arc<Filter>>) -> Tap {
        Tap { settings, source, group: group(source), state: Mutex::new(State { filter, control: None }) }
    }

    /// Whether the kernel runs its filter.
    pub fn filters_in_kernel(&self) -> bool {
        !self.settings.is_file() && self.settings.method == Method::Ring
    }

    /// Opens it, with the filter in force.
    pub fn open(&self) -> Result<Box<dyn PacketSource>, CaptureError> {
        let source = &self.settings;
        // Held until it is open, so that a change of the filter comes before or after.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.control = None;
        if source.is_file() {
            return Ok(Box::new(Replay::open(&source.file, source.speed, source.shift_to_now)?));
        }
        Ok(match source.method {
            Method::Datalink => Box::new(Datalink::open(&source.interface, source.promiscuous)?),
            Method::Ring => {
                let settings = RingSettings {
                    blocks: source.ring_mb,
                    promiscuous: source.promiscuous,
                    fanout_group: (source.queues > 1).then_some(self.group),
                    filter: state.filter.clone(),
                };
                let ring = Ring::open(&source.interface, settings)?;
                state.control = Some(ring.control()?);
                Box::new(ring)
            }
        })
    }

    /// Gives it another filter; says which one it had. After an error it has that one still.
    pub fn set_filter(&self, filter: Option<Arc<Filter>>) -> Result<Option<Arc<Filter>>, CaptureError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(control) = &state.control
            && state.filter != filter
        {
            control.set_filter(filter.as_deref())?;
        }
        Ok(std::mem::replace(&mut state.filter, filter))
    }

    /// The text of the filter in force.
    pub fn filter_text(&self) -> Option<String> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.filter.as_ref().map(|filter| filter.text().to_owned())
    }
}

/// The sources that have a filter: name, filter, and whether the kernel runs it.
pub fn filters(taps: &[Arc<Tap>]) -> Vec<(String, String, bool)> {
    let first =
        |(number, tap): &(usize, &Arc<Tap>)| taps.iter().position(|one| one.source == tap.source) == Some(*number);
    let named = |tap: &Arc<Tap>| Some((tap.settings.name(), tap.filter_text()?, tap.filters_in_kernel()));
    taps.iter().enumerate().filter(first).filter_map(|(_, tap)| named(tap)).collect()
}

/// Writes the filters into the log.
pub fn say_filters(taps: &[Arc<Tap>]) {
    for (source, filter, in_kernel) in filters(taps) {
        let excluded = if in_kernel { "not counted: the kernel leaves it out" } else { "counted" };
        tracing::info!(source, filter, excluded, "only a part of the packets is looked at");
    }
}

/// Rings that share an interface have a group number of their own on this machine.
fn group(source: usize) -> u16 {
    let number = std::process::id().wrapping_mul(31).wrapping_add(u32::try_from(source).unwrap_or(0));
    (number & u32::from(u16::MAX)) as u16
}
