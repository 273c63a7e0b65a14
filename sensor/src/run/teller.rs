//! What the sensor has to say of itself, as events beside those of the capture threads.
//!
//! Comes in: a record from any thread. Goes out: an event into the spool, counted like those of a capture thread, so that
//! the ledger's lines agree.

use std::sync::Arc;

use luytre_events::{DatasetId, Event, EventId, FieldId, FlowContext, Value};

use super::lane::LaneState;
use crate::capture::datalink::now_ns;
use crate::spool::SpoolWriter;

/// Tells events of the sensor itself.
pub struct Teller {
    sensor: Arc<str>,
    spool: SpoolWriter,
    state: Arc<LaneState>,
}

impl Teller {
    /// For a sensor of this name; `state` is among those that the ledger looks at.
    pub fn new(sensor: Arc<str>, spool: SpoolWriter, state: Arc<LaneState>) -> Teller {
        Teller { sensor, spool, state }
    }

    /// Tells a record as an event of now.
    pub fn tell(&self, (dataset, fields): (DatasetId, Vec<(FieldId, Value)>), flow: Option<FlowContext>) {
        let id = EventId { sensor: self.sensor.clone(), sequence: 0 };
        let event = Event { id, time_ns: now_ns(), dataset, flow, fields };
        // Counting and handing over are one step for whoever looks.
        let mut counts = self.state.look();
        *counts.work.events.entry(event.dataset_name()).or_default() += 1;
        self.spool.push(vec![event]);
    }
}
