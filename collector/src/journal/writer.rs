//! The journal's writer thread: appends what has gathered, makes it durable once, answers all of it.

use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use luytre_segments::{Log, Position};
use tokio::sync::{mpsc, oneshot};

use super::state::{Fit, Record, State};
use super::{Incoming, JournalError, Shared};

/// The most bytes that are appended before they are made durable.
const GROUP_BYTES: usize = 8 << 20;
/// Pause between attempts while the disk says no.
const RETRY: Duration = Duration::from_millis(500);

pub(super) struct Job {
    pub incoming: Incoming,
    pub answer: oneshot::Sender<Result<u64, JournalError>>,
}

pub(super) struct Writer {
    log: Log,
    shared: Arc<Shared>,
    /// What is durable.
    durable: State,
}

impl Writer {
    pub(super) fn new(log: Log, shared: Arc<Shared>, durable: State) -> Writer {
        Writer { log, shared, durable }
    }

    /// Works until all handles are gone.
    pub(super) fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        while let Some(first) = jobs.blocking_recv() {
            let mut bytes = first.incoming.batch.body.len();
            let mut group = vec![first];
            while bytes < GROUP_BYTES {
                let Ok(next) = jobs.try_recv() else { break };
                bytes += next.incoming.batch.body.len();
                group.push(next);
            }
            // Closed while the disk says no: what waits was never promised.
            while let Err(error) = self.write(&mut group) {
                self.report(&error);
                if jobs.is_closed() {
                    return;
                }
                std::thread::sleep(RETRY);
            }
            self.shared.problems.clear("journal");
        }
    }

    fn report(&self, error: &io::Error) {
        let advice = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "free some space on its disk",
            _ => "check its disk",
        };
        let problem = format!("events are not acknowledged: {error}; {advice}, it goes on by itself");
        self.shared.problems.raise("journal", problem);
    }

    /// Writes a group and answers those of it that are durable; the rest stays in `group` when the disk fails.
    fn write(&mut self, group: &mut Vec<Job>) -> io::Result<()> {
        let (places, failure) = self.append(group);
        let synced = self.log.sync();
        // Even after a failure some records may be durable: a new segment makes earlier ones so.
        let end = self.shared.view.end();
        let safe = places.iter().take_while(|place| place.is_none_or(|place| place <= end)).count();
        let answers: Vec<Job> = group.drain(..safe).collect();
        self.publish(answers, &places);
        match (failure, synced) {
            (Some(error), _) | (None, Err(error)) => Err(error),
            (None, Ok(_)) => Ok(()),
        }
    }

    /// Appends a group until the disk fails: for each job done the place after it, or none where there was nothing to
    /// append.
    fn append(&mut self, group: &[Job]) -> (Vec<Option<Position>>, Option<io::Error>) {
        let mut state = self.durable.clone();
        let mut places = Vec::with_capacity(group.len());
        let mut last = None;
        for job in group {
            let incoming = &job.incoming;
            match state.fit(&incoming.sensor, &incoming.batch) {
                Fit::New => {
                    let record = record(incoming, state.events);
                    match self.append_one(&record, &state) {
                        Ok(place) => last = Some(place),
                        Err(error) => return (places, Some(error)),
                    }
                    state.add(&record);
                    places.push(last);
                }
                // Not before the batch that it repeats, which may be in this group.
                Fit::Duplicate | Fit::Overlap { .. } => places.push(last),
            }
        }
        (places, None)
    }

    fn append_one(&mut self, record: &Record, state: &State) -> io::Result<Position> {
        let bytes = postcard::to_stdvec(record).map_err(io::Error::other)?;
        self.log.append(&bytes, || postcard::to_stdvec(state).unwrap_or_default())
    }

    /// Makes the new state known and answers.
    fn publish(&mut self, answers: Vec<Job>, places: &[Option<Position>]) {
        let mut results = Vec::with_capacity(answers.len());
        for job in answers {
            let Incoming { sensor, batch, .. } = &job.incoming;
            let (first, last) = (batch.first, batch.last);
            let result = match self.durable.fit(sensor, batch) {
                Fit::New => {
                    self.durable.add(&record(&job.incoming, self.durable.events));
                    Ok(last)
                }
                Fit::Duplicate => Ok(self.durable.sensors.get(&**sensor).map_or(last, |totals| totals.durable)),
                Fit::Overlap { durable } => Err(JournalError::Overlap { first, last, durable }),
            };
            results.push((job.answer, result));
        }
        {
            let mut state = self.shared.state();
            state.durable = self.durable.clone();
            for place in places.iter().flatten() {
                state.began.entry(place.segment).or_insert_with(SystemTime::now);
            }
        }
        self.shared.grew.notify_all();
        for (answer, result) in results {
            // A connection that is gone does not care; the sensor will ask again.
            let _ = answer.send(result);
        }
    }
}

fn record(incoming: &Incoming, before: u64) -> Record {
    Record {
        before,
        sensor: incoming.sensor.clone(),
        digest: incoming.digest,
        received_ns: incoming.received_ns,
        run_first: incoming.run_first,
        batch: incoming.batch.clone(),
    }
}
