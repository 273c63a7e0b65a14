//! Waiting for something to become true: asked again and again until a deadline, never a blind pause.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// How often is asked.
const PAUSE: Duration = Duration::from_millis(50);

/// Asks until there is an answer. An error of `ask` counts as "not yet" and is named when the time is over.
pub fn until<T>(what: &str, at_most: Duration, mut ask: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let deadline = Instant::now() + at_most;
    loop {
        let reason = match ask() {
            Ok(Some(answer)) => return Ok(answer),
            Ok(None) => String::new(),
            Err(error) => format!(": {error:#}"),
        };
        if Instant::now() >= deadline {
            bail!("waited {} s for {what}{reason}", at_most.as_secs());
        }
        std::thread::sleep(PAUSE);
    }
}
